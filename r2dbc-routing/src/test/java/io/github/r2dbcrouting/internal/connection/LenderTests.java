package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.NoEligibleServerException;
import io.github.r2dbcrouting.PossiblyLostWriteException;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingListener;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.WhenBehind;
import io.github.r2dbcrouting.fake.NoQuestions;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.routing.Ejections;
import io.github.r2dbcrouting.internal.routing.FallbackBudget;
import io.github.r2dbcrouting.internal.routing.RetryBudget;
import io.github.r2dbcrouting.internal.routing.Route;
import io.github.r2dbcrouting.internal.routing.Router;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.internal.session.Unplaced;
import io.github.r2dbcrouting.internal.table.TableRef;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Position;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.R2dbcTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;

class LenderTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    /** Whatever puts a decision into words asks it of every server; a write's choice never does. */
    private static final class CountingBitSet extends BitSet {

        private static final long serialVersionUID = 1L;

        private int asked;

        @Override
        public boolean get(int index) {
            asked++;
            return super.get(index);
        }
    }

    private static final Position LOST = new WalPosition("7", 1, 900);

    private final TableRef tables = new TableRef(new NoQuestions());
    private final List<Integer> lost = new ArrayList<>();
    private final List<Unplaced> wanted = new ArrayList<>();

    /** Of a primary that has come no further than the table says. */
    private final TableRef lagging = new TableRef(new NoQuestions() {
        @Override
        public Mono<List<Position>> beyondTheEnd(List<Position> positions) {
            return Mono.just(positions).publishOn(Schedulers.parallel());
        }

        @Override
        public void positionsLost(int positions) {
            lost.add(positions);
        }

        @Override
        public void positionWanted(Unplaced write, int primary, Position position, long sentAt) {
            wanted.add(write);
            write.settle(CausalToken.of(List.of(position)), 1);
        }
    });

    private final CountingBitSet tried = new CountingBitSet();
    private final Ask write = Ask.of(Routing.write(), null);
    private final List<RouteDecision> heard = new ArrayList<>();

    @Test
    void putsNothingIntoWordsWhereNobodyListens() {
        tables.publish(table(server(0, ServerRole.PRIMARY, null), server(1, ServerRole.REPLICA, null)));

        verify(route(lender(null), write, tried));

        assertThat(tried.asked).isZero();
    }

    @Test
    void tellsTheFactorysListenerWhy() {
        tables.publish(table(server(0, ServerRole.PRIMARY, null), server(1, ServerRole.REPLICA, null)));

        verify(route(lender(heard::add), write, tried));

        assertThat(tried.asked).isEqualTo(1);
        assertThat(heard).singleElement().satisfies(decision -> {
            assertThat(decision.server()).isEqualTo("db0");
            assertThat(decision.candidates()).hasSize(2);
        });
    }

    @Test
    void tellsWhoListensForAWhileAndNobodyAfterwards() {
        tables.publish(table(server(0, ServerRole.PRIMARY, null), server(1, ServerRole.REPLICA, null)));
        Lender lender = lender(null);
        Disposable first = lender.listen(heard::add);
        Disposable second = lender.listen(heard::add);

        verify(Mono.deferContextual(context -> lender.route(write, tried, context)));

        assertThat(heard).hasSize(2);
        assertThat(tried.asked).as("put into words once").isEqualTo(1);

        first.dispose();
        first.dispose();
        verify(Mono.deferContextual(context -> lender.route(write, tried, context)));

        assertThat(heard).as("one of two equal ones").hasSize(3);
        assertThat(first.isDisposed()).isTrue();
        assertThat(second.isDisposed()).isFalse();

        second.dispose();
        int asked = tried.asked;
        verify(Mono.deferContextual(context -> lender.route(write, tried, context)));

        assertThat(heard).hasSize(3);
        assertThat(tried.asked).isEqualTo(asked);
    }

    @Test
    void putsNothingIntoWordsWhichNobodyWants() {
        tables.publish(table(server(0, ServerRole.PRIMARY, null), server(1, ServerRole.REPLICA, null)));
        AtomicInteger offered = new AtomicInteger();
        Lender lender = lender(null);
        Disposable sampling = lender.listen(new RoutingListener() {
            @Override
            public void onDecision(RouteDecision decision) {
                heard.add(decision);
            }

            @Override
            public boolean wantsNext() {
                return offered.incrementAndGet() % 2 == 0;
            }
        });

        verify(Mono.deferContextual(context -> lender.route(write, tried, context)));

        assertThat(tried.asked).isZero();
        assertThat(heard).isEmpty();

        verify(Mono.deferContextual(context -> lender.route(write, tried, context)));

        assertThat(heard).hasSize(1);
        sampling.dispose();
    }

    @Test
    void tellsWhoeverSubscribedWhy() {
        tables.publish(table(server(0, ServerRole.PRIMARY, null), server(1, ServerRole.REPLICA, null)));
        List<RouteDecision> everybodys = new ArrayList<>();

        verify(route(lender(everybodys::add), write, tried).contextWrite(Routing.listener(heard::add)));
        verify(route(lender(null), write, tried).contextWrite(Routing.listener(heard::add)));

        assertThat(everybodys).hasSize(1);
        assertThat(heard).hasSize(2);
    }

    @Test
    void goesOnWhenAListenerFails() {
        tables.publish(table(server(0, ServerRole.PRIMARY, null)));
        RoutingListener failing = decision -> {
            throw new IllegalStateException("cannot listen");
        };

        verify(route(lender(failing), write, tried).contextWrite(Routing.listener(heard::add)));

        assertThat(heard).hasSize(1);
    }

    @Test
    void saysWhoWasConsideredAndWhatKeptEachFromServing() {
        tables.publish(new RoutingTable(
                1,
                List.of(server(0, ServerRole.UNKNOWN, "refuses connections"), server(1, ServerRole.REPLICA, null)),
                null,
                "7"));

        StepVerifier.create(route(lender(null), write, tried))
                .expectErrorSatisfies(LenderTests::assertExplained)
                .verify(LIMIT);
    }

    private static void assertExplained(Throwable error) {
        assertThat(error)
                .isInstanceOf(NoEligibleServerException.class)
                .hasMessageContaining("no server could serve a write within 5 ms")
                .hasMessageContaining("no primary is known")
                .hasMessageContaining("db0 (unknown, down) refuses connections")
                .hasMessageContaining("db1 (replica, up) is a replica, the primary is needed");
        RouteDecision decision = ((NoEligibleServerException) error).decision();
        assertThat(decision).isNotNull();
        assertThat(decision.server()).isNull();
        assertThat(decision.candidates())
                .extracting(RouteDecision.Candidate::refusal)
                .containsExactly(RouteDecision.Refusal.NOT_UP, RouteDecision.Refusal.WRONG_ROLE);
    }

    @Test
    void movesAReadFromThePrimaryOnlyWhereThatWasOneOfSeveral() {
        ServerState primary = server(0, ServerRole.PRIMARY, null);
        RoutingTable table = table(primary, server(1, ServerRole.REPLICA, null));
        tables.publish(table);
        tried.set(0);
        Ask read = Ask.of(Routing.read().freshness(Freshness.any()), null);
        Route spread = new Route(primary, RouteDecision.Reason.NOTHING_TO_COVER, List.of(), table);
        Route fallback = new Route(primary, RouteDecision.Reason.NO_REPLICA_COVERS, List.of(), table);
        R2dbcException busy = new R2dbcTimeoutException("on purpose");

        assertThat(lender(null).mayMove(read, spread, tried, busy)).isTrue();
        assertThat(lender(null).mayMove(read, fallback, tried, busy)).isFalse();
        assertThat(lender(null).mayMove(write, spread, tried, busy)).isFalse();
        assertThat(lender(null).mayMove(read, spread, tried, new IllegalStateException("on purpose")))
                .isFalse();
        tried.set(1);
        assertThat(lender(null).mayMove(read, spread, tried, busy)).isFalse();
    }

    /** The primary crashed, and lost what had been captured before it was on the disk: no read may ask for it for ever. */
    @Test
    void readsOnWithoutAPositionThatThePrimaryHasLost() {
        SessionState session = new SessionState();
        session.begin("7", false, () -> {}).settle(CausalToken.of(List.of(LOST)), 0);
        lagging.publish(table(server(0, ServerRole.PRIMARY, null), server(1, ServerRole.REPLICA, null)));

        StepVerifier.create(route(lender(null, lagging), Ask.of(Routing.read(), session), tried))
                .assertNext(route -> assertThat(route.server()).isNotNull())
                .expectComplete()
                .verify(LIMIT);

        assertThat(lost).containsExactly(1);
        assertThat(wanted).as("what it hid needs a position anew").hasSize(1);
        assertThat(session.required("7")).containsExactly(new WalPosition("7", 1, 100));
    }

    @Test
    void forgetsWhatCameFromElsewhereWithoutAWordOfLoss() {
        SessionState session = new SessionState();
        session.observe(CausalToken.of(List.of(LOST)));
        lagging.publish(table(server(0, ServerRole.PRIMARY, null), server(1, ServerRole.REPLICA, null)));

        StepVerifier.create(route(lender(null, lagging), Ask.of(Routing.read(), session), tried))
                .expectNextCount(1)
                .expectComplete()
                .verify(LIMIT);

        assertThat(lost).isEmpty();
        assertThat(session.required("7")).isEmpty();
    }

    @Test
    void tellsAReadThatWaitedWhatWasLostMeanwhile() {
        SessionState session = new SessionState();

        StepVerifier.create(route(waiting(true), waitingRead(session), tried))
                .expectError(PossiblyLostWriteException.class)
                .verify(LIMIT);

        assertThat(session.takeLost()).as("told once").isFalse();
    }

    @Test
    void tellsAReadThatWaitedNothingOfALossWhereNotAskedTo() {
        StepVerifier.create(route(waiting(false), waitingRead(new SessionState()), tried))
                .assertNext(route -> assertThat(route.server()).isNotNull())
                .expectComplete()
                .verify(LIMIT);
    }

    /** A read of a session whose write gets its position, and is found to be lost, as soon as the read waits for it. */
    private Ask waitingRead(SessionState session) {
        tables.publish(table(server(0, ServerRole.PRIMARY, null), server(1, ServerRole.REPLICA, null)));
        AtomicReference<PendingWrite> pending = new AtomicReference<>();
        pending.set(session.begin(
                "7",
                false,
                () -> Schedulers.parallel().schedule(() -> {
                    pending.get().lost();
                    pending.get().settle(CausalToken.of(List.of(new WalPosition("7", 1, 100))), 1);
                })));
        pending.get().end();
        return Ask.of(Routing.read().whenBehind(WhenBehind.WAIT), session);
    }

    private Lender waiting(boolean strict) {
        return lender(null, tables, LIMIT.multipliedBy(2), strict);
    }

    private static void verify(Mono<Route> route) {
        StepVerifier.create(route)
                .assertNext(found -> assertThat(found.onPrimary()).isTrue())
                .expectComplete()
                .verify(LIMIT);
    }

    private Lender lender(RoutingListener listener) {
        return lender(listener, tables);
    }

    private static Lender lender(RoutingListener listener, TableRef tables) {
        return lender(listener, tables, Duration.ofMillis(5), false);
    }

    private static Lender lender(RoutingListener listener, TableRef tables, Duration limit, boolean strict) {
        Router router = new Router(
                server -> 0,
                bound -> 0,
                Safeguards.all(),
                new Ejections(() -> 0),
                () -> 0,
                Duration.ZERO,
                Router.Preferences.NONE);
        Retries retries = new Retries(1, new RetryBudget(() -> 0));
        Patience patience = new Patience(limit, limit, WhenBehind.WAIT_THEN_PRIMARY, limit, limit);
        FallbackBudget budget = new FallbackBudget(() -> 2, 256);
        return new Lender(
                router, tables, List.of(), listener, Safeguards.all(), retries, patience, budget, () -> 0, strict);
    }

    private static RoutingTable table(ServerState primary, ServerState... replicas) {
        List<ServerState> servers = new ArrayList<>(List.of(replicas));
        servers.add(0, primary);
        return new RoutingTable(1, servers, primary, "7");
    }

    private static ServerState server(int index, ServerRole role, String problem) {
        return new ServerState(
                index,
                "db" + index,
                List.of(),
                role,
                problem == null ? ServerStatus.UP : ServerStatus.DOWN,
                new WalPosition("7", 1, 100),
                null,
                0,
                false,
                problem);
    }

    private static Mono<Route> route(Lender lender, Ask ask, BitSet tried) {
        return Mono.deferContextual(context -> lender.route(ask, tried, context));
    }
}
