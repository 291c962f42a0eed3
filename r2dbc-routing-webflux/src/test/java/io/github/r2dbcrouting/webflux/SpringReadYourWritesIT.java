package io.github.r2dbcrouting.webflux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;

/** A session sees what it wrote, however Spring wrote it and however it reads, with replicas that have nothing of it. */
@PostgresClusterTest(replicas = 2)
class SpringReadYourWritesIT {

    private final PostgresCluster cluster;
    private SpringFixture fixture;

    SpringReadYourWritesIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void open() {
        fixture = new SpringFixture(cluster);
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    @TestFactory
    Stream<DynamicTest> readsWhatItWroteWhileNoReplicaHasIt() {
        cluster.replica(0).pauseReplay();
        cluster.replica(1).pauseReplay();
        return Scenario.ALL.stream()
                .filter(Scenario::writes)
                .map(scenario -> DynamicTest.dynamicTest(scenario.title(), () -> readsWhatItWrote(scenario)));
    }

    private void readsWhatItWrote(Scenario scenario) {
        CausalSession session = CausalSession.resume(fixture.token);
        Function<Context, Context> entry = Routing.session(session);
        Steps steps = fixture.steps();

        assertThatCode(() ->
                        Blocking.run(scenario.run(steps, fixture.transactions()).contextWrite(entry)))
                .as(scenario.title())
                .doesNotThrowAnyException();

        assertThat(steps.written()).as(scenario.title()).isNotEmpty();
        for (String text : steps.written()) {
            assertThat(found(text, entry)).as(scenario + ", by the repository").isOne();
            assertThat(found(text, Routing.read().andThen(entry)))
                    .as(scenario + ", where a replica was asked for")
                    .isOne();
            assertThat(foundReadOnly(text, entry))
                    .as(scenario + ", in a read-only transaction")
                    .isOne();
            assertThat(found(text, Routing.read()))
                    .as(scenario + ", without the session, which shows that no replica has it")
                    .isZero();
        }
        fixture.assertEverythingIsBack();
    }

    @Test
    void readsWhatItWroteFromAReplicaOnceThatHasIt() {
        CausalSession session = CausalSession.create();
        Function<Context, Context> entry = Routing.session(session);
        Steps steps = fixture.steps();
        Blocking.run(fixture.transactions().readWrite(steps.write()).contextWrite(entry));
        Blocking.run(session.token());
        fixture.awaitReplicasThatCover(session);
        fixture.decisions().clear();

        assertThat(foundReadOnly(steps.written().get(0), entry)).isOne();

        assertThat(fixture.decisions()).extracting(RouteDecision::role).containsExactly(ServerRole.REPLICA);
    }

    @Test
    void keepsWhatANestedRollbackLeaves() {
        Function<Context, Context> entry = Routing.session(CausalSession.create());
        Steps outer = fixture.steps();
        Steps inner = fixture.steps();
        Transactions transactions = fixture.transactions();

        Blocking.run(transactions
                .readWrite(
                        outer.write(),
                        transactions
                                .nested(inner.write(), Mono.error(new IllegalStateException("out of stock")))
                                .onErrorComplete(IllegalStateException.class))
                .contextWrite(entry));

        assertThat(found(outer.written().get(0), entry)).isOne();
        assertThat(found(inner.written().get(0), entry)).isZero();
        fixture.assertEverythingIsBack();
    }

    @Test
    void leavesNothingOfARollback() {
        Function<Context, Context> entry = Routing.session(CausalSession.create());
        Steps steps = fixture.steps();

        Blocking.run(fixture.transactions()
                .readWrite(steps.write(), Mono.error(new IllegalStateException("out of stock")))
                .onErrorComplete(IllegalStateException.class)
                .contextWrite(entry));

        assertThat(steps.written()).hasSize(1).noneMatch(fixture::onPrimary);
        assertThat(found(steps.written().get(0), entry)).isZero();
        fixture.assertEverythingIsBack();
    }

    private long found(String text, Function<Context, Context> entry) {
        return Blocking.value(fixture.notes().findByText(text).count().contextWrite(entry));
    }

    private long foundReadOnly(String text, Function<Context, Context> entry) {
        Mono<Long> count = fixture.notes().findByText(text).count();
        return Blocking.value(fixture.steps().operator(true, count).contextWrite(entry));
    }
}
