package io.github.r2dbcrouting.test;

import io.r2dbc.postgresql.PostgresqlConnectionConfiguration;
import io.r2dbc.postgresql.PostgresqlConnectionFactory;
import io.r2dbc.postgresql.api.PostgresqlConnection;
import io.r2dbc.postgresql.api.PostgresqlResult;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.Readable;
import io.r2dbc.spi.ValidationDepth;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import reactor.core.publisher.Mono;

/** How does this module talk to a server, past the proxy? Blocking; the calling thread must not be one of Reactor's. */
final class ControlSessions implements AutoCloseable {

    /** Tells our own sessions from those of the application in {@code pg_stat_activity}. */
    static final String APPLICATION_NAME = "r2dbc-routing-test";

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static final int MOST_CONFLICTS = 50;

    private final PostgresqlConnectionFactory factory;
    private final Deque<PostgresqlConnection> idle = new ConcurrentLinkedDeque<>();

    ControlSessions(Credentials credentials, InetSocketAddress address) {
        factory = new PostgresqlConnectionFactory(PostgresqlConnectionConfiguration.builder()
                .host(address.getHostString())
                .port(address.getPort())
                .username(credentials.user())
                .password(credentials.password())
                .database(credentials.database())
                .applicationName(APPLICATION_NAME)
                .connectTimeout(LIMIT)
                .loopResources(Loops.SHARED)
                .build());
    }

    /** What {@code psql -At} would print. */
    String query(String sql) {
        return despiteRecovery(connection -> rows(connection, sql));
    }

    /** Whether the server accepts connections and answers. */
    boolean answers() {
        try {
            return query("SELECT 1").equals("1");
        } catch (R2dbcException e) {
            // it starts, or recovers
            return false;
        }
    }

    /** Runs statements, each of which may be several in one transaction, in the same session; results are dropped. */
    void execute(String... statements) {
        despiteRecovery(connection -> {
            for (String sql : statements) {
                String unused = rows(connection, sql);
            }
            return true;
        });
    }

    /** What was in the way of a replica's replay has done nothing, and is done again. */
    private <T> T despiteRecovery(Function<PostgresqlConnection, T> work) {
        for (int left = MOST_CONFLICTS; ; left--) {
            try {
                return inSession(work);
            } catch (R2dbcException conflict) {
                String message = String.valueOf(conflict.getMessage());
                if (left == 0 || !message.contains("conflict with recovery")) {
                    throw conflict;
                }
            }
        }
    }

    /** Runs work that needs one session for several statements. */
    <T> T inSession(Function<PostgresqlConnection, T> work) {
        PostgresqlConnection connection = borrow();
        boolean reusable = false;
        try {
            T result = work.apply(connection);
            // what a test has SET must not reach the next one
            rows(connection, "DISCARD ALL");
            reusable = true;
            return result;
        } finally {
            if (reusable) {
                idle.push(connection);
            } else {
                connection.close().onErrorComplete().block(LIMIT);
            }
        }
    }

    static String rows(PostgresqlConnection connection, String sql) {
        return String.join(
                "\n",
                await(connection
                        .createStatement(sql)
                        .execute()
                        .concatMap((PostgresqlResult result) -> result.map(ControlSessions::text))
                        .collectList()));
    }

    private static String text(Readable row) {
        int columns = row instanceof io.r2dbc.spi.Row whole
                ? whole.getMetadata().getColumnMetadatas().size()
                : 0;
        return IntStream.range(0, columns)
                .mapToObj(column -> {
                    Object value = row.get(column);
                    return value == null ? "" : value.toString();
                })
                .collect(Collectors.joining("|"));
    }

    private PostgresqlConnection borrow() {
        PostgresqlConnection connection;
        while ((connection = idle.poll()) != null) {
            if (Boolean.TRUE.equals(connection
                    .validate(ValidationDepth.REMOTE)
                    .onErrorReturn(false)
                    .block(LIMIT))) {
                return connection;
            }
            connection.close().onErrorComplete().block(LIMIT);
        }
        return await(factory.create());
    }

    private static <T> T await(Mono<T> mono) {
        T value = mono.timeout(LIMIT).block();
        if (value == null) {
            throw new ClusterException("The server gave no answer");
        }
        return value;
    }

    @Override
    public void close() {
        PostgresqlConnection connection;
        while ((connection = idle.poll()) != null) {
            connection.close().onErrorComplete().block(LIMIT);
        }
    }
}
