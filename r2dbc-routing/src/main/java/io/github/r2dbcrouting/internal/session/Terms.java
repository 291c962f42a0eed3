package io.github.r2dbcrouting.internal.session;

import io.github.r2dbcrouting.internal.clock.ElapsedTime;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * By which clocks does a session go, and what was arranged for it?
 *
 * <p>Immutable. Most sessions share one of two, since nothing was arranged for them in particular.
 *
 * @param clock nanoseconds since an arbitrary moment
 * @param utc the time of day
 * @param window how long it reads from the primary after a write, in nanoseconds; {@link #NO_WINDOW} if nothing was said
 * @param tellsLostWrites whether it hears of pending writes that may be lost
 */
record Terms(LongSupplier clock, InstantSource utc, long window, boolean tellsLostWrites) {

    static final long NO_WINDOW = -1;

    /** The clocks only read those of the system. */
    static final Terms COMMON = of(new ElapsedTime(), InstantSource.system());

    private static final Terms COMMON_TELLING = COMMON.with(NO_WINDOW, true);

    static Terms of(LongSupplier clock, InstantSource utc) {
        return new Terms(clock, utc, NO_WINDOW, false);
    }

    Terms withWindow(long nanos) {
        return with(nanos, tellsLostWrites);
    }

    Terms tellingLostWrites() {
        if (tellsLostWrites) {
            return this;
        }
        return equals(COMMON) ? COMMON_TELLING : with(window, true);
    }

    private Terms with(long nanos, boolean telling) {
        return new Terms(clock, utc, nanos, telling);
    }
}
