package io.github.r2dbcrouting.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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

    @Test
    void credentialsAndSettingsAreTheCallers() {
        try (PostgresCluster cluster = PostgresCluster.builder()
                .replicas(1)
                .user("own er")
                .password("it's \\ secret @:/?#")
                .database("sh op")
                .setting("work_mem", "6MB")
                .setting("search_path", "\"it's \\\\\", public")
                .start()) {
            try (Client client = Client.of(cluster.replica(0))) {
                assertThat(client.query("SELECT current_user")).isEqualTo("own er");
                assertThat(client.query("SELECT current_database()")).isEqualTo("sh op");
                assertThat(client.query("SHOW work_mem")).isEqualTo("6MB");
                assertThat(client.query("SHOW fsync")).isEqualTo("off");
                assertThat(client.query("SHOW search_path")).isEqualTo("\"it's \\\\\", public");
            }
            assertThat(cluster.toString() + cluster.servers()).doesNotContain("secret");
        }
    }

    @Test
    void aServerThatDoesNotComeUpShowsTheEndOfItsLog() {
        PostgresClusterBuilder builder =
                PostgresCluster.builder().setting("shared_preload_libraries", "no_such_library");

        assertThatThrownBy(builder::start)
                .isInstanceOf(ClusterException.class)
                .hasMessageContaining("could not access file \"no_such_library\"");
    }
}
