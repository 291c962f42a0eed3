package io.github.r2dbcrouting.test;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import java.time.Duration;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What an application sees of a server: one connection through the proxy. */
final class Client implements AutoCloseable {

    static final Duration SOON = Duration.ofMillis(300);
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final Connection connection;

    private Client(Connection connection) {
        this.connection = connection;
    }

    static Client of(PostgresServer server) {
        return of(server, LIMIT);
    }

    static Client of(PostgresServer server, Duration atMost) {
        Connection connection =
                Mono.from(ConnectionFactories.get(server.r2dbcUrl()).create()).block(atMost);
        return new Client(java.util.Objects.requireNonNull(connection));
    }

    String query(String sql) {
        return query(sql, LIMIT);
    }

    String query(String sql, Duration atMost) {
        return String.valueOf(start(sql).block(atMost));
    }

    /** Sends the statement when subscribed to. */
    Mono<String> start(String sql) {
        return Flux.from(connection.createStatement(sql).execute())
                .flatMap(result -> result.map(row -> String.valueOf(row.get(0))))
                .next();
    }

    @Override
    public void close() {
        Mono.from(connection.close()).onErrorComplete().block(LIMIT);
    }
}
