package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.Result;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What becomes of {@code COPY} as a statement: what the driver makes of it, on the primary. */
@PostgresClusterTest(replicas = 1)
class CopyIT {

    private final PostgresCluster cluster;
    private final Queue<String> asked = new ConcurrentLinkedQueue<>();
    private RoutingConnectionFactory factory;

    CopyIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void open() {
        cluster.primary().execute("CREATE TABLE note (id int)");
        cluster.awaitReplayed();
        factory = Factories.ready(
                Factories.over(cluster).listener(decision -> asked.add(String.valueOf(decision.server()))));
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    @Test
    void whatTheServerCopiesFromItsOwnSideIsAWriteThatItsSessionSees() {
        CausalSession session = CausalSession.create();

        assertThat(Blocking.value(updated(factory, "COPY note FROM PROGRAM 'seq 1 3'")
                        .contextWrite(Routing.read())
                        .contextWrite(Routing.session(session))))
                .isEqualTo(3);

        assertThat(asked).containsExactly("db0");
        assertThat(Blocking.value(Queries.rows(factory, "SELECT count(*) FROM note")
                        .contextWrite(Routing.read())
                        .contextWrite(Routing.session(session))))
                .containsExactly("3");
        assertThat(Blocking.value(session.token())).isNotNull();
    }

    @Test
    void whatIsCopiedToTheClientIsCountedAsByTheDriver() {
        cluster.primary().execute("INSERT INTO note VALUES (1), (2)");
        cluster.awaitReplayed();
        ConnectionFactory bare = ConnectionFactories.get(cluster.primary().r2dbcUrl());

        long count = Blocking.value(updated(factory, "COPY note TO STDOUT").contextWrite(Routing.read()));

        assertThat(count).isEqualTo(Blocking.value(updated(bare, "COPY note TO STDOUT")));
        assertThat(asked).containsExactly("db0");
        assertThat(Blocking.value(Queries.rows(factory, "SELECT 'next'"))).containsExactly("next");
        assertEverythingIsBack();
    }

    private static Mono<Long> updated(ConnectionFactory factory, String sql) {
        return Mono.usingWhen(
                factory.create(),
                connection -> Flux.from(connection.createStatement(sql).execute())
                        .concatMap(Result::getRowsUpdated)
                        .reduce(0L, Long::sum),
                Connection::close);
    }

    private void assertEverythingIsBack() {
        for (String server : List.of("db0", "db1")) {
            await().untilAsserted(() -> assertThat(
                            factory.pool(server).getMetrics().orElseThrow().acquiredSize())
                    .as(server)
                    .isZero());
        }
    }
}
