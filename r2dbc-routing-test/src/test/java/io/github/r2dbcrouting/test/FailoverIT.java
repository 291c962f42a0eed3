package io.github.r2dbcrouting.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@PostgresClusterTest(replicas = 2)
class FailoverIT {

    private static final String COUNT = "SELECT count(*) FROM t";

    private final PostgresCluster cluster;
    private final PostgresServer old;
    private final PostgresServer promoted;
    private final PostgresServer other;

    FailoverIT(PostgresCluster cluster) {
        this.cluster = cluster;
        this.old = cluster.server(0);
        this.promoted = cluster.server(1);
        this.other = cluster.server(2);
    }

    @BeforeEach
    void createTable() {
        old.execute("CREATE TABLE t (id int)");
        cluster.awaitReplayed();
    }

    @Test
    void promotionChangesRoleAndTimelineOfThatServerOnly() {
        promoted.promote();

        assertThat(promoted.role()).isEqualTo(Role.PRIMARY);
        assertThat(promoted.timeline()).isEqualTo(2);
        promoted.execute("INSERT INTO t VALUES (1)");
        assertThat(cluster.currentPrimary()).isSameAs(promoted);
        assertThat(cluster.primary()).isSameAs(old);
        assertThat(cluster.replicas()).containsExactly(other);

        assertThat(old.role()).isEqualTo(Role.PRIMARY);
        assertThat(old.timeline()).isEqualTo(1);
        assertThat(other.timeline()).isEqualTo(1);
        assertThat(other.query(COUNT)).isEqualTo("0");
        assertThatThrownBy(promoted::promote).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aPrimaryThatDiedStaysTheCurrentOneUntilSomebodyIsPromoted() {
        old.kill();
        assertThat(cluster.currentPrimary()).isSameAs(old);

        promoted.promote();
        assertThat(cluster.currentPrimary()).isSameAs(promoted);
    }

    @Test
    void theOtherReplicaFollowsTheNewPrimaryOntoItsTimeline() {
        old.kill();
        promoted.promote();
        other.follow(promoted);

        promoted.execute("INSERT INTO t VALUES (1)");
        cluster.awaitReplayed();

        assertThat(other.query(COUNT)).isEqualTo("1");
        assertThat(other.timeline()).isEqualTo(2);
    }

    @Test
    void anOldPrimaryRejoinsUnderItsNumberAndPort() {
        String url = old.r2dbcUrl();
        promoted.promote();
        old.execute("INSERT INTO t VALUES (1), (2), (3)");
        promoted.execute("INSERT INTO t VALUES (4)");

        old.rejoin();
        promoted.execute("INSERT INTO t VALUES (5)");
        cluster.awaitReplayed();

        assertThat(old.role()).isEqualTo(Role.REPLICA);
        assertThat(old.r2dbcUrl()).isEqualTo(url);
        assertThat(old.query("SELECT * FROM t ORDER BY 1")).isEqualTo("4\n5");
        assertThat(cluster.currentPrimary()).isSameAs(promoted);
    }

    @Test
    void aFailoverCanGoBackAgain() {
        old.kill();
        promoted.promote();
        old.rejoin();
        cluster.awaitReplayed();
        old.promote();
        promoted.rejoin();

        assertThat(cluster.currentPrimary()).isSameAs(old);
        assertThat(old.timeline()).isEqualTo(3);
        assertThat(promoted.timeline()).isEqualTo(3);
    }

    @Test
    void thePrimaryItselfHasNobodyToFollow() {
        assertThatThrownBy(old::rejoin).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> old.follow(other)).isInstanceOf(IllegalStateException.class);
        assertThat(old.role()).isEqualTo(Role.PRIMARY);
    }
}
