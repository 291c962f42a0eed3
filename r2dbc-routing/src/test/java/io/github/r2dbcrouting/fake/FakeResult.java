package io.github.r2dbcrouting.fake;

import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.Readable;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.RowMetadata;
import io.r2dbc.spi.Statement;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A result of segments, of which a {@link Result.Message} is an error, as with the driver. */
public record FakeResult(Flux<Result.Segment> segments) implements Result {

    /** A statement without parameters that brings one result. */
    public static Statement statement(Publisher<? extends Result> execution) {
        return (Statement) java.lang.reflect.Proxy.newProxyInstance(
                Statement.class.getClassLoader(),
                new Class<?>[] {Statement.class},
                (proxy, method, arguments) -> method.getName().equals("execute") ? execution : proxy);
    }

    public static Result of(Result.Segment... segments) {
        return new FakeResult(Flux.just(segments));
    }

    public static Result.Segment row() {
        return (Result.RowSegment) () -> null;
    }

    public static Result.Segment error(R2dbcException error) {
        return new Failure(error);
    }

    private record Failure(R2dbcException exception) implements Result.Message {
        @Override
        public int errorCode() {
            return 0;
        }

        @Override
        public String sqlState() {
            return exception.getSqlState();
        }

        @Override
        public String message() {
            return exception.getMessage();
        }
    }

    private <T> Flux<T> rows(Function<Row, ? extends T> mapping) {
        return segments.handle((segment, sink) -> {
            if (segment instanceof Message message) {
                sink.error(message.exception());
            } else if (segment instanceof RowSegment row) {
                sink.next(mapping.apply(row.row()));
            }
        });
    }

    @Override
    public Publisher<Long> getRowsUpdated() {
        return rows(row -> 1L).count();
    }

    @Override
    public <T> Publisher<T> map(BiFunction<Row, RowMetadata, ? extends T> mapping) {
        return rows(row -> mapping.apply(row, null));
    }

    @Override
    public <T> Publisher<T> map(Function<? super Readable, ? extends T> mapping) {
        return rows(mapping::apply);
    }

    @Override
    public Result filter(Predicate<Segment> filter) {
        return new FakeResult(segments.filter(filter));
    }

    @Override
    public <T> Publisher<T> flatMap(Function<Segment, ? extends Publisher<? extends T>> mapping) {
        return segments.concatMap(mapping).switchIfEmpty(Mono.empty());
    }
}
