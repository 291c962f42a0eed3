package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.ConnectionFactoryOptions;
import io.r2dbc.spi.R2dbcException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/** Every way into the router ends at real servers: URLs, options, credentials that change, several clusters. */
@PostgresClusterTest(replicas = 1)
class WaysInIT {

    private static final String ROLE = "SELECT CASE WHEN pg_is_in_recovery() THEN 'replica' ELSE 'primary' END";

    private final PostgresCluster cluster;

    WaysInIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @Test
    void routesByAUrlAlone() {
        String hosts = cluster.servers().stream()
                .map(server -> server.host() + ":" + server.port())
                .collect(Collectors.joining(","));
        RoutingConnectionFactory factory =
                (RoutingConnectionFactory) ConnectionFactories.get("r2dbc:routing:postgresql://" + cluster.user() + ":"
                        + cluster.password() + "@" + hosts + "/" + cluster.database()
                        + "?servers=a~eu,b~us&applicationName=by-url&poolMaxSize=3&samplingAtRest=50ms");
        Blocking.run(factory.ready(Duration.ofSeconds(20)));

        assertThat(factory.table().servers())
                .extracting(ServerState::name, ServerState::role, ServerState::tags)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("a", ServerRole.PRIMARY, List.of("eu")),
                        org.assertj.core.groups.Tuple.tuple("b", ServerRole.REPLICA, List.of("us")));
        assertThat(value(factory, ROLE)).isEqualTo("primary");
        assertThat(Blocking.value(Queries.rows(factory, ROLE).contextWrite(Routing.read())))
                .containsExactly("replica");
        assertThat(value(factory, "SHOW application_name")).isEqualTo("by-url");
        Blocking.run(factory.close());
    }

    @Test
    void asksForCredentialsEachTimeAConnectionIsOpened() {
        AtomicInteger asked = new AtomicInteger();
        AtomicReference<Credentials> current = new AtomicReference<>(new Credentials(cluster.user(), "outdated"));
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder()
                .credentials(() -> {
                    asked.incrementAndGet();
                    return current.get();
                });
        for (PostgresServer server : cluster.servers()) {
            builder.server("db" + server.number(), withoutCredentials(server));
        }
        RoutingConnectionFactory factory = builder.build();

        assertThatThrownBy(() -> Blocking.run(factory.ready(Duration.ofMillis(500))))
                .isInstanceOf(NoEligibleServerException.class)
                .hasMessageNotContaining("outdated");

        current.set(new Credentials(cluster.user(), cluster.password()));
        Blocking.run(factory.ready(Duration.ofSeconds(20)));
        // the monitor asks as well, until it has reached the replicas
        await().atMost(Duration.ofMinutes(1))
                .until(() -> factory.table().servers().stream().allMatch(server -> server.status() == ServerStatus.UP));
        int before = asked.get();
        assertThat(value(factory, ROLE)).isEqualTo("primary");
        assertThat(asked.get()).isEqualTo(before + 1);
        // and not for one that is open already
        assertThat(value(factory, ROLE)).isEqualTo("primary");
        assertThat(asked.get()).isEqualTo(before + 1);
        Blocking.run(factory.close());
    }

    @Test
    void prefersAServersOwnCredentialsAndPoolToThoseForAll() {
        RoutingConnectionFactory factory = RoutingConnectionFactory.builder()
                .credentials(() -> new Credentials("nobody", "nothing"))
                .pool(pool -> {
                    var unused = pool.maxSize(4);
                })
                .server(
                        "db0",
                        withoutCredentials(cluster.primary()),
                        spec -> spec.credentials(
                                        Mono.fromSupplier(() -> new Credentials(cluster.user(), cluster.password())))
                                .pool(pool -> {
                                    var unused = pool.maxSize(2);
                                }))
                .server("db1", cluster.replica(0).r2dbcUrl())
                .build();
        Blocking.run(factory.ready(Duration.ofSeconds(20)));

        assertThat(value(factory, ROLE)).isEqualTo("primary");
        assertThat(factory.pool("db0").getMetrics().orElseThrow().getMaxAllocatedSize())
                .isEqualTo(2);
        assertThat(factory.pool("db1").getMetrics().orElseThrow().getMaxAllocatedSize())
                .isEqualTo(4);
        // the source for all stands in place of what the URL says
        assertThat(factory.table().servers().get(1).status()).isNotEqualTo(ServerStatus.UP);
        Blocking.run(factory.close());
    }

    @Test
    void saysWhoseCredentialsCouldNotBeHad() {
        ConnectionFactoryOptions options = withoutCredentials(cluster.primary());

        assertThatThrownBy(() -> Blocking.value(
                        new RotatingCredentials("db0", options, Mono.error(new IllegalStateException("sealed")))
                                .create()))
                .isInstanceOf(R2dbcException.class)
                .hasMessage("the credentials for server 'db0' could not be had")
                .hasRootCauseMessage("sealed");
        assertThatThrownBy(() -> Blocking.value(new RotatingCredentials("db0", options, Mono.empty()).create()))
                .isInstanceOf(R2dbcException.class)
                .hasMessageContaining("'db0'");
    }

    @Test
    void tellsOneRequestWhoServedIt() {
        RoutingConnectionFactory factory = Factories.ready(Factories.over(cluster));
        AtomicReference<RouteDecision> mine = new AtomicReference<>();
        AtomicReference<RouteDecision> others = new AtomicReference<>();

        List<String> role = Blocking.value(
                Queries.rows(factory, ROLE).contextWrite(Routing.read()).contextWrite(Routing.listener(mine::set)));
        Blocking.run(Queries.rows(factory, ROLE).contextWrite(Routing.listener(others::set)));

        assertThat(role).containsExactly("replica");
        assertThat(mine.get().server()).isEqualTo("db1");
        assertThat(others.get().server()).isEqualTo("db0");
        Blocking.run(factory.close());
    }

    @Test
    void letsOneSessionSpanTwoClusters() {
        try (PostgresCluster other = PostgresCluster.builder().replicas(1).start()) {
            cluster.primary().execute("CREATE TABLE here (id int)");
            other.primary().execute("CREATE TABLE there (id int)");
            RoutingConnectionFactory one = Factories.ready(Factories.over(cluster));
            RoutingConnectionFactory two = Factories.ready(Factories.over(other));
            CausalSession session = CausalSession.create();

            Blocking.run(Queries.update(one, "INSERT INTO here VALUES (1)")
                    .then(Queries.update(two, "INSERT INTO there VALUES (2)"))
                    .contextWrite(Routing.session(session)));
            CausalToken token = Blocking.value(session.token());

            assertThat(token.positions())
                    .extracting(position -> position.cluster())
                    .containsExactlyInAnyOrder(
                            one.table().cluster(), two.table().cluster())
                    .doesNotHaveDuplicates();
            CausalSession elsewhere = CausalSession.resume(token);
            assertThat(Blocking.value(Queries.rows(one, "SELECT id FROM here")
                            .contextWrite(Routing.read())
                            .contextWrite(Routing.session(elsewhere))))
                    .containsExactly("1");
            assertThat(Blocking.value(Queries.rows(two, "SELECT id FROM there")
                            .contextWrite(Routing.read())
                            .contextWrite(Routing.session(elsewhere))))
                    .containsExactly("2");
            Blocking.run(one.close());
            Blocking.run(two.close());
        }
    }

    private static String value(RoutingConnectionFactory factory, String sql) {
        return Blocking.value(Queries.rows(factory, sql)).get(0);
    }

    private static ConnectionFactoryOptions withoutCredentials(PostgresServer server) {
        return ConnectionFactoryOptions.builder()
                .option(ConnectionFactoryOptions.DRIVER, "postgresql")
                .option(ConnectionFactoryOptions.HOST, server.host())
                .option(ConnectionFactoryOptions.PORT, server.port())
                .option(ConnectionFactoryOptions.DATABASE, server.database())
                .build();
    }
}
