package io.github.r2dbcrouting.internal.connection;

import io.r2dbc.spi.Readable;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.RowMetadata;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A result of a write, watched for when the write has ended. */
final class RoutedResult implements Result {

    private final Result result;
    private final WatchedWrite write;
    private final AtomicBoolean over = new AtomicBoolean();

    RoutedResult(Result result, WatchedWrite write) {
        this.result = result;
        this.write = write;
    }

    @Override
    public Publisher<Long> getRowsUpdated() {
        return Mono.from(result.getRowsUpdated())
                .doOnSuccess(ignored -> consumed())
                .doOnError(write::failed)
                .doOnCancel(this::cancelled);
    }

    @Override
    public <T> Publisher<T> map(BiFunction<Row, RowMetadata, ? extends T> mapping) {
        return watch(result.map(mapping));
    }

    @Override
    public <T> Publisher<T> map(Function<? super Readable, ? extends T> mapping) {
        return watch(result.map(mapping));
    }

    @Override
    public Result filter(Predicate<Segment> filter) {
        return new RoutedResult(result.filter(filter), write);
    }

    @Override
    public <T> Publisher<T> flatMap(Function<Segment, ? extends Publisher<? extends T>> mapping) {
        return watch(result.flatMap(mapping));
    }

    private <T> Flux<T> watch(Publisher<T> rows) {
        return Flux.from(rows)
                .doOnComplete(this::consumed)
                .doOnError(write::failed)
                .doOnCancel(this::cancelled);
    }

    private void consumed() {
        if (over.compareAndSet(false, true)) {
            write.resultConsumed();
        }
    }

    private void cancelled() {
        if (over.compareAndSet(false, true)) {
            write.abandoned();
        }
    }

    @Override
    public String toString() {
        return result.toString();
    }
}
