package io.github.r2dbcrouting.internal.clock;

import java.time.Clock;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;

/**
 * How much time has passed, also while the host was suspended?
 *
 * <p>The monotonic clock stands still then on some systems, and what was fresh before would count as fresh after. So
 * where the wall clock has run ahead of it, that counts: elapsed time is the larger of the two. A wall clock that is set
 * forward makes things look older than they are, which is safe; one that is set back changes nothing. Thread-safe; never
 * runs backwards.
 */
public final class ElapsedTime implements LongSupplier {

    /** So far the two may drift apart unnoticed, altogether: the wall clock tells milliseconds only. */
    static final long TOLERANCE = 5_000_000;

    private static final long MILLISECOND = 1_000_000;

    private final LongSupplier monotonic;
    private final LongSupplier timeOfDay;
    private final AtomicReference<Correction> correction;

    /** How far the wall clock is ahead of the monotonic one, and how much of that counts as elapsed. */
    private record Correction(long ahead, long added) {}

    /** Creates one that reads the system's clocks. */
    public ElapsedTime() {
        this(System::nanoTime, Clock.systemUTC()::millis);
    }

    ElapsedTime(LongSupplier monotonicNanos, LongSupplier millisOfDay) {
        this.monotonic = monotonicNanos;
        this.timeOfDay = millisOfDay;
        this.correction = new AtomicReference<>(
                new Correction(millisOfDay.getAsLong() * MILLISECOND - monotonicNanos.getAsLong(), 0));
    }

    /**
     * Returns the time.
     *
     * @return nanoseconds since an arbitrary moment, to be compared with other times of this object only
     */
    @Override
    public long getAsLong() {
        while (true) {
            Correction now = Objects.requireNonNull(correction.get());
            long elapsed = monotonic.getAsLong();
            long ahead = timeOfDay.getAsLong() * MILLISECOND - elapsed;
            long jump = ahead - now.ahead;
            if (Math.abs(jump) <= TOLERANCE) {
                return elapsed + now.added;
            }
            Correction next = new Correction(ahead, now.added + Math.max(jump, 0));
            if (correction.compareAndSet(now, next)) {
                return elapsed + next.added;
            }
        }
    }
}
