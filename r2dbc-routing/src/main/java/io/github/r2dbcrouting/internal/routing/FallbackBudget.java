package io.github.r2dbcrouting.internal.routing;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How many reads may the primary serve at once that replicas should have served?
 *
 * <p>So many permits, and a queue of bounded length for those who want one, served in the order in which they came. A
 * place in the queue can be given up at any time. Lock-free: whoever asks or releases serves the queue, one at a time.
 */
public final class FallbackBudget {

    private final IntSupplier limit;
    private final int places;
    private final Queue<Ticket> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger queued = new AtomicInteger();
    private final AtomicInteger inUse = new AtomicInteger();
    private final AtomicInteger missed = new AtomicInteger();
    private final LongAdder refused = new LongAdder();

    /**
     * Creates a budget of which nothing is used.
     *
     * @param limit how many permits there are, asked for each; where it sinks, those in use are not taken back
     * @param places how many may wait for one
     */
    public FallbackBudget(IntSupplier limit, int places) {
        this.limit = limit;
        this.places = places;
    }

    /**
     * Asks for a permit.
     *
     * @param onGranted takes the permit, within this call or later on the thread of whoever released one; must be quick
     * @return a place in the queue, already over if the permit was granted; {@code null} if the queue is full
     */
    public @Nullable Ticket request(Consumer<Permit> onGranted) {
        if (!enter()) {
            refused.increment();
            return null;
        }
        Ticket ticket = new Ticket(onGranted);
        queue.add(ticket);
        serve();
        return ticket;
    }

    /**
     * Returns how many permits there are.
     *
     * @return the limit at this moment
     */
    public int limit() {
        return limit.getAsInt();
    }

    /**
     * Returns how many permits are in use.
     *
     * @return their number at this moment
     */
    public int inUse() {
        return inUse.get();
    }

    /**
     * Returns how many wait for one.
     *
     * @return their number at this moment
     */
    public int queued() {
        return queued.get();
    }

    /**
     * Returns how many found the queue full.
     *
     * @return their number since the beginning
     */
    public long refused() {
        return refused.sum();
    }

    /** Those who are served at once pass through the queue, too, but take no place in it. */
    private boolean enter() {
        while (true) {
            int now = queued.get();
            if (now >= places + Math.max(limit.getAsInt() - inUse.get(), 0)) {
                return false;
            }
            if (queued.compareAndSet(now, now + 1)) {
                return true;
            }
        }
    }

    private void serve() {
        if (missed.getAndIncrement() != 0) {
            return;
        }
        int seen = 1;
        do {
            grantWhatIsFree();
            seen = missed.addAndGet(-seen);
        } while (seen != 0);
    }

    private void grantWhatIsFree() {
        while (inUse.get() < limit.getAsInt()) {
            Ticket next = queue.poll();
            if (next == null) {
                return;
            }
            if (next.leaveQueue()) {
                // only whoever serves adds to it
                inUse.incrementAndGet();
                next.onGranted.accept(new Permit(this::released));
            }
        }
    }

    private void released() {
        inUse.decrementAndGet();
        serve();
    }

    /** A place in the queue. Thread-safe. */
    public final class Ticket {

        private final Consumer<Permit> onGranted;
        private final AtomicInteger left = new AtomicInteger();

        private Ticket(Consumer<Permit> onGranted) {
            this.onGranted = onGranted;
        }

        /** Gives the place up; nothing happens if the permit was granted already. */
        public void cancel() {
            if (leaveQueue()) {
                queue.remove(this);
            }
        }

        private boolean leaveQueue() {
            boolean first = left.getAndIncrement() == 0;
            if (first) {
                queued.decrementAndGet();
            }
            return first;
        }
    }
}
