package io.github.r2dbcrouting.test;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** When does a condition come true? The only place in this module that looks again and again. */
final class Await {

    private static final long PERIOD_NANOS = Duration.ofMillis(3).toNanos();

    private Await() {}

    /** Returns when {@code condition} holds; fails with {@code what} and the detail of that moment if it does not in time. */
    static void until(String what, Duration atMost, BooleanSupplier condition, Supplier<String> detail) {
        if (!within(what, atMost, condition)) {
            throw new ClusterException(
                    "Waited %d ms in vain until %s. %s".formatted(atMost.toMillis(), what, detail.get()));
        }
    }

    /** Returns whether {@code condition} came true in time. */
    static boolean within(String what, Duration atMost, BooleanSupplier condition) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start > atMost.toNanos()) {
                return false;
            }
            LockSupport.parkNanos(PERIOD_NANOS);
            if (Thread.currentThread().isInterrupted()) {
                throw new ClusterException("Interrupted while waiting until " + what);
            }
        }
        return true;
    }
}
