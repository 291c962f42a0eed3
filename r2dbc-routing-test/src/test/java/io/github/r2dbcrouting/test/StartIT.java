package io.github.r2dbcrouting.test;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class StartIT {

    private static final String IDENTIFIER = "SELECT system_identifier FROM pg_control_system()";

    @Test
    void replicasShowWhatThePrimaryWrote() {
        try (PostgresCluster cluster = PostgresCluster.builder().replicas(2).start()) {
            cluster.primary().execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2)");
            cluster.awaitReplayed();

            assertThat(cluster.replica(0).query("SELECT * FROM t")).isEqualTo("1\n2");
            assertThat(cluster.replica(1).query("SELECT * FROM t")).isEqualTo("1\n2");
        }
    }

    @Test
    void twoClustersAreStrangersToEachOther() {
        try (PostgresCluster one = PostgresCluster.builder().start();
                PostgresCluster other = PostgresCluster.builder().replicas(1).start()) {
            one.primary().execute("CREATE TABLE t (id int)");

            assertThat(one.primary().query(IDENTIFIER))
                    .isNotEqualTo(other.primary().query(IDENTIFIER));
            assertThat(other.replica(0).query(IDENTIFIER))
                    .isEqualTo(other.primary().query(IDENTIFIER));
            assertThat(other.primary().query("SELECT to_regclass('t') IS NULL")).isEqualTo("true");
        }
    }
}
