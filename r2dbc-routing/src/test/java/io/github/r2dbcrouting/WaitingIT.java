package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.test.LeakCheck;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What becomes of reads for which no replica is fresh enough. */
@Alone
@PostgresClusterTest(replicas = 1)
class WaitingIT {

    private static final String IN_RECOVERY = "SELECT pg_is_in_recovery()";

    private final PostgresCluster cluster;
    private final Queue<RouteDecision> decisions = new ConcurrentLinkedQueue<>();
    private RoutingConnectionFactory factory;

    WaitingIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void table() {
        cluster.primary().execute("CREATE TABLE note (id int PRIMARY KEY, at text)");
        cluster.awaitReplayed();
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    private void open(Safeguards safeguards, int budget) {
        factory = Factories.ready(
                Factories.over(cluster, safeguards).fallbackBudget(budget).listener(decisions::add));
    }

    /** A session whose write the replica lacks, and surely will. */
    private CausalSession behind() {
        cluster.replica(0).pauseReplay();
        cluster.primary().execute("INSERT INTO note VALUES (1, 'x')");
        return CausalSession.resume(Blocking.value(factory.capture()));
    }

    private Mono<List<String>> read(String sql, Routing how, CausalSession session) {
        return Queries.rows(factory, sql).contextWrite(how).contextWrite(Routing.session(session));
    }

    @Test
    void failsAtOnceWhereThatIsAsked() {
        open(Safeguards.all(), 2);
        CausalSession session = behind();

        assertThatThrownBy(() -> Blocking.value(read(IN_RECOVERY, Routing.read().whenBehind(WhenBehind.FAIL), session)))
                .isInstanceOf(NoEligibleServerException.class)
                .hasMessageContaining("at once")
                .hasMessageContaining("has not replayed what the session wrote: it is at");
    }

    @Test
    void goesToThePrimaryWhereThatIsAskedAndByDefault() {
        open(Safeguards.all(), 2);
        CausalSession session = behind();

        assertThat(Blocking.value(read(IN_RECOVERY, Routing.read().whenBehind(WhenBehind.PRIMARY), session)))
                .containsExactly("false");
        assertThat(Blocking.value(read(IN_RECOVERY, Routing.read(), session))).containsExactly("false");
    }

    @Test
    void waitsForTheReplicaWhereThatIsAsked() {
        open(Safeguards.all(), 2);
        CausalSession session = behind();
        Mono<List<String>> waiting = read(IN_RECOVERY, Routing.read().whenBehind(WhenBehind.WAIT), session);
        var answer = waiting.toFuture();

        await().until(() -> factory.waiting() == 1);
        cluster.replica(0).resumeReplay();

        await().untilAsserted(() -> assertThat(answer).isCompletedWithValue(List.of("true")));
        assertThat(factory.waiting()).isZero();
        assertThat(decisions).last().matches(decision -> !decision.waited().isZero());
    }

    @Test
    void waitsAWhileForTheReplicaAndTakesItByDefault() {
        factory = Factories.ready(
                Factories.over(cluster).maxWait(Duration.ofSeconds(4)).listener(decisions::add));
        CausalSession session = behind();
        var answer = read(IN_RECOVERY, Routing.read(), session).toFuture();

        await().until(() -> factory.waiting() == 1);
        cluster.replica(0).resumeReplay();

        await().untilAsserted(() -> assertThat(answer).isCompletedWithValue(List.of("true")));
        assertThat(decisions).last().matches(decision -> !decision.waited().isZero());
        assertThat(factory.waiting()).isZero();
    }

    @Test
    void leavesNothingBehindWhenWaitsAreCancelled(LeakCheck leaks) {
        open(Safeguards.all(), 1);
        CausalSession session = behind();
        Mono<List<String>> slow = read("SELECT pg_sleep(0.2)::text", Routing.read(), session);

        for (int round = 0; round < 5; round++) {
            Disposable all = Flux.range(0, 200)
                    .flatMap(i -> slow.timeout(Duration.ofMillis(1 + i)).onErrorComplete(), 200)
                    .subscribe(ignored -> {}, error -> {});
            await().until(() -> factory.waiting() > 0);
            all.dispose();
        }

        await().until(() -> factory.waiting() == 0);
        await().untilAsserted(() -> assertThat(Blocking.value(read(IN_RECOVERY, Routing.read(), session)))
                .containsExactly("false"));
        assertThat(leaks).isNotNull();
    }

    @FailsWithout(Safeguard.FALLBACK_BUDGET)
    @Test
    void boundsWhatThePrimaryServesInPlaceOfReplicas(Safeguards safeguards) {
        open(safeguards, 4);
        CausalSession session = behind();
        AtomicInteger failed = new AtomicInteger();
        Disposable readers = Flux.range(0, 100)
                .flatMap(
                        i -> read("SELECT pg_sleep(0.05)::text", Routing.read(), session)
                                .onErrorComplete(error -> failed.incrementAndGet() > 0),
                        100)
                .subscribe(ignored -> {}, error -> {});

        int most = 0;
        long began = System.nanoTime();
        while (System.nanoTime() - began < Duration.ofSeconds(1).toNanos()) {
            String atOnce = cluster.primary()
                    .query("SELECT count(*)::text FROM pg_stat_activity WHERE state = 'active' AND query LIKE"
                            + " 'SELECT pg_sleep%'");
            most = Math.max(most, Integer.parseInt(atOnce));
        }
        readers.dispose();

        assertThat(most).as("fallback reads at once on the primary").isBetween(1, 4);
        assertThat(failed).hasValue(0);
    }

    @FailsWithout(Safeguard.STALENESS_BOUND)
    @Test
    void servesNothingThatIsOlderThanTheBound(Safeguards safeguards) {
        open(safeguards, 4);
        Duration bound = Duration.ofMillis(300);
        cluster.replica(0).pauseReplay();
        cluster.primary().execute("INSERT INTO note VALUES (2, 'new')");
        long written = System.nanoTime();

        await().until(() -> System.nanoTime() - written > bound.toNanos());
        List<String> seen = Blocking.value(Queries.rows(factory, "SELECT count(*) FROM note WHERE id = 2")
                .contextWrite(Routing.read().freshness(Freshness.atMost(bound))));

        assertThat(seen).as("rows older than the bound").containsExactly("1");
    }

    @Test
    void readsFromTheReplicaOfAnIdlePrimaryWithinTheBound() {
        open(Safeguards.all(), 4);

        for (int i = 0; i < 20; i++) {
            assertThat(Blocking.value(Queries.rows(factory, IN_RECOVERY)
                            .contextWrite(Routing.read().freshness(Freshness.atMost(Duration.ofMillis(500))))))
                    .containsExactly("true");
        }
    }

    @Test
    void readsFromThePrimaryForAWhileAfterAWrite() {
        open(Safeguards.all(), 2);
        CausalSession session = CausalSession.create().primaryFor(Duration.ofSeconds(30));
        Blocking.run(
                Queries.update(factory, "INSERT INTO note VALUES (3, 'x')").contextWrite(Routing.session(session)));
        Blocking.value(session.token());
        cluster.awaitReplayed();

        assertThat(Blocking.value(read(IN_RECOVERY, Routing.read(), session))).containsExactly("false");
        session.primaryFor(Duration.ZERO);
        await().untilAsserted(() -> assertThat(Blocking.value(read(IN_RECOVERY, Routing.read(), session)))
                .containsExactly("true"));
    }
}
