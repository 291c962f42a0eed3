package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.r2dbc.spi.Result;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * When has the execution of one statement or batch ended?
 *
 * <p>When the execution and every result that it emitted have completed: with the driver at hand a result may be sent to
 * the server only when it is consumed. An error of the server ends it as well. Whatever is cancelled has an unknown
 * outcome, until the connection has finished it. Thread-safe.
 */
final class WatchedWrite implements Ending, Watched {

    private final Lease lease;
    private final PendingWrite write;
    private final boolean oneResult;
    private final boolean sentAtOnce;
    private final AtomicInteger open = new AtomicInteger(1);
    private final AtomicInteger results = new AtomicInteger();
    private final AtomicBoolean executionOver = new AtomicBoolean();
    private final AtomicBoolean over = new AtomicBoolean();

    /**
     * Watches a write.
     *
     * @param lease the connection that it is sent on
     * @param write the write
     * @param oneResult whether it brings one result only, so that whoever has taken that one may cancel the rest
     * @param sentAtOnce whether it is sent when its execution is subscribed, and not only when its result is consumed
     */
    WatchedWrite(Lease lease, PendingWrite write, boolean oneResult, boolean sentAtOnce) {
        this.lease = lease;
        this.write = write;
        this.oneResult = oneResult;
        this.sentAtOnce = sentAtOnce;
    }

    /** Wraps the results of an execution that this is the {@link Ending} of. */
    Result watch(Result result) {
        open.incrementAndGet();
        results.incrementAndGet();
        return new RoutedResult(result, lease, this, sentAtOnce);
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

    @Override
    public void resultConsumed() {
        partEnded();
    }

    private void partEnded() {
        if (open.decrementAndGet() == 0 && over.compareAndSet(false, true)) {
            lease.ended(write);
        }
    }

    @Override
    public void failed(Throwable error) {
        if (lease.engine().connectionLost(error)) {
            abandoned();
        } else if (over.compareAndSet(false, true)) {
            lease.ended(write);
        }
    }

    @Override
    public void abandoned() {
        if (over.compareAndSet(false, true)) {
            lease.abandoned(write);
        }
    }
}
