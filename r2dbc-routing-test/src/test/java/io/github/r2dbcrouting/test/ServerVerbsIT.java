package io.github.r2dbcrouting.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@PostgresClusterTest(replicas = 2)
class ServerVerbsIT {

    private static final String STARTED = "SELECT pg_postmaster_start_time()::text";
    private static final String COUNT = "SELECT count(*) FROM t";

    private final PostgresCluster cluster;
    private final PostgresServer primary;
    private final PostgresServer replica;

    ServerVerbsIT(PostgresCluster cluster) {
        this.cluster = cluster;
        this.primary = cluster.primary();
        this.replica = cluster.replica(0);
    }

    @BeforeEach
    void createTable() {
        primary.execute("CREATE TABLE t (id int)");
        cluster.awaitReplayed();
    }

    @Test
    void killEndsConnectionsAndRestartBringsTheSamePortBack() {
        String url = replica.r2dbcUrl();
        try (Client client = Client.of(replica);
                Client other = Client.of(primary)) {
            replica.kill();

            assertThat(replica.isRunning()).isFalse();
            assertThatThrownBy(() -> client.query("SELECT 1")).isInstanceOf(RuntimeException.class);
            assertThatThrownBy(() -> Client.of(replica)).isInstanceOf(RuntimeException.class);
            assertThat(other.query("SELECT 1")).isEqualTo("1");
        }

        replica.restart();

        assertThat(replica.r2dbcUrl()).isEqualTo(url);
        try (Client client = Client.of(replica)) {
            assertThat(client.query(COUNT)).isEqualTo("0");
        }
    }

    @Test
    void stopShutsDownCleanlyAndRestartStartsAnew() {
        String started = primary.query(STARTED);

        primary.stop();
        assertThat(primary.isRunning()).isFalse();
        assertThatThrownBy(() -> primary.query("SELECT 1"))
                .isInstanceOf(ClusterException.class)
                .hasMessageContaining("does not run");

        primary.restart();
        assertThat(primary.query(STARTED)).isNotEqualTo(started);
        primary.execute("INSERT INTO t VALUES (1)");
        cluster.awaitReplayed();
        assertThat(replica.query(COUNT)).isEqualTo("1");
    }

    @Test
    void aPausedReplicaHoldsItsPositionWhileTheOtherMovesOn() {
        replica.pauseReplay();
        String held = replica.position();

        primary.execute("INSERT INTO t VALUES (1)");
        cluster.awaitReplayed();

        assertThat(cluster.replica(1).query(COUNT)).isEqualTo("1");
        assertThat(replica.query(COUNT)).isEqualTo("0");
        assertThat(replica.position()).isEqualTo(held).isNotEqualTo(primary.position());

        replica.resumeReplay();
        cluster.awaitReplayed();
        assertThat(replica.query(COUNT)).isEqualTo("1");
    }

    @Test
    void anApplyDelayKeepsCommitsInvisibleUntilItIsRemoved() {
        replica.applyDelay(Duration.ofHours(1));

        primary.execute("INSERT INTO t VALUES (1)");
        await().until(() -> cluster.replica(1).query(COUNT).equals("1"));
        assertThat(replica.query(COUNT)).isEqualTo("0");

        replica.applyDelay(Duration.ZERO);
        cluster.awaitReplayed();
        assertThat(replica.query(COUNT)).isEqualTo("1");
    }

    @Test
    void aFrozenServerAnswersOnlyOnceItIsThawed() {
        try (Client client = Client.of(replica);
                Client other = Client.of(primary)) {
            replica.freeze();

            var answer = client.start("SELECT 1").toFuture();
            assertThat(other.query("SELECT 1")).isEqualTo("1");
            assertThatThrownBy(() -> Client.of(replica, Client.SOON)).hasMessageContaining("Timeout");
            assertThat(answer).isNotDone();
            assertThat(replica.isRunning()).isTrue();

            replica.thaw();
            assertThat(answer).succeedsWithin(Duration.ofSeconds(10)).isEqualTo("1");
        }
    }

    @Test
    void aKilledBackendTakesAllOthersAlongButNotThePostmaster() {
        String started = replica.query(STARTED);
        try (Client victim = Client.of(replica);
                Client bystander = Client.of(replica);
                Client elsewhere = Client.of(primary)) {

            replica.killBackend(Integer.parseInt(victim.query("SELECT pg_backend_pid()")));

            assertThatThrownBy(() -> bystander.query("SELECT 1")).isInstanceOf(RuntimeException.class);
            assertThat(elsewhere.query("SELECT 1")).isEqualTo("1");
        }
        assertThat(replica.query(STARTED)).isEqualTo(started);
        assertThat(replica.role()).isEqualTo(Role.REPLICA);
    }

    @Test
    void aBackendCanBeKilledWithoutNamingOne() {
        String started = primary.query(STARTED);
        try (Client bystander = Client.of(primary)) {
            primary.killBackend();

            assertThatThrownBy(() -> bystander.query("SELECT 1")).isInstanceOf(RuntimeException.class);
        }
        assertThat(primary.query(STARTED)).isEqualTo(started);
    }

    @Test
    void onlyProcessesOfTheServerItselfAreKilled() {
        int stranger = Integer.parseInt(primary.query("SELECT pg_backend_pid()"));

        assertThatThrownBy(() -> replica.killBackend(stranger)).isInstanceOf(ClusterException.class);
        assertThat(primary.query("SELECT 1")).isEqualTo("1");
    }

    @Test
    void anAddedReplicaFollowsAndGoesWithTheReset() {
        primary.execute("INSERT INTO t VALUES (1)");

        PostgresServer added = cluster.addReplica();
        primary.execute("INSERT INTO t VALUES (2)");
        cluster.awaitReplayed();

        assertThat(added.number()).isEqualTo(3);
        assertThat(added.query(COUNT)).isEqualTo("2");
        assertThat(cluster.replicas()).hasSize(3).contains(added);

        cluster.reset();
        assertThat(added.isRunning()).isFalse();
        assertThat(cluster.servers()).hasSize(3).doesNotContain(added);
    }

    @Test
    void settingsChangedByAlterSystemTakeEffectOnReload() {
        replica.execute("ALTER SYSTEM SET work_mem = '5MB'");
        assertThat(replica.query("SHOW work_mem")).isEqualTo("4MB");

        replica.reload();

        assertThat(replica.query("SHOW work_mem")).isEqualTo("5MB");
        assertThat(primary.query("SHOW work_mem")).isEqualTo("4MB");
    }

    @Test
    void rowsAreArrangedAsPsqlDoes() {
        assertThat(primary.query("SELECT 1, NULL, 'a' UNION ALL SELECT 2, true, '' ORDER BY 1"))
                .isEqualTo("1||a\n2|true|");
        assertThat(primary.query("SELECT 1 WHERE false")).isEmpty();
    }

    @Test
    void whatOneCallSetsInItsSessionDoesNotReachTheNext() {
        primary.execute("SET work_mem = '7MB'");

        assertThat(primary.query("SHOW work_mem")).isEqualTo("4MB");
    }
}
