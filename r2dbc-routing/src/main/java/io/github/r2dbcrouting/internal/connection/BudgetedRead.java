package io.github.r2dbcrouting.internal.connection;

import io.r2dbc.spi.Result;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * When does a read that fell back to the primary make room for the next?
 *
 * <p>When its execution and every result that it emitted have completed: the driver may send a statement only when its
 * result is consumed. What is cancelled may still be running on the server, so that keeps its place until the connection
 * is given back, which waits for the server. Thread-safe.
 */
final class BudgetedRead implements Ending, Watched {

    private final RoutedConnection.Served served;
    private final boolean sentAtOnce;
    private final AtomicInteger open = new AtomicInteger(1);

    BudgetedRead(RoutedConnection.Served served, boolean sentAtOnce) {
        this.served = served;
        this.sentAtOnce = sentAtOnce;
    }

    /** Wraps the results of an execution that this is the {@link Ending} of. */
    Result watch(Result result) {
        open.incrementAndGet();
        return new RoutedResult(result, served.lease(), this, sentAtOnce);
    }

    @Override
    public void completed() {
        partOver();
    }

    @Override
    public void resultConsumed() {
        partOver();
    }

    private void partOver() {
        if (open.decrementAndGet() == 0) {
            served.over();
        }
    }

    @Override
    public void failed(Throwable error) {
        if (!served.lease().engine().connectionLost(error)) {
            served.over();
        }
    }

    @Override
    public void cancelled() {
        served.lease().markUncertain();
    }

    @Override
    public void abandoned() {
        served.lease().markUncertain();
    }
}
