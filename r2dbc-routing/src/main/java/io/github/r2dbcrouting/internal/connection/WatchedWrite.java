package io.github.r2dbcrouting.internal.connection;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/**
 * When has the execution of one statement or batch ended?
 *
 * <p>When the execution and every result that it emitted have completed: with the driver at hand a result may be sent to
 * the server only when it is consumed. An error of the server ends it as well. Whatever is cancelled has an unknown
 * outcome, until the connection has finished it. Thread-safe.
 */
final class WatchedWrite implements Ending {

    // one object for each statement, not five
    private static final AtomicIntegerFieldUpdater<WatchedWrite> OPEN =
            AtomicIntegerFieldUpdater.newUpdater(WatchedWrite.class, "open");
    private static final AtomicIntegerFieldUpdater<WatchedWrite> RESULTS =
            AtomicIntegerFieldUpdater.newUpdater(WatchedWrite.class, "results");
    private static final AtomicIntegerFieldUpdater<WatchedWrite> EXECUTION_OVER =
            AtomicIntegerFieldUpdater.newUpdater(WatchedWrite.class, "executionOver");
    private static final AtomicIntegerFieldUpdater<WatchedWrite> OVER =
            AtomicIntegerFieldUpdater.newUpdater(WatchedWrite.class, "over");

    private final Lease lease;
    private final Tracked tracked;
    private final boolean oneResult;

    @SuppressWarnings("UnusedVariable") // read by its updater
    private volatile int open = 1;

    private volatile int results;
    private volatile int executionOver;

    @SuppressWarnings("UnusedVariable") // read by its updater
    private volatile int over;

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
        OPEN.incrementAndGet(this);
        RESULTS.incrementAndGet(this);
        return this;
    }

    @Override
    public void completed() {
        if (EXECUTION_OVER.compareAndSet(this, 0, 1)) {
            partEnded();
        }
    }

    @Override
    public void cancelled() {
        if (oneResult && results == 1) {
            completed();
        } else if (executionOver == 0) {
            abandoned();
        }
    }

    void resultConsumed() {
        partEnded();
    }

    private void partEnded() {
        if (OPEN.decrementAndGet(this) == 0 && OVER.compareAndSet(this, 0, 1)) {
            tracked.ended();
        }
    }

    @Override
    public void failed(Throwable error) {
        if (lease.engine().connectionLost(error)) {
            abandoned();
        } else if (OVER.compareAndSet(this, 0, 1)) {
            tracked.ended();
        }
    }

    void abandoned() {
        if (OVER.compareAndSet(this, 0, 1)) {
            tracked.abandoned();
        }
    }
}
