package io.github.r2dbcrouting.internal.connection;

import io.r2dbc.spi.Readable;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.RowMetadata;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;

/**
 * A result that keeps its connection lent while it is consumed, and tells when the write that it belongs to is over.
 *
 * <p>The driver may send a statement only when its result is consumed, so both matter as much as for the execution.
 */
final class RoutedResult implements Result, Ending {

    private final Result result;
    private final Lease lease;
    private final @Nullable Watched write;
    private final AtomicBoolean over = new AtomicBoolean();

    /**
     * Creates a result.
     *
     * @param result the driver's
     * @param lease the connection that it comes from
     * @param write what it is a part of; {@code null} if nobody waits for its end
     * @param sent whether its statement is on its way already, so that the connection is blocked until it is consumed
     */
    RoutedResult(Result result, Lease lease, @Nullable Watched write, boolean sent) {
        this.result = result;
        this.lease = lease;
        this.write = write;
        if (sent) {
            lease.unconsumed(this);
        }
    }

    void discard() {
        Lease.discard(result);
    }

    private <T> InUse<T> use(Publisher<T> consumption) {
        return new InUse<>(lease, consumption, () -> lease.consumed(this), write == null ? UNWATCHED : this);
    }

    @Override
    public Publisher<Long> getRowsUpdated() {
        // not Mono.from, which would cancel after the number and before the end
        return Mono.fromDirect(use(result.getRowsUpdated()));
    }

    @Override
    public <T> Publisher<T> map(BiFunction<Row, RowMetadata, ? extends T> mapping) {
        return use(result.map(mapping));
    }

    @Override
    public <T> Publisher<T> map(Function<? super Readable, ? extends T> mapping) {
        return use(result.map(mapping));
    }

    @Override
    public Result filter(Predicate<Segment> filter) {
        boolean sent = lease.consumed(this);
        return new RoutedResult(result.filter(filter), lease, write, sent);
    }

    @Override
    public <T> Publisher<T> flatMap(Function<Segment, ? extends Publisher<? extends T>> mapping) {
        return use(result.flatMap(mapping));
    }

    @Override
    public void completed() {
        if (write != null && over.compareAndSet(false, true)) {
            write.resultConsumed();
        }
    }

    @Override
    public void failed(Throwable error) {
        if (write != null && over.compareAndSet(false, true)) {
            write.failed(error);
        }
    }

    @Override
    public void cancelled() {
        if (write != null && over.compareAndSet(false, true)) {
            write.abandoned();
        }
    }

    @Override
    public String toString() {
        return result.toString();
    }
}
