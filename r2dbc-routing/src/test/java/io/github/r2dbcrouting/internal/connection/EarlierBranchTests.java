package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.NoEligibleServerException;
import io.github.r2dbcrouting.PossiblyLostWriteException;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.Unresolved;
import io.github.r2dbcrouting.fake.NoQuestions;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.routing.Ejections;
import io.github.r2dbcrouting.internal.routing.FallbackBudget;
import io.github.r2dbcrouting.internal.routing.Permit;
import io.github.r2dbcrouting.internal.routing.RetryBudget;
import io.github.r2dbcrouting.internal.routing.Route;
import io.github.r2dbcrouting.internal.routing.Router;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.internal.session.Unplaced;
import io.github.r2dbcrouting.internal.table.TableRef;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Lineage;
import io.github.r2dbcrouting.spi.Position;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

/** A session that has done something under an earlier primary is told of a loss before it reads from the next one. */
class EarlierBranchTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final List<Unplaced> wanted = new ArrayList<>();
    private final TableRef tables = new TableRef(new NoQuestions() {
        @Override
        public void positionWanted(Unplaced write, int primary, @Nullable Position basis, long sentAt) {
            wanted.add(write);
        }
    });
    private final FallbackBudget budget = new FallbackBudget(() -> 1, 256);
    private final SessionState session = new SessionState();
    private final Lender lender = new Lender(
            new Router(
                    server -> 0,
                    bound -> 0,
                    Safeguards.all(),
                    new Ejections(() -> 0),
                    () -> 0,
                    Duration.ZERO,
                    Router.Preferences.NONE),
            tables,
            List.of(),
            null,
            Safeguards.all(),
            new Retries(1, new RetryBudget(() -> 0)),
            Fixture.PATIENCE,
            budget,
            () -> 0,
            true);

    @Test
    void isToldOfAnAcknowledgedWriteThatHadNoPositionWhenItsPrimaryWent() {
        publish(1);
        PendingWrite write = acknowledged(at(1, 100));
        publish(2);

        StepVerifier.create(read())
                .expectSubscription()
                .then(() -> {
                    write.lost();
                    write.settle(CausalToken.of(List.of(at(2, 300))), 1);
                })
                .expectError(PossiblyLostWriteException.class)
                .verify(LIMIT);
    }

    @Test
    void goesOnAfterAWriteThatTurnsOutToHaveSurvived() {
        publish(1);
        PendingWrite write = acknowledged(at(1, 100));
        publish(2);

        StepVerifier.create(read())
                .expectSubscription()
                .then(() -> write.settle(CausalToken.of(List.of(at(2, 300))), 1))
                .assertNext(route -> assertThat(route.server()).isNotNull())
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void readsFromThePrimaryAtOnceWhereItWroteToThatOne() {
        publish(2);
        PendingWrite write = acknowledged(at(2, 250));

        StepVerifier.create(read())
                .assertNext(route -> assertThat(route.onPrimary()).isTrue())
                .expectComplete()
                .verify(LIMIT);
        assertThat(write.isRead()).isFalse();
    }

    @Test
    void waitsNotForWhatMayGoOnForLong() {
        publish(1);
        PendingWrite open = session.begin("7", false, () -> {}, at(1, 100));
        publish(2);

        StepVerifier.create(read())
                .assertNext(route -> assertThat(route.onPrimary()).isTrue())
                .expectComplete()
                .verify(LIMIT);
        assertThat(open.isRead()).isFalse();
    }

    /** While it waits it is judged by the line of the primary that there was when it began. */
    @Test
    void isToldAlsoIfThePrimaryChangesWhileItWaits() {
        publish(1);
        session.observe(CausalToken.of(List.of(at(1, 290))));
        List<Permit> taken = new ArrayList<>();
        budget.request(taken::add);

        StepVerifier.create(read())
                .expectSubscription()
                .then(() -> {
                    publish(2);
                    taken.get(0).release();
                })
                .expectError(PossiblyLostWriteException.class)
                .verify(LIMIT);
        assertThat(budget.inUse()).isZero();
        assertThat(session.required("7")).containsExactly(at(2, 300));
    }

    /** No replica will ever have that: without another look at the session the read would wait until its deadline. */
    @Test
    void isToldAlsoIfWhatItSawOnTheBranchThatWasLeftIsFoundWhileItWaits() {
        publish(2);
        List<Permit> taken = new ArrayList<>();
        budget.request(taken::add);

        StepVerifier.create(read())
                .expectSubscription()
                .then(() -> {
                    session.observe(CausalToken.of(List.of(at(1, 290))));
                    publish(2, ServerStatus.UP);
                })
                .expectError(PossiblyLostWriteException.class)
                .verify(LIMIT);
        taken.get(0).release();
        assertThat(budget.inUse()).isZero();
    }

    /** It would be lost, and with it whatever others go on to write who have seen it. */
    @Test
    void writesNothingToThePrimaryOfABranchThatTheSessionHasSeenTheEndOf() {
        publish(1);
        session.observe(CausalToken.of(List.of(at(2, 300))));

        StepVerifier.create(Mono.deferContextual(
                        context -> lender.route(Ask.of(Routing.write(), session), new BitSet(), context)))
                .expectSubscription()
                .then(() -> publish(2))
                .assertNext(route -> assertThat(route.table().followed()).isEqualTo(1))
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void takesOverNothingThatWasDoneOnALaterBranchUntilThatIsFollowed() {
        publish(1);
        session.observe(CausalToken.of(List.of(), List.of(new Unresolved("7", at(2, 300), Unresolved.ENDED))));

        StepVerifier.create(read())
                .expectSubscription()
                .then(() -> {
                    assertThat(session.hasUnresolved("7")).isTrue();
                    publish(2);
                })
                .assertNext(route -> assertThat(route.table().followed()).isEqualTo(1))
                .expectComplete()
                .verify(LIMIT);
        assertThat(session.hasUnresolved("7")).isFalse();
    }

    /** Something else that came with it may go on for a minute: who is served meanwhile is told first. */
    @Test
    void isToldOfWhatEndedElsewhereThoughSomethingThereMayGoOn() {
        publish(2);
        long until = System.currentTimeMillis() / 1000 + Unresolved.LASTS;
        session.observe(CausalToken.of(List.of(), List.of(new Unresolved("7", at(1, 100), until))));

        StepVerifier.create(read())
                .expectSubscription()
                .then(() -> wanted.forEach(write -> {
                    write.lost();
                    write.settle(CausalToken.of(List.of(at(2, 300))), 1);
                }))
                .expectError(PossiblyLostWriteException.class)
                .verify(LIMIT);
        assertThat(session.hasUnresolved("7")).isTrue();
        StepVerifier.create(read())
                .assertNext(route -> assertThat(route.onPrimary()).isTrue())
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void readsFromThePrimaryWhileSomethingElsewhereMayGoOnOfWhichNothingCanBeLost() {
        publish(2);
        long until = System.currentTimeMillis() / 1000 + Unresolved.LASTS;
        session.observe(CausalToken.of(List.of(), List.of(new Unresolved("7", at(2, 100), until))));

        StepVerifier.create(read())
                .assertNext(route -> assertThat(route.onPrimary()).isTrue())
                .expectComplete()
                .verify(LIMIT);
        assertThat(wanted).isEmpty();
    }

    /** It began to wait when there was no primary, so nobody could be found to be behind. */
    @Test
    void servesNoReadThatWaitsForAPrimaryByOneOfAnEarlierBranch() {
        publishWithoutPrimary();
        session.observe(CausalToken.of(List.of(at(2, 300))));

        StepVerifier.create(read())
                .expectSubscription()
                .then(() -> publish(1))
                .expectNoEvent(Fixture.PATIENCE.maxWait().multipliedBy(3))
                .then(() -> publish(2))
                .assertNext(route -> assertThat(route.table().followed()).isEqualTo(1))
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void servesAReadThatWaitsForAPrimaryByTheOneThatComes() {
        publishWithoutPrimary();
        session.observe(CausalToken.of(List.of(at(1, 300))));

        StepVerifier.create(read())
                .expectSubscription()
                .then(() -> publish(1))
                .assertNext(route -> assertThat(route.table().followed()).isZero())
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void failsWhereNobodyIsFoundOnTheLaterBranch() {
        publish(1);
        session.observe(CausalToken.of(List.of(at(2, 300))));

        StepVerifier.withVirtualTime(() -> Mono.deferContextual(
                        context -> lender.route(Ask.of(Routing.write(), session), new BitSet(), context)))
                .expectSubscription()
                .thenAwait(Lender.CATCH_UP_LIMIT)
                .expectError(NoEligibleServerException.class)
                .verify(LIMIT);
    }

    private PendingWrite acknowledged(WalPosition basis) {
        PendingWrite write = session.begin("7", false, () -> {}, basis);
        write.end();
        return write;
    }

    private Mono<Route> read() {
        return Mono.deferContextual(context -> lender.route(Ask.of(Routing.read(), session), new BitSet(), context));
    }

    private void publishWithoutPrimary() {
        publish(1);
        List<ServerState> servers = tables.current().servers().stream()
                .map(server -> server.role() == ServerRole.PRIMARY
                        ? new ServerState(
                                server.index(),
                                server.name(),
                                List.of(),
                                ServerRole.PRIMARY,
                                ServerStatus.DOWN,
                                server.position(),
                                null,
                                1,
                                false,
                                null)
                        : server)
                .toList();
        tables.publish(new RoutingTable(1, servers, null, "7", Lineage.of(1, List.of()), 0));
    }

    /** The primary of the first branch, or the one of the second, which began at 200. */
    private void publish(int branch) {
        publish(branch, branch == 1 ? ServerStatus.UP : ServerStatus.DOWN);
    }

    private void publish(int branch, ServerStatus statusOfOther) {
        ServerState primary = new ServerState(
                branch - 1,
                "db" + (branch - 1),
                List.of(),
                ServerRole.PRIMARY,
                ServerStatus.UP,
                at(branch, 300),
                null,
                1,
                false,
                null);
        ServerState other = new ServerState(
                2 - branch,
                "db" + (2 - branch),
                List.of(),
                ServerRole.REPLICA,
                statusOfOther,
                at(branch, 150),
                null,
                1,
                false,
                null);
        List<ServerState> servers = branch == 1 ? List.of(primary, other) : List.of(other, primary);
        Lineage line = branch == 1 ? Lineage.of(1, List.of()) : Lineage.of(2, List.of(at(1, 200)));
        tables.publish(new RoutingTable(branch, servers, primary, "7", line, branch - 1));
    }

    private static WalPosition at(int timeline, long lsn) {
        return new WalPosition("7", timeline, lsn);
    }
}
