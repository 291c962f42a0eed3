package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A token that nobody can have got from the primary is no reason to wait, or to read from the primary. */
@PostgresClusterTest(replicas = 1)
class HostileTokensIT {

    private static final String IN_RECOVERY = "SELECT pg_is_in_recovery()";
    private static final int READS = 200;

    private final PostgresCluster cluster;
    private final Queue<RouteDecision> decisions = new ConcurrentLinkedQueue<>();
    private final Queue<RoutingEvent> events = new ConcurrentLinkedQueue<>();
    private RoutingConnectionFactory factory;

    HostileTokensIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void table() {
        cluster.primary().execute("CREATE TABLE note (id int)");
        cluster.awaitReplayed();
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    private void open(Safeguards safeguards) {
        factory = Factories.ready(Factories.over(cluster, safeguards).listener(decisions::add));
        var unused = factory.events().subscribe(events::add);
    }

    @FailsWithout(Safeguard.TOKEN_PLAUSIBILITY)
    @Test
    void servesReadsWithAForgedTokenAsIfThereWereNone(Safeguards safeguards) {
        open(safeguards);
        CausalToken forged = ahead(0, 1L << 40);

        List<List<String>> answers = Blocking.value(Flux.range(0, READS)
                .flatMap(i -> read(CausalSession.resume(forged)), READS)
                .collectList());

        assertThat(answers).hasSize(READS);
        assertThat(decisions)
                .as("what served, and after which wait")
                .hasSize(READS)
                .allMatch(decision -> decision.role() == ServerRole.REPLICA)
                .allMatch(decision -> decision.waited().isZero());
        // one for each few milliseconds in which they come, and never one for each read
        assertThat(factory.endProbes()).isBetween(1L, READS / 4L);
        assertThat(factory.rejectedPositions()).isEqualTo(READS);
        await().until(() -> events.stream().anyMatch(RoutingEvent.TokenRejected.class::isInstance));
    }

    @Test
    void rejectsAForgedTokenOfASessionOnce() {
        open(Safeguards.all());
        CausalSession session = CausalSession.resume(ahead(0, 1L << 40));

        for (int i = 0; i < 20; i++) {
            assertThat(Blocking.value(read(session))).containsExactly("true");
        }

        assertThat(factory.endProbes()).isEqualTo(1);
    }

    @Test
    void keepsWhatTheSessionWroteItselfWhenItForgetsAForgedToken() {
        open(Safeguards.all());
        CausalSession session = CausalSession.resume(ahead(0, 1L << 40));
        cluster.replica(0).pauseReplay();
        Blocking.run(Queries.update(factory, "INSERT INTO note VALUES (1)").contextWrite(Routing.session(session)));
        // the write's position is there before the forged one is found out
        await().until(() -> factory.captureStatistics().pending() == 0);

        for (int i = 0; i < 5; i++) {
            assertThat(Blocking.value(
                            Queries.rows(factory, "SELECT id FROM note").contextWrite(Routing.session(session))))
                    .containsExactly("1");
        }
        assertThat(factory.rejectedPositions()).isPositive();
    }

    @Test
    void honoursATokenOfAnotherRouterThatIsAheadOfItsOwnTable() {
        factory = Factories.ready(Factories.over(cluster)
                .sampling(Duration.ofSeconds(10), Duration.ofSeconds(10))
                .listener(decisions::add));
        RoutingConnectionFactory other = Factories.ready(Factories.over(cluster));
        cluster.replica(0).pauseReplay();
        CausalSession theirs = CausalSession.create();
        Blocking.run(Queries.update(other, "INSERT INTO note VALUES (1)").contextWrite(Routing.session(theirs)));
        CausalToken token = Blocking.value(theirs.token());
        Blocking.run(other.close());

        assertThat(Blocking.value(Queries.rows(factory, "SELECT id FROM note")
                        .contextWrite(Routing.read().maxWait(Duration.ZERO))
                        .contextWrite(Routing.session(CausalSession.resume(token)))))
                .containsExactly("1");

        assertThat(factory.rejectedPositions()).isZero();
        assertThat(factory.endProbes()).isEqualTo(1);
    }

    @Test
    void refusesToAnswerFromAnOlderBranchThanTheTokens() {
        open(Safeguards.all());
        CausalSession session = CausalSession.resume(ahead(1, 0));

        assertThatThrownBy(() -> Blocking.value(read(session)))
                .isInstanceOf(NoEligibleServerException.class)
                .hasMessageContaining("later branch");
    }

    @Test
    void ignoresTheTokenOfAnotherCluster() {
        open(Safeguards.all());
        CausalToken foreign = CausalToken.of(List.of(new WalPosition("42", 9, 1L << 40)));

        assertThat(Blocking.value(read(CausalSession.resume(foreign)))).containsExactly("true");
        assertThat(factory.endProbes()).isZero();
    }

    private Mono<List<String>> read(CausalSession session) {
        return Queries.rows(factory, IN_RECOVERY).contextWrite(Routing.read()).contextWrite(Routing.session(session));
    }

    private CausalToken ahead(int timelines, long bytes) {
        WalPosition now =
                (WalPosition) Blocking.value(factory.capture()).positions().get(0);
        return CausalToken.of(List.of(new WalPosition(now.cluster(), now.timeline() + timelines, now.lsn() + bytes)));
    }
}
