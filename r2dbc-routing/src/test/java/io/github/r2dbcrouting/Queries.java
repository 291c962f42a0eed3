package io.github.r2dbcrouting;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Statement;
import java.util.List;
import java.util.function.Function;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What tests send: one statement on a connection of its own, as repositories do. */
public final class Queries {

    private Queries() {}

    public static Mono<Void> update(ConnectionFactory factory, String sql, Object... values) {
        return Mono.usingWhen(
                factory.create(),
                connection -> Flux.from(statement(connection, sql, values).execute())
                        .concatMap(Result::getRowsUpdated)
                        .then(),
                Connection::close);
    }

    public static Mono<List<String>> rows(ConnectionFactory factory, String sql, Object... values) {
        return Mono.usingWhen(
                factory.create(), connection -> rows(connection, sql, values).collectList(), Connection::close);
    }

    public static Flux<String> rows(Connection connection, String sql, Object... values) {
        return Flux.from(statement(connection, sql, values).execute())
                .concatMap(result -> result.map((row, metadata) -> String.valueOf(row.get(0))));
    }

    public static Statement statement(Connection connection, String sql, Object... values) {
        Statement statement = connection.createStatement(sql);
        for (int i = 0; i < values.length; i++) {
            statement = statement.bind(i, values[i]);
        }
        return statement;
    }

    public static <T> Mono<T> inTransaction(ConnectionFactory factory, Function<Connection, ? extends Mono<T>> work) {
        return Mono.usingWhen(
                factory.create(),
                connection -> Mono.from(connection.beginTransaction())
                        .then(Mono.defer(() -> work.apply(connection)))
                        .flatMap(value ->
                                Mono.from(connection.commitTransaction()).thenReturn(value)),
                Connection::close);
    }
}
