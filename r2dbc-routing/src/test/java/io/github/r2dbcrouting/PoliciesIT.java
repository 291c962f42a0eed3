package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.spi.LoadBalancer;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A policy prefers replicas among those that are fresh enough for the read at hand. */
@PostgresClusterTest(replicas = 2)
class PoliciesIT {

    private static final String COUNT = "SELECT count(*) FROM note";

    private final PostgresCluster cluster;
    private final Queue<RouteDecision> decisions = new ConcurrentLinkedQueue<>();
    private RoutingConnectionFactory factory;
    private CausalSession session;

    PoliciesIT(PostgresCluster cluster) {
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
        factory = Factories.ready(RoutingConnectionFactory.builder()
                .safeguards(safeguards)
                .server("db0", cluster.primary().r2dbcUrl())
                .server("near", cluster.replica(0).r2dbcUrl(), "near")
                .server("far", cluster.replica(1).r2dbcUrl(), "far")
                .policy("default", "tags(near)->min(1); tags(far)")
                .policy("near_only", "tags(near); halt()")
                .policy("nowhere", "tags(nowhere); halt()")
                .listener(decisions::add));
    }

    /** The session's write is on the far replica, and known to be there, and is not on the near one. */
    private void nearLags() {
        PostgresServer far = cluster.replica(1);
        cluster.replica(0).pauseReplay();
        session = CausalSession.create();
        Blocking.run(Queries.update(factory, "INSERT INTO note VALUES (1)").contextWrite(Routing.session(session)));
        CausalToken token = Blocking.value(session.token());
        await().until(() -> far.query("SELECT count(*)::text FROM note").equals("1"));
        await().until(() -> factory.table().servers().get(2).covers(token.positions()));
        decisions.clear();
    }

    @FailsWithout(Safeguard.FRESHNESS_FIRST)
    @Test
    void fallsThroughToTheFarReplicaWhenTheNearOneLags(Safeguards safeguards) {
        open(safeguards);
        nearLags();

        for (int i = 0; i < 10; i++) {
            assertThat(Blocking.value(read(Routing.read().whenBehind(WhenBehind.PRIMARY))))
                    .containsExactly("1");
        }

        assertThat(decisions).extracting(RouteDecision::server).containsOnly("far");
        assertThat(decisions).extracting(RouteDecision::policy).containsOnly("default");
    }

    @Test
    void readsFromTheNearReplicaWhileThatIsFreshEnough() {
        open(Safeguards.all());

        for (int i = 0; i < 20; i++) {
            assertThat(Blocking.value(Queries.rows(factory, COUNT).contextWrite(Routing.read())))
                    .containsExactly("0");
        }

        assertThat(decisions).extracting(RouteDecision::server).containsOnly("near");
    }

    @Test
    void neverAnswersFromThePrimaryWhereThePolicyHalts() {
        open(Safeguards.all());
        nearLags();

        assertThatThrownBy(() ->
                        Blocking.value(read(Routing.read().policy("near_only").whenBehind(WhenBehind.FAIL))))
                .isInstanceOf(NoEligibleServerException.class)
                .hasMessageContaining("near (replica, up) has not replayed what the session wrote")
                .hasMessageContaining("far (replica, up) not chosen by the policy");

        var waiting = read(Routing.read().policy("near_only").whenBehind(WhenBehind.PRIMARY))
                .toFuture();
        await().until(() -> factory.waiting() == 1);
        cluster.replica(0).resumeReplay();

        await().untilAsserted(() -> assertThat(waiting).isCompletedWithValue(List.of("1")));
        assertThat(decisions).last().matches(decision -> "near".equals(decision.server()));
    }

    @Test
    void failsAtOnceWhereNoServerCanEverServe() {
        open(Safeguards.all());

        assertThatThrownBy(() -> Blocking.value(
                        Queries.rows(factory, COUNT).contextWrite(Routing.read().policy("nowhere"))))
                .isInstanceOf(NoEligibleServerException.class)
                .hasMessageContaining("at once");
    }

    @Test
    void failsTheSubscriptionWhereNobodyHasDefinedThePolicy() {
        open(Safeguards.all());

        assertThatThrownBy(() -> Blocking.value(
                        Queries.rows(factory, COUNT).contextWrite(Routing.read().policy("naer"))))
                .isInstanceOf(UnknownPolicyException.class)
                .hasMessage("there is no policy 'naer', only [default, near_only, nowhere]");
    }

    @Test
    void losesNoReadWhileAPolicyIsReplaced() {
        open(Safeguards.all());
        AtomicBoolean over = new AtomicBoolean();
        Mono<Long> reads = Flux.range(0, 8)
                .flatMap(
                        reader -> Flux.defer(() -> Queries.rows(factory, COUNT).contextWrite(Routing.read()))
                                .repeat(() -> !over.get()),
                        8)
                .count();
        CompletableFuture<Long> running = reads.toFuture();

        Set<String> served = new HashSet<>();
        for (int i = 0; i < 20; i++) {
            String tag = i % 2 == 0 ? "far" : "near";
            factory.replacePolicy("default", "tags(" + tag + "); halt()");
            decisions.clear();
            await().until(() -> decisions.size() >= 50);
            // what was chosen before it was replaced is announced soon after, and not among the last
            assertThat(decisions).last().extracting(RouteDecision::server).isEqualTo(tag);
            served.add(tag);
        }
        over.set(true);

        assertThat(Blocking.value(Mono.fromFuture(running))).isGreaterThan(1_000L);
        assertThat(served).hasSize(2);
    }

    @Test
    void keepsTheOldPolicyWhereTheNewOneIsNone() {
        open(Safeguards.all());

        assertThatThrownBy(() -> factory.replacePolicy("default", "tags(far), halt()"))
                .isInstanceOf(PolicySyntaxException.class)
                .hasMessageContaining("rules are separated by ';'");
        assertThatThrownBy(() -> factory.replacePolicy("no name", "all()"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a policy's name consists of letters, digits and any of _");
        factory.replacePolicy("late", "groups(far)");

        assertThat(factory.policies())
                .containsEntry("default", "tags(near)->min(1); tags(far)")
                .containsEntry("late", "tags(far)")
                .hasSize(4);
        assertThat(factory.explain(Routing.read().policy("late"), null).server())
                .isEqualTo("far");
    }

    @Test
    void spreadsReadsOverThePrimaryTooWhereItMayServeThem() {
        factory = Factories.ready(RoutingConnectionFactory.builder()
                .server("db0", cluster.primary().r2dbcUrl(), "near")
                .server("near", cluster.replica(0).r2dbcUrl(), "near")
                .server("far", cluster.replica(1).r2dbcUrl())
                .primaryReads(true)
                .preferTags("near")
                .loadBalancer(LoadBalancer.roundRobin())
                .listener(decisions::add));

        for (int i = 0; i < 10; i++) {
            Blocking.value(Queries.rows(factory, COUNT).contextWrite(Routing.read()));
        }

        assertThat(factory.policies()).containsEntry("default", "tags(near); all()");
        assertThat(decisions).extracting(RouteDecision::server).containsOnly("db0", "near");
        assertThat(factory.describe())
                .containsPattern("db0 \\* +primary +up .* \\d+\\.\\d\\d ms +1 +default")
                .containsPattern("near +replica +up .* \\d+\\.\\d\\d ms +1 +default")
                .containsPattern("far +replica +up .* - +1 +-");
    }

    private Mono<List<String>> read(Routing how) {
        return Queries.rows(factory, COUNT).contextWrite(how).contextWrite(Routing.session(session));
    }
}
