package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.spi.ConnectionObserver.End;
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

/** A result of a statement that somebody follows: has it been read? */
final class FollowedResult implements Result {

    private final Result result;
    private final FollowedExecution execution;
    private final AtomicBoolean over;

    FollowedResult(Result result, FollowedExecution execution) {
        this(result, execution, new AtomicBoolean());
    }

    private FollowedResult(Result result, FollowedExecution execution, AtomicBoolean over) {
        this.result = result;
        this.execution = execution;
        this.over = over;
    }

    private <T> Flux<T> followed(Publisher<T> consumption) {
        return Flux.from(consumption)
                .doOnComplete(() -> {
                    if (over.compareAndSet(false, true)) {
                        execution.partOver();
                    }
                })
                .doOnError(execution.use()::failed)
                .doOnCancel(() -> {
                    if (!over.get()) {
                        execution.use().ended(End.CANCELLED);
                    }
                });
    }

    @Override
    public Publisher<Long> getRowsUpdated() {
        // not Mono.from, which would cancel after the number and before the end
        return Mono.fromDirect(followed(result.getRowsUpdated()));
    }

    @Override
    public <T> Publisher<T> map(BiFunction<Row, RowMetadata, ? extends T> mapping) {
        return followed(result.map(mapping));
    }

    @Override
    public <T> Publisher<T> map(Function<? super Readable, ? extends T> mapping) {
        return followed(result.map(mapping));
    }

    @Override
    public Result filter(Predicate<Segment> filter) {
        return new FollowedResult(result.filter(filter), execution, over);
    }

    @Override
    public <T> Publisher<T> flatMap(Function<Segment, ? extends Publisher<? extends T>> mapping) {
        return followed(result.flatMap(mapping));
    }

    @Override
    public String toString() {
        return result.toString();
    }
}
