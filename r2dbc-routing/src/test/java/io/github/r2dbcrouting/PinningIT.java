package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Result;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What a statement leaves behind in its connection is there for the next statements, and for nobody else. */
@PostgresClusterTest(replicas = 1)
class PinningIT {

    private static final String ROLE = "SELECT CASE WHEN pg_is_in_recovery() THEN 'replica' ELSE 'primary' END";

    private final PostgresCluster cluster;
    private RoutingConnectionFactory factory;

    PinningIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void open() {
        factory = Factories.ready(Factories.over(cluster));
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    @Test
    void staysWithASetting() {
        assertThat(on("SET application_name = 'pinned'", "SHOW application_name"))
                .containsExactly("pinned");
        assertThat(fresh("SHOW application_name")).doesNotContain("pinned");
    }

    @Test
    void staysWithATemporaryTable() {
        assertThat(on("CREATE TEMP TABLE mine AS SELECT 7 AS n", "SELECT n FROM mine"))
                .containsExactly("7");
        assertThat(fresh("SELECT count(*) FROM pg_class WHERE relname = 'mine' AND pg_table_is_visible(oid)"))
                .containsExactly("0");
    }

    @Test
    void staysWithAnAdvisoryLock() {
        String held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 77";

        assertThat(on("SELECT pg_advisory_lock(77)", held)).containsExactly("1");

        await().untilAsserted(() -> assertThat(fresh(held)).containsExactly("0"));
    }

    @Test
    void staysOnThePrimaryInAReadOnlyTransaction() {
        Mono<List<String>> seen = Mono.usingWhen(
                factory.create(),
                connection -> updated(connection, "SET application_name = 'pinned'")
                        .then(Mono.from(connection.beginTransaction(new ReadOnly(true))))
                        .thenMany(Queries.rows(connection, ROLE))
                        .concatWith(Queries.rows(connection, "SHOW application_name"))
                        .concatWith(Queries.rows(connection, "SHOW transaction_read_only"))
                        .collectList(),
                Connection::close);

        assertThat(Blocking.value(seen.contextWrite(Routing.read()))).containsExactly("primary", "pinned", "on");
    }

    @Test
    void readsFromReplicasAgainOnTheNextConnection() {
        var unused = on("SET application_name = 'pinned'", "SHOW application_name");

        assertThat(fresh(ROLE)).containsExactly("primary", "replica");
    }

    @Test
    void keepsTheConnectionWhereNothingIsLeft() {
        String backend = "SELECT pg_backend_pid()";
        String first = Blocking.value(Queries.rows(factory, backend)).get(0);
        String second = Blocking.value(Queries.rows(factory, backend)).get(0);
        assertThat(second).isEqualTo(first);

        var unused = on("SET application_name = 'pinned'", backend);

        assertThat(Blocking.value(Queries.rows(factory, backend))).doesNotContain(first);
    }

    /** A statement that leaves something behind, and then a read on the same connection, under a word for replicas. */
    private List<String> on(String leaving, String read) {
        return Blocking.value(Mono.usingWhen(
                        factory.create(),
                        connection -> Queries.rows(connection, ROLE)
                                .then(updated(connection, leaving))
                                .thenMany(Queries.rows(connection, read))
                                .collectList(),
                        Connection::close)
                .contextWrite(Routing.read()));
    }

    /** What the next borrower of the primary's connection sees, and one of the replica's, where that differs. */
    private List<String> fresh(String read) {
        Set<String> seen = new LinkedHashSet<>(Blocking.value(Queries.rows(factory, read)));
        seen.addAll(Blocking.value(Queries.rows(factory, read).contextWrite(Routing.read())));
        return List.copyOf(seen);
    }

    private static Mono<Void> updated(Connection connection, String sql) {
        return Flux.from(connection.createStatement(sql).execute())
                .concatMap(Result::getRowsUpdated)
                .then();
    }
}
