package io.github.r2dbcrouting.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Comparator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@PostgresClusterTest(replicas = 2)
class NetworkFaultsIT {

    private static final String COUNT = "SELECT count(*) FROM t";

    private final PostgresCluster cluster;
    private final PostgresServer primary;
    private final PostgresServer replica;
    private final PostgresServer other;

    NetworkFaultsIT(PostgresCluster cluster) {
        this.cluster = cluster;
        this.primary = cluster.primary();
        this.replica = cluster.replica(0);
        this.other = cluster.replica(1);
    }

    @BeforeEach
    void createTable() {
        primary.execute("CREATE TABLE t (id int)");
        cluster.awaitReplayed();
    }

    @Test
    void cutOffFromItsClientsAServerStillStreams() {
        try (Client client = Client.of(replica)) {
            replica.isolate(Side.CLIENTS);
            var answer = client.start("SELECT 1").toFuture();

            primary.execute("INSERT INTO t VALUES (1)");
            cluster.awaitReplayed();

            assertThat(replica.query(COUNT)).isEqualTo("1");
            assertThatThrownBy(() -> Client.of(replica, Client.SOON)).hasMessageContaining("Timeout");
            assertThat(answer).isNotDone();

            replica.reconnect();
            assertThat(answer).succeedsWithin(Duration.ofSeconds(10)).isEqualTo("1");
        }
    }

    @Test
    void cutOffFromItsPrimaryAReplicaStillAnswers() {
        try (Client client = Client.of(replica)) {
            replica.isolate(Side.UPSTREAM);

            primary.execute("INSERT INTO t VALUES (1)");
            cluster.awaitReplayed();

            assertThat(other.query(COUNT)).isEqualTo("1");
            assertThat(client.query(COUNT)).isEqualTo("0");

            replica.reconnect();
            cluster.awaitReplayed();
            assertThat(client.query(COUNT)).isEqualTo("1");
        }
    }

    @Test
    void aPrimaryCutOffFromTheOthersReachesNoReplica() {
        try (Client client = Client.of(primary)) {
            primary.isolate(Side.UPSTREAM);

            primary.execute("INSERT INTO t VALUES (1)");
            assertThat(client.query(COUNT)).isEqualTo("1");
            assertThat(replica.query(COUNT)).isEqualTo("0");
            assertThat(other.query(COUNT)).isEqualTo("0");

            primary.reconnect();
            cluster.awaitReplayed();
            assertThat(replica.query(COUNT)).isEqualTo("1");
        }
    }

    @Test
    void cutOffOnBothSidesItNeitherAnswersNorFollows() {
        replica.isolate(Side.BOTH);

        primary.execute("INSERT INTO t VALUES (1)");
        cluster.awaitReplayed();

        assertThat(replica.query(COUNT)).isEqualTo("0");
        assertThatThrownBy(() -> Client.of(replica, Client.SOON)).hasMessageContaining("Timeout");
        assertThat(other.query(COUNT)).isEqualTo("1");
    }

    @Test
    void aReplicaCutOffUntilItsReceiverGaveUpCatchesUp() {
        replica.isolate(Side.UPSTREAM);
        primary.execute("INSERT INTO t VALUES (1)");
        Await.until(
                "the receiver has given up",
                Duration.ofSeconds(20),
                () -> replica.query("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'")
                        .equals("0"),
                () -> "");

        replica.reconnect();
        cluster.awaitReplayed();
        assertThat(replica.query(COUNT)).isEqualTo("1");
    }

    @Test
    void latencyIsAddedInBothDirections() {
        Duration oneWay = Duration.ofMillis(40);
        try (Client client = Client.of(replica);
                Client undelayed = Client.of(other)) {
            replica.latency(oneWay);

            assertThat(roundTrip(client)).isGreaterThanOrEqualTo(oneWay.multipliedBy(2));
            assertThat(shortestRoundTrip(undelayed)).isLessThan(oneWay.multipliedBy(2));

            replica.latency(Duration.ZERO);
            assertThat(shortestRoundTrip(client)).isLessThan(oneWay.multipliedBy(2));
        }
    }

    private static Duration roundTrip(Client client) {
        long start = System.nanoTime();
        client.query("SELECT 1");
        return Duration.ofNanos(System.nanoTime() - start);
    }

    /** One of many is undisturbed by whatever else the machine does. */
    private static Duration shortestRoundTrip(Client client) {
        return Stream.generate(() -> roundTrip(client))
                .limit(20)
                .min(Comparator.naturalOrder())
                .orElseThrow();
    }
}
