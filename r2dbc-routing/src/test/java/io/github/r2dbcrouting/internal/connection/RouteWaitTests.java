package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Lag;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.Unresolved;
import io.github.r2dbcrouting.WhenBehind;
import io.github.r2dbcrouting.fake.HeldScheduler;
import io.github.r2dbcrouting.fake.NoQuestions;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.routing.Ejections;
import io.github.r2dbcrouting.internal.routing.FallbackBudget;
import io.github.r2dbcrouting.internal.routing.Permit;
import io.github.r2dbcrouting.internal.routing.Policies;
import io.github.r2dbcrouting.internal.routing.Route;
import io.github.r2dbcrouting.internal.routing.Router;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.internal.table.TableRef;
import io.github.r2dbcrouting.policy.Policy;
import io.github.r2dbcrouting.postgresql.WalPosition;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.scheduler.Schedulers;

class RouteWaitTests {

    private static final Duration MAX_WAIT = Duration.ofMillis(100);
    private static final Duration DEADLINE = Duration.ofSeconds(1);

    private final TableRef tables = new TableRef(new NoQuestions());
    private final FallbackBudget budget = new FallbackBudget(() -> 1, 2);
    private final SessionState session = new SessionState();
    private final List<Route> found = new ArrayList<>();
    private final List<Throwable> errors = new ArrayList<>();
    private final Router router = new Router(
            server -> 0,
            bound -> 0,
            Safeguards.all(),
            new Ejections(() -> 0),
            this::now,
            Duration.ZERO,
            Router.Preferences.NONE);
    private HeldScheduler time;

    @BeforeEach
    void behind() {
        time = HeldScheduler.install();
        session.observe(CausalToken.of(List.of(position(60))));
        publish(50, Duration.ZERO);
    }

    @AfterEach
    void realTimeAgain() {
        Schedulers.resetFactory();
    }

    @Test
    void takesTheReplicaThatCatchesUpFirst() {
        wait(WhenBehind.WAIT_THEN_PRIMARY);
        pass(Duration.ofMillis(40));
        assertThat(found).isEmpty();

        publish(60, Duration.ZERO);
        pass(Duration.ofMillis(1));

        assertThat(found).singleElement().satisfies(route -> {
            assertThat(route.onPrimary()).isFalse();
            assertThat(route.permit()).isNull();
            assertThat(route.waited()).isBetween(Duration.ofMillis(40), Duration.ofMillis(41));
        });
        assertNothingIsLeft();
    }

    @Test
    void turnsToThePrimaryOnceItHasWaited() {
        wait(WhenBehind.WAIT_THEN_PRIMARY);
        pass(MAX_WAIT.minusMillis(1));
        assertThat(found).isEmpty();

        pass(Duration.ofMillis(1));

        assertOnPrimary();
        assertThat(budget.inUse()).isEqualTo(1);
    }

    @Test
    void turnsToThePrimaryAtOnceWhereNoReplicaIsLikelyToCatchUp() {
        publish(50, MAX_WAIT.plusMillis(1));

        wait(WhenBehind.WAIT_THEN_PRIMARY);

        assertOnPrimary();
    }

    @Test
    void turnsToThePrimaryAtOnceWhereThatIsAsked() {
        wait(WhenBehind.PRIMARY);

        assertOnPrimary();
    }

    @Test
    void neverTurnsToThePrimaryWhereThatIsAsked() {
        wait(WhenBehind.WAIT);

        pass(DEADLINE.minusMillis(1));
        assertThat(found).isEmpty();
        assertThat(errors).isEmpty();
        assertThat(budget.inUse()).isZero();
        pass(Duration.ofMillis(1));

        assertThat(errors).singleElement().isInstanceOf(IllegalStateException.class);
        assertNothingIsLeft();
    }

    @Test
    void waitsOutWhatMayStillBeGoingOnElsewhere() {
        long soon = Instant.now().getEpochSecond() + 30;
        session.observe(CausalToken.of(List.of(), List.of(new Unresolved("7", position(10), soon))));
        publish(60, Duration.ZERO);

        wait(WhenBehind.WAIT);
        pass(DEADLINE.minusMillis(1));
        assertThat(found).isEmpty();
        assertThat(errors).isEmpty();
        pass(Duration.ofMillis(1));

        assertThat(errors).singleElement().isInstanceOf(IllegalStateException.class);
        assertNothingIsLeft();
    }

    @Test
    void takesThePrimaryForWhatMayStillBeGoingOnElsewhere() {
        long soon = Instant.now().getEpochSecond() + 30;
        session.observe(CausalToken.of(List.of(), List.of(new Unresolved("7", position(10), soon))));

        wait(WhenBehind.PRIMARY);

        assertOnPrimary();
    }

    @Test
    void takesThePermitThatIsReleasedFirst() {
        Permit taken = takePermit();
        wait(WhenBehind.PRIMARY);
        pass(Duration.ofMillis(300));
        assertThat(found).isEmpty();
        assertThat(budget.queued()).isEqualTo(1);

        taken.release();
        pass(Duration.ZERO);

        assertOnPrimary();
        assertThat(budget.queued()).isZero();
    }

    @Test
    void takesTheReplicaAlsoWhileItQueuesForThePrimary() {
        Permit taken = takePermit();
        wait(WhenBehind.PRIMARY);

        publish(60, Duration.ZERO);
        pass(Duration.ofMillis(1));

        assertThat(found).singleElement().matches(route -> !route.onPrimary());
        taken.release();
        assertNothingIsLeft();
    }

    @Test
    void givesBackThePermitThatArrivesWithTheDeadline() {
        Permit taken = takePermit();
        wait(WhenBehind.PRIMARY);

        taken.release();
        // it is on its way when the deadline passes
        time.pass(DEADLINE);
        time.run();

        assertThat(errors).hasSize(1);
        assertThat(found).isEmpty();
        assertNothingIsLeft();
    }

    @Test
    void queuesForThePrimaryThatIsBackBeforeItNoticedThatItWasGone() {
        Permit taken = takePermit();
        wait(WhenBehind.PRIMARY);
        taken.release();
        publishWithoutPrimary(50);
        time.pass(Duration.ofMillis(1));
        publish(50, Duration.ZERO);
        time.run();

        assertOnPrimary();
    }

    @Test
    void givesBackThePermitThatArrivesWithTheCancel() {
        Permit taken = takePermit();
        Disposable waiting = wait(WhenBehind.PRIMARY);

        taken.release();
        waiting.dispose();
        pass(Duration.ofMillis(1));

        assertThat(found).isEmpty();
        assertNothingIsLeft();
    }

    @Test
    void leavesNothingWhenItIsCancelled() {
        Permit taken = takePermit();
        Disposable waiting = wait(WhenBehind.PRIMARY);
        Disposable patient = wait(WhenBehind.WAIT);
        assertThat(tables.watch().size()).isEqualTo(2);

        waiting.dispose();
        patient.dispose();

        taken.release();
        assertNothingIsLeft();
    }

    @Test
    void waitsForAReplicaOnlyWhereTheQueueForThePrimaryIsFull() {
        Permit taken = takePermit();
        wait(WhenBehind.PRIMARY);
        wait(WhenBehind.PRIMARY);
        wait(WhenBehind.PRIMARY);
        assertThat(budget.queued()).isEqualTo(2);

        publish(60, Duration.ZERO);
        pass(Duration.ofMillis(1));

        assertThat(found).hasSize(3).noneMatch(Route::onPrimary);
        taken.release();
        assertNothingIsLeft();
    }

    @Test
    void turnsToThePrimaryThatAppears() {
        publishWithoutPrimary(50);
        wait(WhenBehind.PRIMARY);
        pass(Duration.ofMillis(200));
        assertThat(found).isEmpty();
        assertThat(budget.inUse()).isZero();

        publish(50, Duration.ZERO);
        pass(Duration.ofMillis(1));

        assertOnPrimary();
    }

    @Test
    void queuesAgainWhenThePrimaryWentBeforeThePermitCame() {
        Permit taken = takePermit();
        wait(WhenBehind.PRIMARY);
        publishWithoutPrimary(50);
        pass(Duration.ofMillis(1));

        taken.release();
        pass(Duration.ofMillis(1));
        assertThat(found).isEmpty();
        assertThat(budget.inUse()).isZero();
        publish(50, Duration.ZERO);
        pass(Duration.ofMillis(1));

        assertOnPrimary();
    }

    @Test
    void asksForThePrimaryNoMoreOnceItsPolicyEndsWithNobody() {
        Permit taken = takePermit();
        wait(WhenBehind.PRIMARY);
        router.replacePolicy(Policies.DEFAULT, Policy.parse("min(1); halt()"));

        taken.release();
        pass(Duration.ofMillis(1));
        assertThat(found).isEmpty();
        assertThat(budget.inUse()).isZero();
        assertThat(budget.queued()).isZero();
        publish(60, Duration.ZERO);
        pass(Duration.ofMillis(1));

        assertThat(found).singleElement().matches(route -> !route.onPrimary());
        assertNothingIsLeft();
    }

    @Test
    void asksForThePrimaryAgainOnceItsPolicyAllowsIt() {
        Permit taken = takePermit();
        wait(WhenBehind.PRIMARY);
        router.replacePolicy(Policies.DEFAULT, Policy.parse("min(1); halt()"));
        taken.release();
        pass(Duration.ofMillis(1));

        router.replacePolicy(Policies.DEFAULT, Policy.parse("min(1)"));
        publish(51, Duration.ZERO);
        pass(Duration.ofMillis(1));

        assertOnPrimary();
    }

    @Test
    void goesOnOnceItsWriteHasAPosition() {
        PendingWrite write = session.begin("7", false, () -> {});
        wait(WhenBehind.WAIT);
        publish(70, Duration.ZERO);
        pass(Duration.ofMillis(10));
        assertThat(found).isEmpty();

        write.settle(CausalToken.of(List.of(position(65))), 1);
        pass(Duration.ofMillis(1));

        assertThat(found).singleElement().matches(route -> !route.onPrimary());
        assertNothingIsLeft();
    }

    @Test
    void failsWhenTheRouterIsClosed() {
        wait(WhenBehind.WAIT);

        tables.close();
        pass(Duration.ofMillis(1));
        wait(WhenBehind.WAIT);

        assertThat(errors).hasSize(2).allMatch(error -> error.getMessage().contains("closed"));
        assertNothingIsLeft();
    }

    private void assertOnPrimary() {
        assertThat(found).singleElement().satisfies(route -> {
            assertThat(route.onPrimary()).isTrue();
            assertThat(route.permit()).isNotNull();
        });
        assertThat(tables.watch().size()).isZero();
    }

    private void assertNothingIsLeft() {
        assertThat(tables.watch().size()).isZero();
        assertThat(budget.inUse()).isZero();
        assertThat(budget.queued()).isZero();
    }

    private Permit takePermit() {
        List<Permit> permits = new ArrayList<>();
        budget.request(permits::add);
        return permits.get(0);
    }

    private Disposable wait(WhenBehind whenBehind) {
        return new RouteWait(
                        router,
                        tables,
                        budget,
                        this::now,
                        Ask.of(Routing.read(), session),
                        new BitSet(),
                        whenBehind,
                        MAX_WAIT,
                        DEADLINE,
                        () -> new IllegalStateException("late"),
                        table -> false)
                .subscribe(found::add, errors::add);
    }

    private long now() {
        return time.now(TimeUnit.NANOSECONDS);
    }

    private void pass(Duration duration) {
        time.run();
        time.pass(duration);
        time.run();
    }

    private void publish(long replicaAt, Duration catchUp) {
        ServerState primary = server(0, ServerRole.PRIMARY, ServerStatus.UP, 100, Duration.ZERO);
        ServerState replica = server(1, ServerRole.REPLICA, ServerStatus.UP, replicaAt, catchUp);
        tables.publish(new RoutingTable(1, List.of(primary, replica), primary, "7"));
    }

    private void publishWithoutPrimary(long replicaAt) {
        ServerState gone = server(0, ServerRole.UNKNOWN, ServerStatus.DOWN, 100, Duration.ZERO);
        ServerState replica = server(1, ServerRole.REPLICA, ServerStatus.UP, replicaAt, Duration.ZERO);
        tables.publish(new RoutingTable(1, List.of(gone, replica), null, "7"));
    }

    private static ServerState server(int index, ServerRole role, ServerStatus status, long lsn, Duration catchUp) {
        return new ServerState(index, "db" + index, List.of(), role, status, position(lsn), null, 0, false, null)
                .withLag(new Lag(Lag.NEVER, catchUp));
    }

    private static WalPosition position(long lsn) {
        return new WalPosition("7", 1, lsn);
    }
}
