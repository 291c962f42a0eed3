package io.github.r2dbcrouting.internal.connection;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * When has the execution of one statement or batch ended?
 *
 * <p>When the execution and every result that it emitted have completed: with the driver at hand a result may be sent to
 * the server only when it is consumed. An error of the server ends it as well. Whatever is cancelled has an unknown
 * outcome, until the connection has finished it. Thread-safe.
 */
final class WatchedWrite implements Ending {

    private final Lease lease;
    private final Tracked tracked;
    private final boolean oneResult;
    private final AtomicInteger open = new AtomicInteger(1);
    private final AtomicInteger results = new AtomicInteger();
    private final AtomicBoolean executionOver = new AtomicBoolean();
    private final AtomicBoolean over = new AtomicBoolean();

    /**
     * Watches a statement or a batch.
     *
     * @param lease the connection that it is sent on
     * @param tracked hears of it
     * @param oneResult whether it brings one result only, so that whoever has taken that one may cancel the rest
     */
    WatchedWrite(Lease lease, Tracked tracked, boolean oneResult) {
        this.lease = lease;
        this.tracked = tracked;
        this.oneResult = oneResult;
    }

    /** The execution that this is the {@link Ending} of has emitted a result, whose end it waits for, too. */
    WatchedWrite opened() {
        open.incrementAndGet();
        results.incrementAndGet();
        return this;
    }

    @Override
    public void completed() {
        if (executionOver.compareAndSet(false, true)) {
            partEnded();
        }
    }

    @Override
    public void cancelled() {
        if (oneResult && results.get() == 1) {
            completed();
        } else if (!executionOver.get()) {
            abandoned();
        }
    }

    void resultConsumed() {
        partEnded();
    }

    private void partEnded() {
        if (open.decrementAndGet() == 0 && over.compareAndSet(false, true)) {
            tracked.ended();
        }
    }

    @Override
    public void failed(Throwable error) {
        if (lease.engine().connectionLost(error)) {
            abandoned();
        } else if (over.compareAndSet(false, true)) {
            tracked.ended();
        }
    }

    void abandoned() {
        if (over.compareAndSet(false, true)) {
            tracked.abandoned();
        }
    }
}
