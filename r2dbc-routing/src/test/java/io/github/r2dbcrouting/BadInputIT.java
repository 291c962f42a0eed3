package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.spi.R2dbcTransientResourceException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Every mistake in the wiring is named, with the server, and is recovered from when it goes. */
@PostgresClusterTest(replicas = 1)
class BadInputIT {

    private static final Duration SHORT = Duration.ofMillis(700);

    private final PostgresCluster cluster;
    private RoutingConnectionFactory factory;

    BadInputIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @AfterEach
    void close() {
        if (factory != null) {
            Blocking.run(factory.close());
        }
    }

    @Test
    void namesAServerThatCannotBeReachedAndUsesItOnceItCan() {
        cluster.replica(0).stop();
        factory = Factories.ready(Factories.over(cluster));

        ServerState unreachable = factory.table().servers().get(1);
        assertThat(unreachable.status()).isEqualTo(ServerStatus.DOWN);
        assertThat(unreachable.problem()).isNotBlank();
        assertThat(servedBy(Routing.read())).isEqualTo("db0");

        cluster.replica(0).restart();

        await().untilAsserted(() -> assertThat(servedBy(Routing.read())).isEqualTo("db1"));
    }

    @Test
    void namesAWrongPasswordWithoutTheRightOneOrTheWrongOne() {
        String wrong = cluster.replica(0).r2dbcUrl().replace(cluster.password(), "mistaken-s3cret");
        factory = Factories.ready(RoutingConnectionFactory.builder()
                .server("db0", cluster.primary().r2dbcUrl())
                .server("db1", wrong));

        String problem = factory.table().servers().get(1).problem();

        assertThat(problem).contains("check user name and password").doesNotContain("mistaken-s3cret");
        assertThat(factory.table().toString()).contains("db1").doesNotContain("mistaken-s3cret");
    }

    @Test
    void refusesTheSecondNameOfOneServer() {
        factory = Factories.ready(RoutingConnectionFactory.builder()
                .server("db0", cluster.primary().r2dbcUrl())
                .server("twin", cluster.primary().r2dbcUrl())
                .server("db1", cluster.replica(0).r2dbcUrl()));

        ServerState twin = factory.table().servers().get(1);

        assertThat(twin.status()).isEqualTo(ServerStatus.REFUSED);
        assertThat(twin.problem()).contains("same server as db0");
        assertThat(factory.table().primary().orElseThrow().name()).isEqualTo("db0");
    }

    @Test
    void refusesAServerOfAnotherCluster() {
        try (PostgresCluster other = PostgresCluster.builder().start()) {
            factory = Factories.ready(RoutingConnectionFactory.builder()
                    .server("db0", cluster.primary().r2dbcUrl())
                    .server("stranger", other.primary().r2dbcUrl()));

            ServerState stranger = factory.table().servers().get(1);

            assertThat(stranger.status()).isEqualTo(ServerStatus.REFUSED);
            assertThat(stranger.problem()).contains("another cluster");
            assertThat(factory.table().primary().orElseThrow().name()).isEqualTo("db0");
        }
    }

    @Test
    void saysThatAReplicaIsTheOnlyServer() {
        factory = RoutingConnectionFactory.builder()
                .server("lonely", cluster.replica(0).r2dbcUrl())
                .build();

        assertThatThrownBy(() -> Blocking.run(factory.ready(SHORT)))
                .isInstanceOf(NoEligibleServerException.class)
                .hasMessageContainingAll("there is no primary", "lonely", "replica")
                .hasMessageNotContaining(cluster.password());
        assertThatThrownBy(() -> Blocking.run(Queries.update(factory, "CREATE TABLE note ()")))
                .isInstanceOf(R2dbcTransientResourceException.class)
                .hasMessageContainingAll("a write", "lonely");
    }

    @Test
    void waitsForAPrimaryThatIsAwayForAMoment() {
        cluster.primary().stop();
        factory = Factories.over(cluster).build();
        assertThatThrownBy(() -> Blocking.run(factory.ready(SHORT)))
                .isInstanceOf(NoEligibleServerException.class)
                .hasMessageContaining("db0");

        cluster.primary().restart();

        Blocking.run(factory.ready(Duration.ofSeconds(20)));
        Blocking.run(Queries.update(factory, "CREATE TABLE note ()"));
    }

    @Test
    void recoversFromARestartOfThePrimary() {
        factory = Factories.ready(Factories.over(cluster));
        Blocking.run(Queries.update(factory, "CREATE TABLE note (id int)"));
        PostgresServer primary = cluster.primary();

        primary.kill();
        primary.restart();

        await().ignoreExceptions().untilAsserted(() -> {
            CausalSession session = CausalSession.create();
            Blocking.run(Queries.update(factory, "INSERT INTO note VALUES (1)").contextWrite(Routing.session(session)));
            assertThat(session.token().blockOptional(Duration.ofSeconds(5))).isPresent();
        });
        await().untilAsserted(() ->
                assertThat(factory.table().primary().orElseThrow().status()).isEqualTo(ServerStatus.UP));
    }

    private String servedBy(Routing asked) {
        return factory.explain(asked, null).server();
    }
}
