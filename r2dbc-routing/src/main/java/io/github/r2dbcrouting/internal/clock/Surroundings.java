package io.github.r2dbcrouting.internal.clock;

import java.util.concurrent.ThreadLocalRandom;
import java.util.function.IntUnaryOperator;
import java.util.function.LongSupplier;

/**
 * By which clocks does a router go, and by which chance?
 *
 * <p>Those of the system, in every factory that an application can build. A simulation has its own, so that what happened
 * once happens again in the same way.
 *
 * @param monotonic nanoseconds since an arbitrary moment, for what only compares short spans
 * @param elapsed nanoseconds since an arbitrary moment, also while the host was suspended
 * @param chance draws a number from 0 to below its argument; any thread
 */
public record Surroundings(LongSupplier monotonic, LongSupplier elapsed, IntUnaryOperator chance) {

    /** Any of the many threads that draw has a generator of its own. */
    public static final IntUnaryOperator CHANCE = Surroundings::below;

    /**
     * By a multiplication in place of a division, of which a decision has two: some numbers are drawn more often than others
     * by once in four billion draws.
     */
    private static int below(int bound) {
        return (int) (((ThreadLocalRandom.current().nextInt() & 0xFFFF_FFFFL) * bound) >>> Integer.SIZE);
    }

    /**
     * Returns those of the system.
     *
     * @return the surroundings of a router that is no test's
     */
    public static Surroundings ofTheSystem() {
        return new Surroundings(System::nanoTime, new ElapsedTime(), CHANCE);
    }
}
