package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.pool.PoolMetrics;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Whoever borrows a connection after a statement on it was cancelled finds one that is ready, without a session as well. */
@PostgresClusterTest(replicas = 1)
class CancelledStatementIT {

    private static final String FOR_LONG = "SELECT pg_sleep(600)";

    private final PostgresCluster cluster;
    private RoutingConnectionFactory factory;

    CancelledStatementIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void open() {
        cluster.primary().execute("CREATE TABLE note (id int)");
        cluster.primary().execute("INSERT INTO note VALUES (1)");
        cluster.awaitReplayed();
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder();
        for (PostgresServer server : cluster.servers()) {
            builder.server(
                    "db" + server.number(),
                    server.r2dbcUrl(),
                    spec -> spec.pool(pool -> {
                        var unused = pool.maxSize(1);
                    }));
        }
        factory = Factories.ready(builder);
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    @Test
    void whatWaitsForDataThatNobodySendsIsClosed() {
        String before = backend(Routing.write());

        cancelOnceItRuns(cluster.primary(), "COPY note FROM STDIN", Routing.write());

        assertThat(next(Routing.write())).containsExactly("ready");
        assertThat(backend(Routing.write())).isNotEqualTo(before);
        await().untilAsserted(() -> assertThat(alive(cluster.primary(), before)).isEqualTo("0"));
        assertThat(cluster.primary().query("SELECT count(*)::text FROM note")).isEqualTo("1");
        assertOneConnection("db0");
    }

    @Test
    void whatTakesTooLongIsClosed() {
        String onPrimary = backend(Routing.write());
        String onReplica = backend(Routing.read());
        PostgresServer replica = cluster.replica(0);

        cancelOnceItRuns(cluster.primary(), FOR_LONG, Routing.write());
        cancelOnceItRuns(replica, FOR_LONG, Routing.read());
        awaitNothingLent("db0");
        awaitNothingLent("db1");

        assertThat(next(Routing.write())).containsExactly("ready");
        assertThat(next(Routing.read())).containsExactly("ready");
        assertThat(backend(Routing.write())).isNotEqualTo(onPrimary);
        assertThat(backend(Routing.read())).isNotEqualTo(onReplica);
        assertOneConnection("db0");
        assertOneConnection("db1");
        for (PostgresServer server : List.of(cluster.primary(), replica)) {
            server.query("SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity WHERE query = '"
                    + FOR_LONG + "'");
        }
    }

    @ParameterizedTest
    @CsvSource({"UPDATE note SET id = 2,", "UPDATE note SET id = $1, 2"})
    void whatEndsInTimeIsKept(String sql, @Nullable Integer value) {
        String before = backend(Routing.write());
        Connection other = Blocking.value(
                Mono.from(ConnectionFactories.get(cluster.primary().r2dbcUrl()).create()));
        Blocking.run(other.beginTransaction());
        Blocking.run(Queries.rows(other, "SELECT id FROM note FOR UPDATE"));

        cancelOnceItRuns(cluster.primary(), sql, Routing.write(), value == null ? new Object[0] : new Object[] {value});
        Blocking.run(Mono.from(other.rollbackTransaction()).then(Mono.from(other.close())));

        assertThat(next(Routing.write())).containsExactly("ready");
        assertThat(backend(Routing.write())).isEqualTo(before);
        assertThat(cluster.primary().query("SELECT id::text FROM note")).isEqualTo("2");
        assertOneConnection("db0");
    }

    @Test
    void afterTheFirstRowTheConnectionIsKept() {
        String before = backend(Routing.write());

        Blocking.run(Flux.usingWhen(
                        factory.create(),
                        connection -> Queries.rows(connection, "SELECT * FROM generate_series(1, 1000)"),
                        Connection::close)
                .take(1));

        assertThat(backend(Routing.write())).isEqualTo(before);
        assertOneConnection("db0");
    }

    private void cancelOnceItRuns(PostgresServer server, String sql, Routing where, Object... values) {
        Disposable running =
                Queries.rows(factory, sql, values).contextWrite(where).subscribe();
        await().until(() -> running(server, sql).equals("1"));
        running.dispose();
    }

    private static String running(PostgresServer server, String sql) {
        return server.query(
                "SELECT count(*)::text FROM pg_stat_activity WHERE state = 'active' AND query = '" + sql + "'");
    }

    private static String alive(PostgresServer server, String backend) {
        return server.query("SELECT count(*)::text FROM pg_stat_activity WHERE pid = " + backend);
    }

    private List<String> next(Routing where) {
        return Blocking.value(Queries.rows(factory, "SELECT 'ready'").contextWrite(where));
    }

    private String backend(Routing where) {
        return Blocking.value(Queries.rows(factory, "SELECT pg_backend_pid()").contextWrite(where))
                .get(0);
    }

    /** Closing takes as long as the router gives a statement to end, which is as long as a borrower waits. */
    private void awaitNothingLent(String server) {
        PoolMetrics metrics = factory.pool(server).getMetrics().orElseThrow();
        await(server).atMost(Duration.ofSeconds(30)).until(() -> metrics.acquiredSize() == 0);
    }

    private void assertOneConnection(String server) {
        PoolMetrics metrics = factory.pool(server).getMetrics().orElseThrow();
        await(server).untilAsserted(() -> {
            assertThat(metrics.acquiredSize()).as("lent").isZero();
            assertThat(metrics.pendingAcquireSize()).as("waited for").isZero();
            assertThat(metrics.allocatedSize()).as("open").isEqualTo(1);
        });
    }
}
