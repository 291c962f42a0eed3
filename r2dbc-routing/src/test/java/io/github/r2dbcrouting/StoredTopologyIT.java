package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the tables in the database say of servers and policies is followed by every router. */
@PostgresClusterTest(replicas = 2)
class StoredTopologyIT {

    private static final Duration INTERVAL = Duration.ofMillis(500);

    private final PostgresCluster cluster;
    private final List<RoutingConnectionFactory> routers = new ArrayList<>();
    private final Queue<RoutingEvent> events = new ConcurrentLinkedQueue<>();

    StoredTopologyIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void tables() throws IOException {
        String script = script();
        cluster.primary().execute(script);
        // it changes nothing the second time
        cluster.primary().execute(script);
    }

    @AfterEach
    void close() {
        routers.forEach(router -> Blocking.run(router.close()));
    }

    static String script() throws IOException {
        try (InputStream script =
                Objects.requireNonNull(StoredTopologyIT.class.getResourceAsStream("postgresql/routing-schema.sql"))) {
            return new String(script.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private RoutingConnectionFactory.Builder builder() {
        return Factories.over(cluster).storedTopology(INTERVAL).policy("default", "tags(near); halt()");
    }

    private RoutingConnectionFactory open(RoutingConnectionFactory.Builder builder) {
        RoutingConnectionFactory router = Factories.ready(builder);
        var unused = router.events().subscribe(events::add);
        routers.add(router);
        await().until(() -> router.topology().sources().get(0).age() != null);
        return router;
    }

    private static String chosen(RoutingConnectionFactory router) {
        return router.explain(Routing.read(), CausalSession.create()).server();
    }

    private static Topology.Source source(RoutingConnectionFactory router) {
        return router.topology().sources().get(0);
    }

    @Test
    void retagsAServerForTwoRoutersWithinTwoSecondsByOneUpdate() {
        cluster.primary()
                .execute("INSERT INTO r2dbc_routing.server (name, tags) VALUES ('db1', '{near}'), ('db2', '{}')");
        RoutingConnectionFactory one = open(builder());
        RoutingConnectionFactory other = open(builder());
        assertThat(List.of(chosen(one), chosen(other))).containsOnly("db1");

        long since = System.nanoTime();
        cluster.primary()
                .execute("UPDATE r2dbc_routing.server"
                        + " SET tags = CASE name WHEN 'db1' THEN '{}'::text[] ELSE '{near}' END");
        await().pollInterval(Duration.ofMillis(20))
                .until(() -> "db2".equals(chosen(one)) && "db2".equals(chosen(other)));
        Duration took = Duration.ofNanos(System.nanoTime() - since);

        System.out.println("two routers re-tagged after " + took.toMillis() + " ms");
        assertThat(took).isLessThan(Duration.ofSeconds(2));
        assertThat(Blocking.value(Queries.rows(one, "SELECT inet_server_port()")
                        .contextWrite(Routing.read())
                        .contextWrite(Routing.session(CausalSession.create()))))
                .containsExactly(cluster.replica(1).query("SELECT inet_server_port()::text"));
    }

    @Test
    void changesWeightsAndDisablesServersAndGoesBackToTheBuilderWithoutTheRow() {
        cluster.primary()
                .execute("INSERT INTO r2dbc_routing.server (name, weight, enabled) VALUES ('db1', 2.5, false)");
        RoutingConnectionFactory router = open(builder());

        assertThat(router.topology().servers()).contains(new Topology.Server("db1", List.of(), 2.5, false));
        await().until(() -> router.table().servers().get(1).status() == ServerStatus.DISABLED);

        cluster.primary().execute("DELETE FROM r2dbc_routing.server");
        await().until(() -> router.table().servers().get(1).status() == ServerStatus.UP);
        assertThat(router.table().servers().get(1).weight()).isEqualTo(1);
    }

    @Test
    void addsServersOnlyAtAllowedAddressesAndNeverMovesOnesThatAreKnown() {
        PostgresServer added = cluster.replica(1);
        String evil = "evil.example";
        cluster.primary()
                .execute("INSERT INTO r2dbc_routing.server (name, host, port, tags) VALUES"
                        + " ('db1', '" + evil + "', 5432, '{near}'),"
                        + " ('stranger', '" + evil + "', 5432, '{near}'),"
                        + " ('near-by', '" + added.host() + "', " + (added.port() + 1) + ", '{near}'),"
                        + " ('late', '" + added.host() + "', " + added.port() + ", '{late}')");
        RoutingConnectionFactory router = open(RoutingConnectionFactory.builder()
                .server("db0", cluster.primary().r2dbcUrl())
                .server("db1", cluster.replica(0).r2dbcUrl())
                .storedTopology(INTERVAL)
                .storedServersAt(added.host() + ":" + added.port()));

        await().until(() -> router.table().replicas().size() == 2);

        assertThat(router.serverNames()).containsExactly("db0", "db1", "late");
        assertThat(router.table().replicas()).extracting(ServerState::name).containsExactly("db1", "late");
        assertThat(source(router).problem())
                .contains("server 'stranger' is not added")
                .contains("server 'near-by' is not added");

        cluster.primary().execute("DELETE FROM r2dbc_routing.server WHERE name = 'late'");
        await().until(() -> router.serverNames().equals(List.of("db0", "db1")));
    }

    @Test
    void takesPoliciesFromTheDatabaseAndRefusesABadOneWhole() {
        cluster.primary()
                .execute("INSERT INTO r2dbc_routing.server (name, tags) VALUES ('db1', '{near}'), ('db2', '{far}');"
                        + " INSERT INTO r2dbc_routing.policy VALUES ('default', 'tags(far); halt()')");
        RoutingConnectionFactory router = open(builder());
        assertThat(chosen(router)).isEqualTo("db2");

        cluster.primary().execute("UPDATE r2dbc_routing.policy SET text = 'tags(near); halt('");
        await().until(() -> source(router).problem() != null);
        assertThat(source(router).problem()).contains("the policy 'default' is not followed");
        assertThat(chosen(router)).isEqualTo("db2");
        Blocking.run(reactor.core.publisher.Mono.delay(INTERVAL.multipliedBy(3)));
        assertThat(events)
                .filteredOn(RoutingEvent.TopologyRefused.class::isInstance)
                .hasSize(1);

        cluster.primary().execute("UPDATE r2dbc_routing.policy SET text = 'tags(near); halt()'");
        await().until(() -> "db1".equals(chosen(router)));
        assertThat(source(router).problem()).isNull();

        cluster.primary().execute("UPDATE r2dbc_routing.policy SET text = 'tags(far); halt()'");
        await().until(() -> "db2".equals(chosen(router)));
        cluster.primary().execute("DELETE FROM r2dbc_routing.policy");
        await().until(() -> "db1".equals(chosen(router)));
    }

    @Test
    void keepsWhatItKnowsWhenTheTablesCannotBeReadAndGrowsOlder() {
        cluster.primary().execute("INSERT INTO r2dbc_routing.server (name, tags) VALUES ('db2', '{near}')");
        RoutingConnectionFactory router = open(builder());

        cluster.primary().execute("DROP SCHEMA r2dbc_routing CASCADE");
        await().until(() -> source(router).problem() != null);

        assertThat(source(router).problem()).contains("there are no tables r2dbc_routing.server");
        await().until(() -> source(router).age().compareTo(INTERVAL.multipliedBy(2)) > 0);
        assertThat(chosen(router)).isEqualTo("db2");
    }

    @Test
    void readsFromAReplicaWhileThereIsNoPrimary() {
        cluster.primary().execute("INSERT INTO r2dbc_routing.server (name, tags) VALUES ('db1', '{near}')");
        cluster.awaitReplayed();
        cluster.primary().stop();

        RoutingConnectionFactory router = RoutingConnectionFactory.builder()
                .server("db1", cluster.replica(0).r2dbcUrl())
                .server("db2", cluster.replica(1).r2dbcUrl())
                .storedTopology(INTERVAL)
                .build();
        routers.add(router);
        Blocking.run(router.create());

        await().until(() -> router.topology().servers().get(0).tags().equals(List.of("near")));
    }

    @Test
    void refusesAnAllowListWithoutTables() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Factories.over(cluster).storedServersAt("h").build())
                .withMessageContaining("storedTopology is not set");
    }
}
