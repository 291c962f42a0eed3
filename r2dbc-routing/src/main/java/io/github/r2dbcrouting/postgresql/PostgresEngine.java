package io.github.r2dbcrouting.postgresql;

import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.spi.Engine;
import io.github.r2dbcrouting.spi.HistoryMark;
import io.github.r2dbcrouting.spi.Introduction;
import io.github.r2dbcrouting.spi.Observation;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import io.github.r2dbcrouting.spi.StatementText;
import io.github.r2dbcrouting.spi.StoredTopology;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import io.r2dbc.spi.R2dbcTransientResourceException;
import io.r2dbc.spi.Readable;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * How is PostgreSQL asked what routing needs to know? Servers from version 14 on are understood.
 *
 * @since 0.1.0
 */
public final class PostgresEngine implements Engine {

    /**
     * The role is read once, in a subquery that the planner may not flatten, so that a promotion in the middle cannot
     * give a replica's role to a primary's position. A replica's replay position stays what it was at the promotion,
     * so the other way round is harmless.
     *
     * <p>The flush position, not the insert position: that one may lie in records of other sessions which no replica
     * gets before they are flushed. The timeline of a primary is the one that it writes on; the control file lags
     * behind a fast promotion. The timeline of a replica is the one that it receives, readable with
     * {@code pg_read_all_stats}, or else at least the one of its last restart point.
     */
    private static final String OBSERVED = """
        recovering,
        CASE WHEN recovering THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END::text,
        CASE WHEN recovering
          THEN greatest((SELECT received_tli FROM pg_stat_wal_receiver), (pg_control_checkpoint()).timeline_id)
          ELSE ('x' || substr(pg_walfile_name(pg_current_wal_flush_lsn()), 1, 8))::bit(32)::int END,
        pg_conf_load_time()::text,
        NOT recovering OR EXISTS (SELECT FROM pg_stat_wal_receiver WHERE received_tli IS NOT NULL),
        CASE WHEN NOT recovering THEN pg_last_wal_replay_lsn() END::text,
        NOT recovering OR coalesce(pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn(), false)\
        """;

    /**
     * A parameter makes the driver prepare the statement: parsing and planning it anew cost the server three times as
     * much as running it.
     */
    private static final String ALWAYS = " WHERE $1 = 0";

    private static final String FROM_ROLE = " FROM (SELECT pg_is_in_recovery() AS recovering OFFSET 0) AS role";
    private static final String OBSERVE = "SELECT " + OBSERVED + FROM_ROLE + ALWAYS;

    /**
     * A primary stays one, on its timeline, as long as its process lives: only a replica's role changes under a
     * connection. Were it a replica after all, this would be an error.
     */
    private static final String OBSERVE_PRIMARY =
            "SELECT pg_current_wal_flush_lsn()::text, pg_conf_load_time()::text" + ALWAYS;

    private static final String INTRODUCE = "SELECT " + OBSERVED
            + ", (SELECT system_identifier::text FROM pg_control_system()), pg_postmaster_start_time()::text,"
            + " pg_backend_pid()::text, current_setting('synchronous_commit')"
            + FROM_ROLE;

    /**
     * Flushed by the call itself. It returns where the mark ends: behind everything that was written before, and at the
     * end of a record, where the flush position may again lie inside a record of another session. The fourth argument
     * came with version 17.
     *
     * <p>Where everything that was written is flushed no mark is needed, and none is made: sessions that read from an
     * idle primary would otherwise move its position on with each read, and replicas would never be where they are.
     */
    private static final String NUDGE = "SELECT mark::text, pg_conf_load_time()::text"
            + " FROM (SELECT CASE WHEN pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn()"
            + " THEN pg_current_wal_flush_lsn() ELSE pg_logical_emit_message(false, '', '', true) END AS mark"
            + " OFFSET 0) AS nudge";

    /** Assigns a transaction id, so that its commit waits for the flush that the setting asks for. */
    private static final String NUDGE_BEFORE_17 =
            "BEGIN; SET LOCAL synchronous_commit = local; SELECT pg_logical_emit_message(true, '', '')::text,"
                    + " pg_conf_load_time()::text; COMMIT";

    /** Behind every commit, on disk or not: not where replicas come soon, but sound where a nudge is refused. */
    private static final String OBSERVE_INSERTED =
            "SELECT pg_current_wal_insert_lsn()::text, pg_conf_load_time()::text";

    /** No position that was ever read from this primary lies beyond: not a flushed one, and not a replica's. */
    private static final String INSERTED = "SELECT pg_current_wal_insert_lsn()::text";

    /** Asked first: a refusal would leave a line in the server's log with every connection of a monitor. */
    private static final String MAY_READ_FILES = "SELECT has_function_privilege('pg_read_file(text)', 'EXECUTE')::text";

    /** Of all functions of a name in a schema: aggregates, window functions and procedures are none that only read. */
    private static final String FUNCTIONS = """
        SELECT nspname::text, proname::text, bool_and(prokind = 'f' AND provolatile IN ('i', 's')),
          EXISTS (SELECT FROM pg_proc AS own
            WHERE own.proname = pg_proc.proname AND own.pronamespace = 'pg_catalog'::regnamespace)
        FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
        WHERE left(nspname, 3) <> 'pg_' AND nspname <> 'information_schema'
        GROUP BY nspname, proname\
        """;

    private static final String UNDEFINED_FUNCTION = "42883";

    /** What {@code pg_xact_status} says of a transaction whose number has not been given to any yet. */
    private static final String NOT_NUMBERED_YET = "22023";

    private final Functions functions;
    private final StatementTexts texts;

    /** Creates an engine that knows the built-in functions only. */
    public PostgresEngine() {
        this(Set.of());
    }

    /**
     * Creates an engine that knows functions of the application's own.
     *
     * @param readOnlyFunctions functions that change nothing, each as {@code schema.name} or {@code name}: that is how
     *     calls of it are written. Folded to lower case, like names without quotes
     * @throws IllegalArgumentException if one of them is no name
     */
    public PostgresEngine(Set<String> readOnlyFunctions) {
        Set<Functions.Name> names =
                readOnlyFunctions.stream().map(Functions::parse).collect(Collectors.toUnmodifiableSet());
        this.functions = Functions.builtIn().with(names);
        this.texts = new StatementTexts(functions);
    }

    @Override
    public String productName() {
        return "PostgreSQL";
    }

    @Override
    public Mono<Introduction> introduce(Connection connection) {
        return one(connection, INTRODUCE, row -> {
            String cluster = ClusterNames.shared(text(row, 7));
            Observation observation = observation(row, cluster);
            return new Introduction(
                    new ServerIdentity(cluster, text(row, 8)), observation, text(row, 9), !"off".equals(text(row, 10)));
        });
    }

    @Override
    public Mono<Observation> observe(Connection connection, Introduction introduction) {
        if (introduction.observation().role() == ServerRole.PRIMARY) {
            return prepared(connection, OBSERVE_PRIMARY, row -> primary(introduction, row, false));
        }
        return prepared(
                connection,
                OBSERVE,
                row -> observation(row, introduction.identity().cluster()));
    }

    @Override
    public Mono<List<Position>> ancestors(Connection connection, Introduction introduction) {
        long timeline = introduction.observation().branch();
        if (introduction.observation().role() != ServerRole.PRIMARY || timeline <= 1) {
            return Mono.just(List.of());
        }
        String cluster = introduction.identity().cluster();
        return one(connection, MAY_READ_FILES, row -> text(row, 0))
                .filter("true"::equals)
                .flatMap(may -> one(
                        connection,
                        String.format(Locale.ROOT, "SELECT pg_read_file('pg_wal/%08X.history')", timeline),
                        row -> TimelineHistory.ends(cluster, text(row, 0))))
                .onErrorResume(error -> !connectionLost(error), error -> Mono.empty())
                .defaultIfEmpty(List.of());
    }

    /** Functions that were taken away from everybody, or that something else took the name of, leave no way. */
    @Override
    public Mono<HistoryMark> mark(Connection connection, Introduction introduction) {
        return Mono.defer(() -> {
            List<Boolean> drawn = CommitPattern.draw();
            return Flux.from(connection
                            .createStatement(CommitPattern.statements(drawn))
                            .execute())
                    .concatMap(result -> result.map((row, metadata) -> text(row, 0)))
                    .collectList()
                    .map(answers -> new HistoryMark(
                            WalPosition.of(
                                    introduction.identity().cluster(),
                                    (int) introduction.observation().branch(),
                                    answers.get(drawn.size())),
                            CommitPattern.of(drawn, answers).text()))
                    .onErrorResume(
                            error -> !connectionLost(error),
                            error -> run(connection, "ROLLBACK")
                                    .then(isAccessRuleViolation(error) ? Mono.empty() : Mono.error(error)));
        });
    }

    @Override
    public Mono<Boolean> bears(Connection connection, HistoryMark mark) {
        return Flux.defer(() -> {
                    CommitPattern pattern = CommitPattern.parse(mark.signature());
                    return connection
                            .createStatement(CommitPattern.CHECK)
                            .bind(0, pattern.transactions())
                            .bind(1, pattern.statuses())
                            .execute();
                })
                .concatMap(result -> result.map((row, metadata) -> List.of(text(row, 0), text(row, 1))))
                .single()
                .filter(answer -> answer.get(1).equals("false"))
                .map(answer -> answer.get(0).equals("true"))
                .onErrorResume(error -> NOT_NUMBERED_YET.equals(state(error)), error -> Mono.just(false));
    }

    private static boolean isAccessRuleViolation(Throwable error) {
        String state = state(error);
        return state != null && state.startsWith("42");
    }

    @Override
    public Mono<Observation> nudgeAndObserve(Connection connection, Introduction introduction) {
        return one(connection, NUDGE, row -> primary(introduction, row, false))
                .onErrorResume(
                        error -> UNDEFINED_FUNCTION.equals(state(error)),
                        error -> one(connection, NUDGE_BEFORE_17, row -> primary(introduction, row, false)))
                .onErrorResume(
                        error -> !connectionLost(error),
                        error -> one(connection, OBSERVE_INSERTED, row -> primary(introduction, row, true)));
    }

    private static Observation primary(Introduction introduction, Readable row, boolean inserted) {
        long branch = introduction.observation().branch();
        WalPosition position = position(introduction.identity().cluster(), (int) branch, row.get(0, String.class));
        return new Observation(
                ServerRole.PRIMARY,
                inserted && position != null ? position.withoutPageHeader() : position,
                branch,
                text(row, 1));
    }

    @Override
    public Mono<Position> end(Connection connection, Introduction introduction) {
        String cluster = introduction.identity().cluster();
        int timeline = (int) introduction.observation().branch();
        return one(connection, INSERTED, row -> WalPosition.of(cluster, timeline, text(row, 0)));
    }

    @Override
    public Mono<Boolean> backendGone(Connection connection, String backend) {
        int pid = Integer.parseInt(backend);
        return one(
                connection,
                "SELECT count(*) FROM pg_stat_activity WHERE pid = " + pid,
                row -> text(row, 0).equals("0"));
    }

    @Override
    public Mono<StoredTopology> storedTopology(Connection connection) {
        return RoutingSchema.read(connection);
    }

    @Override
    public Mono<Void> drain(Connection connection) {
        return run(connection, "SELECT 1").onErrorResume(error -> !connectionLost(error), error -> Mono.empty());
    }

    @Override
    public Mono<Void> resetTimeouts(Connection connection) {
        return run(connection, "RESET statement_timeout; RESET lock_timeout");
    }

    @Override
    public StatementText read(String sql) {
        return texts.read(sql);
    }

    @Override
    public void learnWrite(String sql) {
        texts.learnWrite(sql);
    }

    @Override
    public Mono<Void> learnFunctions(Connection connection) {
        return Flux.defer(() -> connection.createStatement(FUNCTIONS).execute())
                .concatMap(result -> result.map((row, metadata) -> new Functions.Catalogued(
                        text(row, 0),
                        text(row, 1),
                        Boolean.TRUE.equals(row.get(2, Boolean.class)),
                        Boolean.TRUE.equals(row.get(3, Boolean.class)))))
                .collectList()
                .doOnNext(catalogued -> texts.know(functions.with(catalogued)))
                .then();
    }

    @Override
    public boolean sentAtOnce(StatementText text) {
        return text.parameters() == 0;
    }

    @Override
    public boolean connectionLost(Throwable error) {
        String state = state(error);
        // 08: connection exceptions; 57P: shutdown, crash of another backend, starting up, idle timeout
        return state == null || state.startsWith("08") || state.startsWith("57P");
    }

    /**
     * The first covers what would write, including a function called by a {@code SELECT}. The others also stand for much
     * else, so they are known by their text, if the server speaks English: elsewhere the error is passed on.
     */
    @Override
    public boolean needsPrimary(Throwable error) {
        String state = state(error);
        return READ_ONLY.equals(state)
                || (NOT_SUPPORTED.equals(state) && (says(error, "during recovery") || says(error, "in a hot standby")))
                || (NOT_IN_STATE.equals(state) && says(error, "recovery is in progress"));
    }

    private static final String READ_ONLY = "25006";
    private static final String NOT_SUPPORTED = "0A000";
    private static final String NOT_IN_STATE = "55000";

    /**
     * The driver has no SQLSTATE for connections that break. Outside a transaction a replica has no serialization
     * failures but conflicts with recovery, at severity {@code ERROR} or {@code FATAL}. Where recovery waits for a session
     * that waits for recovery, whoever finds out first ends it: recovery as such a conflict, the session as a deadlock. No
     * read alone deadlocks with anybody else there, and on a primary it may as well be run again.
     */
    @Override
    public boolean anotherServerMay(Throwable error) {
        String state = state(error);
        if (state == null) {
            return error instanceof R2dbcNonTransientResourceException
                    || error instanceof R2dbcTransientResourceException
                    || error instanceof IOException;
        }
        return state.startsWith("08")
                || state.startsWith("57P")
                || SERIALIZATION_FAILURE.equals(state)
                || DEADLOCK.equals(state);
    }

    private static final String SERIALIZATION_FAILURE = "40001";
    private static final String DEADLOCK = "40P01";

    private static boolean says(Throwable error, String words) {
        String message = error.getMessage();
        return message != null && message.contains(words);
    }

    private static @Nullable String state(Throwable error) {
        return error instanceof R2dbcException r2dbc ? r2dbc.getSqlState() : null;
    }

    private static Observation observation(Readable row, String cluster) {
        boolean recovering = Boolean.TRUE.equals(row.get(0, Boolean.class));
        String lsn = row.get(1, String.class);
        Integer timeline = row.get(2, Integer.class);
        return new Observation(
                recovering ? ServerRole.REPLICA : ServerRole.PRIMARY,
                position(cluster, timeline, lsn),
                timeline == null ? 0 : timeline,
                Boolean.TRUE.equals(row.get(4, Boolean.class)),
                recovering || timeline == null ? null : position(cluster, timeline - 1, row.get(5, String.class)),
                Boolean.TRUE.equals(row.get(6, Boolean.class)),
                text(row, 3));
    }

    private static @Nullable WalPosition position(String cluster, @Nullable Integer timeline, @Nullable String lsn) {
        return timeline == null || timeline < 1 || lsn == null ? null : WalPosition.of(cluster, timeline, lsn);
    }

    private static String text(Readable row, int column) {
        String value = row.get(column, String.class);
        if (value == null) {
            throw new IllegalStateException("the server answered null in column " + column + " of the routing query");
        }
        return value;
    }

    private static <T> Mono<T> prepared(Connection connection, String sql, Function<Row, T> mapping) {
        return Flux.defer(() -> connection.createStatement(sql).bind(0, 0).execute())
                .concatMap(result -> result.map((row, metadata) -> mapping.apply(row)))
                .single();
    }

    private static <T> Mono<T> one(Connection connection, String sql, Function<Row, T> mapping) {
        return Flux.defer(() -> connection.createStatement(sql).execute())
                .concatMap(result -> result.map((row, metadata) -> mapping.apply(row)))
                .single();
    }

    private static Mono<Void> run(Connection connection, String sql) {
        return Flux.defer(() -> connection.createStatement(sql).execute())
                .concatMap(Result::getRowsUpdated)
                .then();
    }
}
