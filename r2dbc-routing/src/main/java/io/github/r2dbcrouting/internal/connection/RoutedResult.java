package io.github.r2dbcrouting.internal.connection;

import io.r2dbc.spi.Readable;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.RowMetadata;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * A result that keeps its connection lent while it is consumed, and tells when the write that it belongs to is over.
 *
 * <p>The driver may send a statement only when its result is consumed, so both matter as much as for the execution.
 */
final class RoutedResult implements Result, Ending {

    private final Result result;
    private final Attempt attempt;
    private final Lease lease;
    private final @Nullable WatchedWrite write;
    private final UnaryOperator<Result> view;
    private final AtomicBoolean over = new AtomicBoolean();

    /**
     * Creates a result.
     *
     * @param result the driver's
     * @param attempt what it is a result of
     * @param write what it is a part of; {@code null} if nobody waits for its end
     * @param sent whether its statement is on its way already, so that the connection is blocked until it is consumed
     */
    RoutedResult(Result result, Attempt attempt, @Nullable WatchedWrite write, boolean sent) {
        this(result, attempt, write, sent, UnaryOperator.identity());
    }

    /** The view makes of the result of another attempt what was made of this one. */
    private RoutedResult(
            Result result, Attempt attempt, @Nullable WatchedWrite write, boolean sent, UnaryOperator<Result> view) {
        this.result = result;
        this.attempt = attempt;
        this.lease = attempt.lease();
        this.write = write;
        this.view = view;
        if (sent) {
            lease.unconsumed(this);
        }
    }

    void discard() {
        Lease.discard(result);
    }

    private <T> Flux<T> use(Publisher<T> consumption, Function<Result, Publisher<T>> elsewhere) {
        InUse<T> use = new InUse<>(lease, consumption, () -> lease.consumed(this), this);
        return attempt.consume(use, next -> elsewhere.apply(view.apply(next)));
    }

    @Override
    public Publisher<Long> getRowsUpdated() {
        // not Mono.from, which would cancel after the number and before the end
        return Mono.fromDirect(use(
                Flux.from(result.getRowsUpdated()).doOnNext(rows -> attempt.see()),
                next -> Flux.from(next.getRowsUpdated())));
    }

    @Override
    public <T> Publisher<T> map(BiFunction<Row, RowMetadata, ? extends T> mapping) {
        Required.argument(mapping, "mapping");
        return use(result.map(attempt.<Row, RowMetadata, T>watch(mapping)), next -> Flux.from(next.map(mapping)));
    }

    @Override
    public <T> Publisher<T> map(Function<? super Readable, ? extends T> mapping) {
        Required.argument(mapping, "mapping");
        return use(result.map(attempt.<Readable, T>watch(mapping)), next -> Flux.from(next.map(mapping)));
    }

    @Override
    public Result filter(Predicate<Segment> filter) {
        Required.argument(filter, "filter");
        boolean sent = lease.consumed(this);
        return new RoutedResult(
                result.filter(attempt.watchFilter(filter)),
                attempt,
                write,
                sent,
                next -> view.apply(next).filter(filter));
    }

    @Override
    public <T> Publisher<T> flatMap(Function<Segment, ? extends Publisher<? extends T>> mapping) {
        Required.argument(mapping, "mapping");
        return use(result.flatMap(attempt.<T>watchSegments(mapping)), next -> Flux.from(next.<T>flatMap(mapping)));
    }

    @Override
    public void completed() {
        attempt.resultConsumed();
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
        attempt.resultCancelled();
        if (write != null && over.compareAndSet(false, true)) {
            write.abandoned();
        }
    }

    @Override
    public String toString() {
        return result.toString();
    }
}
