package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.spi.LoadBalancer;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.postgresql.api.PostgresqlException;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Replication comes first on a replica: it cancels a query, or ends its connection, or does either to a connection that
 * is just being opened. A read moves on; what is inside a transaction does not.
 */
@PostgresClusterTest(
        replicas = 2,
        settings = {"max_standby_streaming_delay=0", "deadlock_timeout=100ms"})
class RecoveryConflictsIT {

    private static final String CONFLICT = "40001";

    /** A session that waits for recovery, which waits for it, may find that out first. */
    private static final String DEADLOCK = "40P01";

    /** What every connection reads as it starts, the table first and then its index. */
    private static final String ROLE_SETTINGS = "pg_db_role_setting";

    private static final String ROLE_SETTINGS_INDEX = "pg_db_role_setting_databaseid_rol_index";

    private final PostgresCluster cluster;
    private final PostgresServer first;
    private final PostgresServer second;
    private final Queue<String> asked = new ConcurrentLinkedQueue<>();
    private RoutingConnectionFactory factory;
    private int columns;

    RecoveryConflictsIT(PostgresCluster cluster) {
        this.cluster = cluster;
        this.first = cluster.replica(0);
        this.second = cluster.replica(1);
    }

    /** How replication gets rid of a query that reads the table and then sleeps, on a replica. */
    enum Form {
        ERROR("SELECT naps()", "ERROR"),

        /** Inside a subtransaction, as every block with exceptions is one, an error would not be enough. */
        FATAL("SELECT naps_in_a_block()", "FATAL");

        private final String sql;
        private final String severity;

        Form(String sql, String severity) {
            this.sql = sql;
            this.severity = severity;
        }
    }

    @BeforeEach
    void open() {
        cluster.primary().execute("CREATE TABLE note (id int)");
        cluster.primary().execute("""
                CREATE FUNCTION naps() RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN
                  PERFORM count(*) FROM note;
                  IF pg_is_in_recovery() THEN PERFORM pg_sleep(30); END IF;
                  RETURN 'end';
                END $$""");
        cluster.primary().execute("""
                CREATE FUNCTION naps_in_a_block() RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN
                  BEGIN RETURN naps(); EXCEPTION WHEN division_by_zero THEN RETURN 'never'; END;
                END $$""");
        cluster.awaitReplayed();
        factory = Factories.ready(RoutingConnectionFactory.builder()
                .server("db0", cluster.primary().r2dbcUrl())
                .server("db1", first.r2dbcUrl(), "first")
                .server("db2", second.r2dbcUrl())
                .policy("first", "tags(first); halt();")
                .loadBalancer(RecoveryConflictsIT::firstByName)
                .retries(1)
                .listener(decision -> asked.add(String.valueOf(decision.server()))));
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    @EnumSource
    @ParameterizedTest
    void movesAReadToAnotherReplicaOnce(Form form) {
        CompletableFuture<List<String>> read = start(form.sql, Routing.read());

        awaitRunning(first, read);
        conflict();
        awaitRunning(second, read);
        assertThat(read).isNotDone();
        conflict();

        PostgresqlException error = (PostgresqlException) failure(read);
        assertThat(error.getErrorDetails().getCode()).isEqualTo(CONFLICT);
        assertThat(error.getErrorDetails().getSeverityNonLocalized()).isEqualTo(form.severity);
        assertThat(asked).as("where it was sent").containsExactly("db1", "db2");
        assertEverythingIsBack();
    }

    @EnumSource
    @ParameterizedTest
    void bringsTheAnswerOfTheOtherReplica(Form form) {
        second.pauseReplay();
        CompletableFuture<List<String>> read = start(
                "SELECT CASE WHEN pg_postmaster_start_time()::text = '" + started(first) + "' THEN "
                        + form.sql.replace("SELECT ", "") + " ELSE 'the other' END",
                Routing.read());

        awaitRunning(first, read);
        conflict();

        assertThat(read.join()).containsExactly("the other");
        assertThat(asked).containsExactly("db1", "db2");
        assertEverythingIsBack();
    }

    @EnumSource
    @ParameterizedTest
    void leavesAReadInsideATransactionWhereItWas(Form form) {
        CompletableFuture<List<String>> read = Mono.usingWhen(
                        factory.create(),
                        connection -> Mono.from(connection.beginTransaction(new ReadOnly(true)))
                                .thenMany(Queries.rows(connection, form.sql))
                                .collectList(),
                        Connection::close)
                .contextWrite(Routing.read())
                .toFuture();

        awaitRunning(first, read);
        conflict();

        assertThat(failure(read)).isInstanceOf(R2dbcException.class);
        assertThat(asked).containsExactly("db1");
        assertEverythingIsBack();
    }

    @Test
    void endsATransactionThatIsIdleAndRepeatsNothingOfIt() {
        CompletableFuture<Void> goOn = new CompletableFuture<>();
        CompletableFuture<List<String>> begun = new CompletableFuture<>();
        CompletableFuture<List<String>> transaction = Mono.usingWhen(
                        factory.create(),
                        connection -> Mono.from(connection.beginTransaction(new ReadOnly(true)))
                                .thenMany(Queries.rows(connection, "SELECT count(*) FROM note"))
                                .collectList()
                                .doOnNext(begun::complete)
                                .then(Mono.fromFuture(goOn))
                                .thenMany(Queries.rows(connection, "SELECT 'unseen'"))
                                .collectList(),
                        Connection::close)
                .contextWrite(Routing.read())
                .toFuture();
        assertThat(begun.join()).containsExactly("0");

        conflict();
        await().until(() -> count(first, "pg_stat_activity WHERE state = 'idle in transaction'") == 0);
        goOn.complete(null);

        assertThat(failure(transaction)).isInstanceOf(R2dbcException.class);
        assertThat(asked).containsExactly("db1");
        assertEverythingIsBack();
        assertThat(Blocking.value(Queries.rows(factory, "SELECT 'next'").contextWrite(Routing.read())))
                .containsExactly("next");
        assertThat(asked).containsExactly("db1", "db1");
    }

    @Test
    void movesReadsWhoseConnectionsAreRefusedAsTheyStart() {
        whileNewConnectionsConflict(() -> {
                    List<CompletableFuture<List<String>>> reads = new ArrayList<>();
                    for (int i = 0; i < 4; i++) {
                        reads.add(start("SELECT pg_postmaster_start_time()::text", Routing.read()));
                    }
                    CompletableFuture<List<String>> transaction = Mono.usingWhen(
                                    factory.create(),
                                    connection -> Mono.from(connection.beginTransaction(new ReadOnly(true)))
                                            .thenMany(
                                                    Queries.rows(connection, "SELECT pg_postmaster_start_time()::text"))
                                            .collectList(),
                                    Connection::close)
                            .contextWrite(Routing.read())
                            .toFuture();
                    reads.add(transaction);
                    return reads;
                })
                .forEach(read ->
                        assertThat(read.join()).as("the other replica's").containsExactly(started(second)));

        assertThat(asked).hasSize(10).containsOnly("db1", "db2");
        assertThat(factory.statistics(factory.table().servers().get(1)).ejected())
                .as("whether a replica that lets replication go first is left alone")
                .isFalse();
        assertEverythingIsBack();
    }

    @Test
    void tellsWhyAConnectionWasRefusedWhereNobodyElseMayServe() {
        List<CompletableFuture<List<String>>> reads = whileNewConnectionsConflict(() -> List.of(
                start("SELECT 'unseen'", Routing.read().policy("first")),
                Mono.from(ConnectionFactories.get(first.r2dbcUrl()).create())
                        .map(connection -> List.of("unseen"))
                        .toFuture()));

        for (CompletableFuture<List<String>> read : reads) {
            assertThat(failure(read))
                    .as("through the router, and by the driver alone")
                    .isInstanceOfSatisfying(
                            R2dbcException.class,
                            error -> assertThat(error.getSqlState()).isIn(CONFLICT, DEADLOCK));
        }
        assertThat(asked).containsExactly("db1");
        assertEverythingIsBack();
    }

    /**
     * While a connection to the first replica waits for the one lock in its start, replication wants another one that it
     * holds. The second replica has not heard of either.
     */
    private List<CompletableFuture<List<String>>> whileNewConnectionsConflict(
            Supplier<List<CompletableFuture<List<String>>>> opening) {
        second.pauseReplay();
        Connection locks = Blocking.value(
                Mono.from(ConnectionFactories.get(cluster.primary().r2dbcUrl()).create()));
        try {
            Blocking.run(locks.beginTransaction());
            execute(locks, "REINDEX INDEX " + ROLE_SETTINGS_INDEX);
            execute(locks, FLUSH);
            String onIndex = "pg_locks WHERE relation = '" + ROLE_SETTINGS_INDEX + "'::regclass AND ";
            await().until(() -> count(first, onIndex + "granted AND mode = 'AccessExclusiveLock'") == 1);

            List<CompletableFuture<List<String>>> reads = opening.get();
            await().until(() -> count(first, onIndex + "NOT granted") == reads.size());
            execute(locks, "LOCK TABLE " + ROLE_SETTINGS);
            execute(locks, FLUSH);
            await().until(() -> reads.stream().allMatch(CompletableFuture::isDone));
            return reads;
        } finally {
            Blocking.run(locks.rollbackTransaction());
            Blocking.run(locks.close());
        }
    }

    private static final String FLUSH = "SELECT pg_logical_emit_message(false, '', '', true)";

    private static void execute(Connection connection, String sql) {
        Blocking.run(Flux.from(connection.createStatement(sql).execute()).concatMap(Result::getRowsUpdated));
    }

    /** A lock that no read may hold meanwhile, and that a replica takes when it replays this. */
    private void conflict() {
        cluster.primary().execute("ALTER TABLE note ADD COLUMN c" + columns++ + " int");
    }

    private CompletableFuture<List<String>> start(String sql, Routing routing) {
        return Queries.rows(factory, sql).contextWrite(routing).toFuture();
    }

    private static String started(PostgresServer server) {
        return server.query("SELECT pg_postmaster_start_time()::text");
    }

    private static void awaitRunning(PostgresServer server, CompletableFuture<?> read) {
        await().until(() -> read.isDone()
                || count(server, "pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%naps%'") == 1);
        assertThat(read).as("the read that sleeps on " + server).isNotDone();
    }

    private static int count(PostgresServer server, String rows) {
        return Integer.parseInt(server.query("SELECT count(*)::text FROM " + rows));
    }

    private static Throwable failure(CompletableFuture<?> future) {
        return catchThrowable(future::join).getCause();
    }

    private static int firstByName(LoadBalancer.Candidates candidates, IntUnaryOperator random) {
        int first = 0;
        for (int i = 1; i < candidates.size(); i++) {
            first = candidates.name(i).compareTo(candidates.name(first)) < 0 ? i : first;
        }
        return first;
    }

    private void assertEverythingIsBack() {
        for (String server : List.of("db0", "db1", "db2")) {
            await().untilAsserted(() -> assertThat(
                            factory.pool(server).getMetrics().orElseThrow().acquiredSize())
                    .as(server)
                    .isZero());
        }
    }
}
