package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.spi.ServerDescription;
import io.github.r2dbcrouting.spi.TopologySource;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.spi.ConnectionFactoryOptions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/** Servers that a source finds come and go with what it says. */
@PostgresClusterTest(replicas = 1)
class DnsServersIT {

    private final PostgresCluster cluster;
    private volatile Mono<List<ServerDescription>> answer;
    private RoutingConnectionFactory factory;

    DnsServersIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void open() {
        answer = Mono.just(List.of(at("one", cluster.primary()), at("two", cluster.replica(0))));
        factory = Factories.ready(RoutingConnectionFactory.builder()
                .servers(
                        source(),
                        ConnectionFactoryOptions.parse(cluster.primary().r2dbcUrl()),
                        spec -> spec.tags("found")));
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    private TopologySource source() {
        return new TopologySource() {
            @Override
            public String name() {
                return "registry";
            }

            @Override
            public Mono<List<ServerDescription>> servers() {
                return answer;
            }

            @Override
            public Duration interval() {
                return Duration.ofMillis(100);
            }
        };
    }

    private static ServerDescription at(String name, PostgresServer server) {
        return new ServerDescription(name, server.host(), server.port());
    }

    @Test
    void routesToWhatWasFoundAndDrainsWhatIsGone() {
        assertThat(factory.table().primary()).map(ServerState::name).contains("one");
        assertThat(factory.table().replicas()).extracting(ServerState::tags).containsExactly(List.of("found"));

        answer = Mono.just(List.of(at("one", cluster.primary())));
        await().until(() -> factory.serverNames().equals(List.of("one")));
        assertThat(factory.table().replicas()).isEmpty();

        answer = Mono.just(List.of(at("one", cluster.primary()), at("three", cluster.replica(0))));
        await().until(() -> factory.table().replicas().size() == 1);
        assertThat(Blocking.value(Queries.rows(factory, "SELECT 1"))).containsExactly("1");
    }

    @Test
    void followsNeitherAnEmptyAnswerNorAFailure() {
        for (Mono<List<ServerDescription>> bad : List.<Mono<List<ServerDescription>>>of(
                Mono.just(List.of()), Mono.error(new IllegalStateException("gone")))) {
            answer = bad;
            await().until(() -> factory.topology().sources().get(0).problem() != null);
            assertThat(factory.serverNames()).containsExactly("one", "two");

            answer = Mono.just(List.of(at("one", cluster.primary()), at("two", cluster.replica(0))));
            await().until(() -> factory.topology().sources().get(0).problem() == null);
        }
    }

    @Test
    void resolvesTheHostOfAUrlToItsAddresses() {
        PostgresServer primary = cluster.primary();
        RoutingConnectionFactory resolved = Factories.ready(RoutingConnectionFactory.builder()
                .serversByDns("db", primary.r2dbcUrl(), Duration.ofSeconds(1), "local"));

        assertThat(resolved.serverNames()).contains("db-127.0.0.1");
        assertThat(Blocking.value(Queries.rows(resolved, "SELECT 1"))).containsExactly("1");
        Blocking.run(resolved.close());
    }
}
