package io.github.r2dbcrouting.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.testcontainers.DockerClientFactory;

class ContainersIT {

    private static final String IMAGE = "postgres:18";
    private static final String COUNT = "SELECT count(*) FROM t";

    private static boolean dockerIsThere() {
        return DockerClientFactory.instance().isDockerAvailable();
    }

    @Test
    void serversInContainersTakeTheSameFaults() {
        assumeTrue(dockerIsThere(), "Docker cannot be reached");
        try (PostgresCluster cluster =
                PostgresCluster.builder().testcontainers(IMAGE).replicas(2).start()) {
            PostgresServer replica = cluster.replica(0);
            cluster.primary().execute("CREATE TABLE t (id int)");
            cluster.awaitReplayed();
            assertThat(replica.query(COUNT)).isEqualTo("0");

            replica.isolate(Side.UPSTREAM);
            cluster.primary().execute("INSERT INTO t VALUES (1)");
            cluster.awaitReplayed();
            assertThat(cluster.replica(1).query(COUNT)).isEqualTo("1");
            assertThat(replica.query(COUNT)).isEqualTo("0");
            replica.reconnect();

            String url = replica.r2dbcUrl();
            replica.kill();
            replica.restart();
            assertThat(replica.r2dbcUrl()).isEqualTo(url);
            replica.killBackend();
            replica.freeze();
            replica.thaw();

            replica.promote();
            cluster.primary().rejoin();
            cluster.awaitReplayed();
            assertThat(cluster.primary().role()).isEqualTo(Role.REPLICA);
            assertThat(cluster.primary().query(COUNT)).isEqualTo("1");
        }
    }

    @Test
    void withoutDockerTheMessageSaysSo() {
        assumeFalse(dockerIsThere(), "Docker is there");

        assertThatThrownBy(() -> PostgresCluster.builder().testcontainers(IMAGE).start())
                .isInstanceOf(ClusterException.class)
                .hasMessageContaining("Docker cannot be reached");
    }
}
