package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * No read behind its token, also when a replica goes back behind what it had replayed.
 *
 * <p>The monitor probes so rarely here that the pool reconnects before the next sample: the table still says that the
 * replica covers the token.
 */
@PostgresClusterTest(replicas = 1)
class LivesIT {

    private static final Duration RARELY = Duration.ofSeconds(10);

    private final PostgresCluster cluster;
    private RoutingConnectionFactory factory;
    private CausalSession session;

    LivesIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void table() {
        cluster.primary().execute("CREATE TABLE note (id int PRIMARY KEY, filler text)");
        cluster.primary().execute("CHECKPOINT");
        cluster.awaitReplayed();
        // the restart point that a crash goes back to
        cluster.replica(0).execute("CHECKPOINT");
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    @FailsWithout(Safeguard.LIVES)
    @Test
    void readsItsWriteAfterTheReplicaCrashed(Safeguards safeguards) {
        PostgresServer replica = cluster.replica(0);
        replicaThatHasReplayedFarBeyondItsRestartPoint(safeguards);
        String startedBefore = replica.query("SELECT pg_postmaster_start_time()::text");

        replica.kill();
        replica.restart();

        assertThat(replica.query("SELECT pg_postmaster_start_time()::text")).isNotEqualTo(startedBefore);
        assertThat(replica.query("SELECT count(*)::text FROM note")).isEqualTo("0");
        assertSeesItsWrite();
    }

    @FailsWithout(Safeguard.LIVES)
    @Test
    void readsItsWriteAfterOneBackendOfTheReplicaCrashed(Safeguards safeguards) {
        PostgresServer replica = cluster.replica(0);
        replicaThatHasReplayedFarBeyondItsRestartPoint(safeguards);
        String startedBefore = replica.query("SELECT pg_postmaster_start_time()::text");

        replica.killBackend();

        await().until(() -> count(replica).equals("0"));
        assertThat(replica.query("SELECT pg_postmaster_start_time()::text")).isEqualTo(startedBefore);
        assertSeesItsWrite();
    }

    @Test
    void goesOnReadingFromTheReplicaThatDidNotCrash() {
        replicaThatHasReplayedFarBeyondItsRestartPoint(Safeguards.all());

        for (int i = 0; i < 50; i++) {
            assertThat(servedBy()).containsExactly("true");
        }
    }

    private static String count(PostgresServer server) {
        try {
            return server.query("SELECT count(*)::text FROM note");
        } catch (RuntimeException recovering) {
            return "recovering";
        }
    }

    /** Once it recovers it stops at the first commit after its restart point, since every commit is too young then. */
    private void replicaThatHasReplayedFarBeyondItsRestartPoint(Safeguards safeguards) {
        factory = Factories.ready(Factories.over(cluster, safeguards).sampling(RARELY, RARELY));
        session = CausalSession.create();
        Blocking.run(Queries.update(
                        factory, "INSERT INTO note SELECT n, repeat('x', 500) FROM generate_series(1, 20000) AS n")
                .contextWrite(Routing.session(session)));
        cluster.awaitReplayed();
        Blocking.value(session.token());
        // a capture is followed by a quick look at the replicas that lack it; from then on there is none for long
        await().untilAsserted(() -> assertThat(servedBy()).containsExactly("true"));
        cluster.replica(0).applyDelay(Duration.ofHours(1));
    }

    private List<String> servedBy() {
        return Blocking.value(Queries.rows(factory, "SELECT pg_is_in_recovery()")
                .contextWrite(Routing.read())
                .contextWrite(Routing.session(session)));
    }

    private void assertSeesItsWrite() {
        for (int i = 0; i < 20; i++) {
            List<String> seen = Blocking.value(Queries.rows(factory, "SELECT count(*) FROM note")
                    .contextWrite(Routing.read())
                    .contextWrite(Routing.session(session)));
            assertThat(seen).as("rows that the session sees of its own 20,000").containsExactly("20000");
        }
    }
}
