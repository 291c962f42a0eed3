package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.github.r2dbcrouting.test.Side;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import io.r2dbc.spi.R2dbcRollbackException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A read that has brought nothing yet survives its server; nothing else is ever sent twice. */
@PostgresClusterTest(
        replicas = 2,
        settings = {"max_standby_streaming_delay=0", "deadlock_timeout=100ms"})
class MovingReadsIT {

    /** Says where it runs, so that a test can find it there, and brings its only row at its end. */
    private static final String SLOW =
            "SELECT 'end' FROM (SELECT pg_sleep(CASE WHEN pg_is_in_recovery() THEN 30 ELSE 0 END) OFFSET 0) AS s";

    private static final String SLOW_BOUND = SLOW + " WHERE $1 = 1";

    private final PostgresCluster cluster;
    private RoutingConnectionFactory factory;

    MovingReadsIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void open() {
        cluster.primary().execute("CREATE TABLE note (id int)");
        cluster.primary().execute("INSERT INTO note SELECT generate_series(1, 1000)");
        cluster.awaitReplayed();
        factory = Factories.ready(Factories.over(cluster).retries(2));
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    @Test
    void movesAReadWhoseBackendIsEnded() {
        for (String sql : List.of(SLOW, SLOW_BOUND)) {
            CompletableFuture<List<String>> read = start(sql);

            endWhereverItRuns(read);

            assertThat(read.join()).containsExactly("end");
        }
        assertEverythingIsBack();
    }

    @Test
    void movesAReadWhoseServerStops() {
        CompletableFuture<List<String>> read = start(SLOW_BOUND);
        PostgresServer first = awaitRunning(read);

        first.stop();
        endWhereverItRuns(read);

        assertThat(read.join()).containsExactly("end");
        assertEverythingIsBack();
    }

    @Test
    void movesAReadThatReplicationCancels() {
        for (String column : List.of("c1", "c2")) {
            cluster.awaitReplayed();
            // sleeps until it is cancelled, and not where what cancelled it has been replayed already
            String sql = "SELECT 'end' FROM (SELECT pg_sleep(CASE WHEN pg_is_in_recovery() AND NOT EXISTS"
                    + " (SELECT FROM pg_attribute WHERE attname = '" + column + "') THEN 30 ELSE 0 END) OFFSET 0) AS s"
                    + " WHERE (SELECT count(*) FROM note) > 0" + (column.equals("c2") ? " AND $1 = 1" : "");
            CompletableFuture<List<String>> read = start(sql);
            var unused = awaitRunning(read);

            cluster.primary().execute("ALTER TABLE note ADD COLUMN " + column + " int");

            await().untilAsserted(() -> assertThat(read).isDone());
            assertThat(read.join()).containsExactly("end");
        }
        assertEverythingIsBack();
    }

    @Test
    void doesNotRepeatAReadThatHasBroughtARow() {
        CompletableFuture<String> firstRow = new CompletableFuture<>();
        Mono<Void> read = Flux.usingWhen(
                        factory.create(),
                        connection -> Queries.rows(
                                        connection,
                                        "SELECT n FROM generate_series(1, 100000) AS n"
                                                + " WHERE n < 50000 OR pg_sleep(30) IS NOT NULL")
                                .doOnNext(firstRow::complete),
                        Connection::close)
                .then()
                .contextWrite(Routing.read());
        CompletableFuture<Void> running = read.toFuture();
        firstRow.join();

        endBackends("generate_series");

        assertThatThrownBy(running::join).hasCauseInstanceOf(R2dbcException.class);
        assertEverythingIsBack();
    }

    @FailsWithout(Safeguard.SAFE_RETRIES)
    @Test
    void bringsNoRowTwice(Safeguards safeguards) {
        reopen(safeguards);
        Queue<String> rows = new ConcurrentLinkedQueue<>();
        String sql = "SELECT n FROM generate_series(1, 5000) AS n WHERE n < 5000 OR NOT pg_is_in_recovery()"
                + " OR pg_sleep(30) IS NOT NULL";
        CompletableFuture<Void> read = Flux.usingWhen(
                        factory.create(),
                        connection -> Queries.rows(connection, sql).doOnNext(rows::add),
                        Connection::close)
                .then()
                .contextWrite(Routing.read())
                .toFuture();
        await().until(() -> !rows.isEmpty());

        await().until(() -> {
            endBackends("generate_series");
            return read.isDone();
        });

        assertThat(rows).doesNotHaveDuplicates();
        assertThatThrownBy(read::join).hasCauseInstanceOf(R2dbcException.class);
    }

    @FailsWithout(Safeguard.SAFE_RETRIES)
    @Test
    void executesAWriteWhoseAnswerIsLostOnce(Safeguards safeguards) {
        reopen(safeguards);
        cluster.primary().execute("CREATE TABLE paid (amount int)");
        CompletableFuture<Void> write = Queries.update(
                        factory, "INSERT INTO paid SELECT 1 FROM (SELECT pg_sleep(0.2)) AS s")
                .toFuture();
        await().until(() -> backends(cluster.primary(), "INSERT INTO paid") == 1);

        cluster.primary().isolate(Side.CLIENTS);
        await().until(() -> paid() == 1);
        cluster.primary().proxy().resetConnections();
        cluster.primary().reconnect();

        assertThat(write.handle((done, error) -> error).join())
                .as("what the writer is told: nobody knows whether it has happened")
                .isInstanceOf(R2dbcNonTransientResourceException.class);
        assertThat(paid()).as("rows of one write").isEqualTo(1);
    }

    @Test
    void doesNotRepeatAReadInsideATransaction() {
        CompletableFuture<List<String>> read = Mono.usingWhen(
                        factory.create(),
                        connection -> Mono.from(connection.beginTransaction(new ReadOnly(true)))
                                .thenMany(Queries.rows(connection, SLOW))
                                .collectList(),
                        Connection::close)
                .contextWrite(Routing.read())
                .toFuture();
        var unused = awaitRunning(read);

        endBackends("pg_sleep");

        assertThatThrownBy(read::join).hasCauseInstanceOf(R2dbcException.class);
        assertEverythingIsBack();
    }

    @Test
    void doesNotRepeatAWrite() {
        cluster.primary().execute("CREATE SEQUENCE tries");
        CompletableFuture<Void> write = Queries.update(
                        factory, "INSERT INTO note SELECT nextval('tries') FROM pg_sleep(30)")
                .toFuture();
        await().until(() -> backends(cluster.primary(), "pg_sleep") == 1);

        cluster.primary().execute(endBackendsSql("pg_sleep"));

        assertThatThrownBy(write::join).hasCauseInstanceOf(R2dbcException.class);
        assertThat(backends(cluster.primary(), "pg_sleep")).isZero();
        assertEverythingIsBack();
    }

    @Test
    void doesNotRepeatAReadWhereNoRetriesAreWanted() {
        RoutingConnectionFactory steady =
                Factories.ready(Factories.over(cluster).retries(0));
        CompletableFuture<List<String>> read = Queries.rows(steady, SLOW + ", (SELECT count(*) FROM note) AS n")
                .contextWrite(Routing.read())
                .toFuture();
        var unused = awaitRunning(read);

        cluster.primary().execute("ALTER TABLE note ADD COLUMN c int");

        assertThatThrownBy(read::join).hasCauseInstanceOf(R2dbcRollbackException.class);
        Blocking.run(steady.close());
    }

    private int paid() {
        return Integer.parseInt(cluster.primary().query("SELECT count(*)::text FROM paid"));
    }

    private void reopen(Safeguards safeguards) {
        Blocking.run(factory.close());
        factory = Factories.ready(Factories.over(cluster, safeguards).retries(2));
    }

    private CompletableFuture<List<String>> start(String sql) {
        Object[] values = sql.contains("$1") ? new Object[] {1} : new Object[0];
        return Queries.rows(factory, sql, values).contextWrite(Routing.read()).toFuture();
    }

    private PostgresServer awaitRunning(CompletableFuture<?> read) {
        return await().until(
                        () -> cluster.replicas().stream()
                                .filter(PostgresServer::isRunning)
                                .filter(replica -> backends(replica, "pg_sleep") > 0)
                                .findFirst()
                                .orElse(null),
                        found -> found != null || read.isDone());
    }

    /** On one replica after the other, until it has come to the primary, where it does not sleep. */
    private void endWhereverItRuns(CompletableFuture<?> read) {
        await().until(() -> {
            endBackends("pg_sleep");
            return read.isDone();
        });
    }

    private void endBackends(String text) {
        cluster.replicas().stream()
                .filter(PostgresServer::isRunning)
                .forEach(replica -> replica.execute(endBackendsSql(text)));
    }

    private static String endBackendsSql(String text) {
        return "SELECT pg_terminate_backend(pid) FROM pg_stat_activity" + where(text);
    }

    private static int backends(PostgresServer server, String text) {
        return Integer.parseInt(server.query("SELECT count(*)::text FROM pg_stat_activity" + where(text)));
    }

    private static String where(String text) {
        return " WHERE state = 'active' AND pid <> pg_backend_pid() AND query LIKE '%" + text + "%'";
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
