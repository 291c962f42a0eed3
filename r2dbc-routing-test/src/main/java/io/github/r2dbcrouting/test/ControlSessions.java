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
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import reactor.core.publisher.Mono;

/**
 * How does this module talk to a server, past the proxy? Blocking; the calling thread must not be one of Reactor's.
 *
 * <p>A replica cancels what is in the way of its replay. Whoever has just let it go on does not want to hear of that, so
 * what was cancelled for it is sent again, in another session.
 */
final class ControlSessions implements AutoCloseable {

    /** Tells our own sessions from those of the application in {@code pg_stat_activity}. */
    static final String APPLICATION_NAME = "r2dbc-routing-test";

    /** How often a statement is sent at most. Each conflict is with another record, so replay moves on between them. */
    static final int ATTEMPTS = 20;

    private static final Duration LIMIT = Duration.ofSeconds(60);

    /**
     * The SQLSTATEs of a conflict with recovery, {@code serialization_failure} and {@code deadlock_detected}: the latter
     * where a session waits for recovery that waits for it, or holds a page that recovery wants. A replica, which nobody
     * writes to, has no others of the kind; on a primary they are somebody's concern.
     */
    private static final Set<String> CONFLICTS = Set.of("40001", "40P01");

    private final BooleanSupplier replica;
    private final PostgresqlConnectionFactory factory;
    private final Deque<PostgresqlConnection> idle = new ConcurrentLinkedDeque<>();

    /** Opens nothing yet; {@code replica} tells at any time whether the server is one. */
    ControlSessions(Credentials credentials, InetSocketAddress address, BooleanSupplier replica) {
        this.replica = replica;
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

    /** What {@code psql -At} would print. Sent again after a conflict with recovery. */
    String query(String sql) {
        return despiteConflicts(() -> inSession(connection -> rows(connection, sql)));
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

    /**
     * Runs statements, each of which may be several in one transaction, in the same session; results are dropped. After a
     * conflict with recovery all of them are sent again.
     */
    void execute(String... statements) {
        boolean unused = despiteConflicts(() -> inSession(connection -> {
            for (String sql : statements) {
                String unusedRows = rows(connection, sql);
            }
            return true;
        }));
    }

    /** Runs work that needs one session for several statements, once. */
    <T> T inSession(Function<PostgresqlConnection, T> work) {
        PostgresqlConnection connection = borrow();
        boolean reusable = false;
        try {
            T result = work.apply(connection);
            reusable = forgets(connection);
            return result;
        } finally {
            if (reusable) {
                idle.push(connection);
            } else {
                connection.close().onErrorComplete().block(LIMIT);
            }
        }
    }

    /** What a test has SET must not reach the next one; that it could not be undone is no reason to lose the result. */
    private boolean forgets(PostgresqlConnection connection) {
        try {
            String unused = rows(connection, "DISCARD ALL");
            return true;
        } catch (R2dbcException e) {
            if (isConflictWithRecovery(e)) {
                return false;
            }
            throw e;
        }
    }

    private <T> T despiteConflicts(Supplier<T> work) {
        for (int attempt = 1; attempt < ATTEMPTS; attempt++) {
            try {
                return work.get();
            } catch (R2dbcException e) {
                if (!isConflictWithRecovery(e)) {
                    throw e;
                }
            }
        }
        return work.get();
    }

    private boolean isConflictWithRecovery(R2dbcException error) {
        String state = error.getSqlState();
        return state != null && CONFLICTS.contains(state) && replica.getAsBoolean();
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
