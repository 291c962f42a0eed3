package io.github.r2dbcrouting.internal.routing;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * May one more read be tried again?
 *
 * <p>When a server goes, every read on it fails at once, and what was load on one server must not become twice the load
 * on the others. So a tenth of the reads may be tried again, and ten a second besides, so that a quiet application is
 * not left without. What is saved up in quiet times is bounded, so that a storm cannot spend an hour's worth. As in
 * Finagle's {@code RetryBudget}, which has the same two parts.
 *
 * <p>The balance is kept as time: a retry costs as long as it takes to earn one by waiting, and a read pays in a tenth
 * of that. So one number holds all of it, and while nothing fails, which is when the balance is full, a read writes
 * nothing. Thread-safe.
 */
public final class RetryBudget {

    /** So many retries a second, whatever the number of reads. */
    public static final int PER_SECOND = 10;

    /** One retry for so many reads. */
    public static final int READS_PER_RETRY = 10;

    /** At most so many retries at once, when nothing was tried again for a while. */
    public static final int MOST_SAVED = 100;

    private static final long COST = Duration.ofSeconds(1).toNanos() / PER_SECOND;
    private static final long EARNED_BY_A_READ = COST / READS_PER_RETRY;
    private static final long FULL = COST * MOST_SAVED;

    private final LongSupplier clock;
    /** The balance is what has passed since then. */
    private final AtomicLong since;

    /**
     * Creates a full budget.
     *
     * @param clock the time in nanoseconds, of any origin
     */
    public RetryBudget(LongSupplier clock) {
        this.clock = clock;
        this.since = new AtomicLong(clock.getAsLong() - FULL);
    }

    /** Counts a read that is tried for the first time. */
    public void read() {
        long now = clock.getAsLong();
        long before = since.get();
        while (now - before < FULL && !since.compareAndSet(before, before - EARNED_BY_A_READ)) {
            before = since.get();
        }
    }

    /**
     * Takes what one retry costs.
     *
     * @return whether there was enough; if not, nothing was taken
     */
    public boolean take() {
        long now = clock.getAsLong();
        while (true) {
            long before = since.get();
            long balance = Math.min(now - before, FULL);
            if (balance < COST) {
                return false;
            }
            if (since.compareAndSet(before, now - balance + COST)) {
                return true;
            }
        }
    }
}
