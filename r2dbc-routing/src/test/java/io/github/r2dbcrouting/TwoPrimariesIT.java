package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two replicas are promoted separately: one system identifier, one timeline number, two histories. */
@PostgresClusterTest(replicas = 2)
class TwoPrimariesIT {

    private static final Duration LONG = Duration.ofSeconds(20);

    private final PostgresCluster cluster;
    private final PostgresServer first;
    private final PostgresServer second;
    private RoutingConnectionFactory factory;

    TwoPrimariesIT(PostgresCluster cluster) {
        this.cluster = cluster;
        this.first = cluster.server(1);
        this.second = cluster.server(2);
    }

    @BeforeEach
    void table() {
        cluster.primary().execute("CREATE TABLE note (id int PRIMARY KEY)");
        cluster.awaitReplayed();
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    @FailsWithout(Safeguard.ONE_PRIMARY)
    @Test
    void writesNeverGoToBoth(Safeguards safeguards) {
        factory = Factories.ready(Factories.over(cluster, safeguards));
        cluster.primary().kill();
        first.promote();
        await().atMost(LONG).until(() -> "db1".equals(primary()));
        write(1);
        second.promote();
        await().atMost(LONG).until(() -> factory.table().servers().get(2).status() == ServerStatus.REFUSED);
        for (int id = 2; id < 20; id++) {
            write(id);
        }

        first.kill();
        await().atMost(LONG).until(() -> factory.table().servers().get(1).status() == ServerStatus.DOWN);

        assertThatThrownBy(() -> write(20))
                .isInstanceOf(NoEligibleServerException.class)
                .hasMessageContaining("was promoted beside it");
        first.restart();
        await().atMost(LONG).until(() -> "db1".equals(primary()));
        write(21);
        assertThat(first.query("SELECT count(*) FROM note")).isEqualTo("20");
        assertThat(second.query("SELECT count(*) FROM note")).isEqualTo("0");
    }

    @Test
    void writesGoToNeitherWhereNoneWasFollowed() {
        cluster.primary().kill();
        first.promote();
        second.promote();
        factory = Factories.over(cluster).build();

        assertThatThrownBy(() -> write(1))
                .isInstanceOf(NoEligibleServerException.class)
                .hasMessageContaining("one of several primaries");

        assertThat(first.query("SELECT count(*) FROM note")).isEqualTo("0");
        assertThat(second.query("SELECT count(*) FROM note")).isEqualTo("0");
    }

    private String primary() {
        return factory.table().primary().map(ServerState::name).orElse("nobody");
    }

    private void write(int id) {
        Blocking.run(Queries.update(factory, "INSERT INTO note VALUES ($1)", id));
    }
}
