package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.github.r2dbcrouting.test.Side;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.R2dbcException;
import java.time.Duration;
import java.util.List;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** The connections of a server end with its life, and with its role. */
@PostgresClusterTest(replicas = 1)
class PoolGenerationsIT {

    /** Far longer than it takes to close connections, and short enough to be waited for when they stay. */
    private static final Duration A_MOMENT = Duration.ofSeconds(3);

    private static final int READERS = 4;

    private final PostgresCluster cluster;
    private RoutingConnectionFactory factory;

    PoolGenerationsIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void table() {
        cluster.primary().execute("CREATE TABLE note (text varchar)");
        cluster.awaitReplayed();
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    @FailsWithout(Safeguard.POOL_GENERATIONS)
    @Test
    void commitsNothingOnAPrimaryThatHasLost(Safeguards safeguards) {
        factory = Factories.ready(Factories.over(cluster, safeguards));
        Connection connection = Blocking.value(factory.create());
        Blocking.run(connection.beginTransaction());
        Blocking.run(Flux.from(connection
                        .createStatement("INSERT INTO note VALUES ('lost')")
                        .execute())
                .concatMap(result -> result.getRowsUpdated()));
        String backend = Blocking.value(
                Queries.rows(connection, "SELECT pg_backend_pid()").single());

        cluster.replica(0).promote();
        await().until(() -> primary().equals("db1"));
        inAMoment(() -> left(cluster.primary(), List.of(backend)).equals("0"));

        String outcome = Blocking.value(Mono.from(connection.commitTransaction())
                .thenReturn("committed")
                .onErrorResume(R2dbcException.class, error -> Mono.just("lost")));
        assertThat(outcome).as("what becomes of a commit on the losing primary").isEqualTo("lost");
        assertThat(cluster.primary().query("SELECT count(*) FROM note")).isEqualTo("0");
        Blocking.run(connection.close());
        assertThat(factory.pool("db0").getMetrics().orElseThrow().acquiredSize())
                .isZero();
        Blocking.run(Queries.update(factory, "INSERT INTO note VALUES ('kept')"));
        assertThat(cluster.replica(0).query("SELECT text FROM note")).isEqualTo("kept");
    }

    @FailsWithout(Safeguard.POOL_GENERATIONS)
    @Test
    void keepsNoConnectionToAReplicaThatBecameThePrimary(Safeguards safeguards) {
        factory = Factories.ready(Factories.over(cluster, safeguards));
        List<String> backends = readers();
        assertThat(left(cluster.replica(0), backends)).isEqualTo(String.valueOf(READERS));

        cluster.replica(0).promote();
        await().until(() -> primary().equals("db1"));
        inAMoment(() -> left(cluster.replica(0), backends).equals("0"));

        assertThat(left(cluster.replica(0), backends))
                .as("connections from before the promotion")
                .isEqualTo("0");
        Blocking.run(Queries.update(factory, "INSERT INTO note VALUES ('kept')"));
        assertThat(cluster.replica(0).query("SELECT text FROM note")).isEqualTo("kept");
    }

    @Test
    void keepsTheConnectionsToAServerThatDidNotAnswerForAWhile() {
        factory = Factories.ready(Factories.over(cluster));
        List<String> backends = readers();

        cluster.replica(0).isolate(Side.CLIENTS);
        await().until(() -> status() == ServerStatus.SUSPECT || status() == ServerStatus.DOWN);
        cluster.replica(0).reconnect();
        await().until(() -> status() == ServerStatus.UP);

        assertThat(left(cluster.replica(0), backends)).isEqualTo(String.valueOf(READERS));
        assertThat(backends).containsAll(readers());
    }

    /** Reads on the replica, on so many connections, which then idle in the pool, and returns their backends. */
    private List<String> readers() {
        await().until(() -> factory.table().replicas().size() == 1);
        return Blocking.value(Flux.range(0, READERS)
                .flatMap(
                        reader -> Queries.rows(factory, "SELECT pg_backend_pid() FROM (SELECT pg_sleep(0.3)) AS pause"),
                        READERS)
                .concatMapIterable(rows -> rows)
                .collectList()
                .contextWrite(Routing.read()));
    }

    private static String left(PostgresServer server, List<String> backends) {
        return server.query("SELECT count(*) FROM pg_stat_activity WHERE pid IN (" + String.join(",", backends) + ")");
    }

    private String primary() {
        return factory.table().primary().map(ServerState::name).orElse("none");
    }

    private ServerStatus status() {
        return factory.table().servers().get(1).status();
    }

    /** Waits for what must come soon. Whether it came is for the test to assert. */
    private static void inAMoment(java.util.concurrent.Callable<Boolean> condition) {
        try {
            await().atMost(A_MOMENT).until(condition);
        } catch (ConditionTimeoutException late) {
            System.out.println("not within " + A_MOMENT.toMillis() + " ms");
        }
    }
}
