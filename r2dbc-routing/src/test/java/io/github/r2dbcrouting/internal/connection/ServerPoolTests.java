package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.fake.FakeConnection;
import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.r2dbc.pool.ConnectionPool;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.test.scheduler.VirtualTimeScheduler;

class ServerPoolTests {

    private static final int ANOTHER = 1;

    private final Fixture fixture = new Fixture();
    private final List<Lease> leases = new ArrayList<>();
    private final List<Throwable> errors = new ArrayList<>();
    private ServerPool pool;
    private int restarts;
    private int followed = RoutingTable.NOBODY;

    @BeforeEach
    void virtualTime() {
        VirtualTimeScheduler.set(fixture.time);
        pool = pool(10, Safeguards.all());
    }

    @AfterEach
    void realTime() {
        VirtualTimeScheduler.reset();
    }

    @Test
    void keepsItsConnectionsWhenTheServerIsHeardOfForTheFirstTime() {
        ConnectionPool before = pool.pool();
        publish(new ServerState(
                0, "db0", List.of(), ServerRole.UNKNOWN, ServerStatus.DOWN, null, null, 0, true, "cannot be reached"));
        giveBack(lend());

        publish(ServerStatus.UP);

        assertThat(pool.pool()).isSameAs(before);
        assertThat(fixture.server.stillOpen()).isEqualTo(1);
    }

    @Test
    void keepsItsConnectionsWhileTheServerIsAwayAndComesBackAsItWas() {
        is(ServerRole.PRIMARY);
        ConnectionPool before = pool.pool();
        Lease lent = lend();
        giveBack(lend());

        for (ServerStatus status : List.of(ServerStatus.SUSPECT, ServerStatus.DOWN, ServerStatus.UP)) {
            publish(status);
        }
        fixture.time.advanceTimeBy(PoolGeneration.DEADLINE.multipliedBy(2));

        assertThat(pool.pool()).isSameAs(before);
        assertThat(fixture.server.stillOpen()).isEqualTo(2);
        giveBack(lent);
        assertThat(fixture.server.stillOpen()).isEqualTo(2);
    }

    @Test
    void closesIdleConnectionsAtOnceWhenTheServerWasRestarted() {
        is(ServerRole.REPLICA);
        giveBack(lend());

        restart();

        assertThat(driver(0).closes()).isEqualTo(1);
        assertThat(fixture.server.stillOpen()).isZero();
    }

    @Test
    void closesIdleConnectionsAtOnceWhenTheServerWasPromoted() {
        is(ServerRole.REPLICA);
        giveBack(lend());

        is(ServerRole.PRIMARY);

        assertThat(fixture.server.stillOpen()).isZero();
        giveBack(lend());
        assertThat(fixture.server.stillOpen()).isEqualTo(1);
    }

    @Test
    void letsAReadEndOnAPromotedReplicaAndClosesItsConnectionThen() {
        is(ServerRole.REPLICA);
        Lease reading = lend();

        is(ServerRole.PRIMARY);

        fixture.time.advanceTimeBy(PoolGeneration.DEADLINE.minusMillis(1));
        assertThat(driver(0).closes()).isZero();
        giveBack(reading);
        assertThat(driver(0).closes()).isEqualTo(1);
        fixture.time.advanceTimeBy(PoolGeneration.DEADLINE);
        assertThat(driver(0).closes()).isEqualTo(1);
        assertThat(pool.inFlight()).isZero();
    }

    @Test
    void closesALentConnectionAtTheDeadline() {
        is(ServerRole.REPLICA);
        Lease reading = lend();

        is(ServerRole.PRIMARY);
        fixture.time.advanceTimeBy(PoolGeneration.DEADLINE);

        assertThat(driver(0).closes()).isEqualTo(1);
        assertThat(pool.inFlight()).isEqualTo(1);
        giveBack(reading);
        assertThat(pool.inFlight()).isZero();
    }

    @Test
    void closesWhatALosingPrimaryHasLentAtOnce() {
        is(ServerRole.PRIMARY);
        Lease writing = lend();
        giveBack(lend());

        publish(ServerStatus.REFUSED);

        assertThat(fixture.server.stillOpen()).isZero();
        assertThat(pool.inFlight()).isEqualTo(1);
        giveBack(writing);
        assertThat(pool.inFlight()).isZero();
    }

    @Test
    void closesWhatAPrimaryHasLentThatIsDownWhenAnotherOneTakesOver() {
        is(ServerRole.PRIMARY);
        var writing = lend();
        publish(ServerStatus.DOWN);
        assertThat(driver(0).closes()).isZero();

        followed = ANOTHER;
        publish(ServerStatus.DOWN);

        assertThat(driver(0).closes()).isEqualTo(1);
        giveBack(writing);
    }

    @Test
    void closesWhatLeadsToAnotherClusterAtOnce() {
        is(ServerRole.REPLICA);
        Lease reading = lend();

        fixture.server.cluster = "8";
        publish(ServerStatus.REFUSED);

        assertThat(driver(0).closes()).isEqualTo(1);
        giveBack(reading);
    }

    @Test
    void closesWhatWasLentByAPrimaryOfAnEarlierLifeAtOnce() {
        is(ServerRole.PRIMARY);
        Lease writing = lend();

        restart();

        assertThat(driver(0).closes()).isEqualTo(1);
        giveBack(writing);
    }

    @Test
    void leavesAConnectionAloneThatLeadsToTheNewLifeAlready() {
        is(ServerRole.PRIMARY);
        fixture.server.startedAt = "time 1";
        Lease writing = lend();

        restart();
        fixture.time.advanceTimeBy(PoolGeneration.DEADLINE);

        assertThat(driver(0).closes()).isZero();
        giveBack(writing);
        assertThat(driver(0).closes()).isEqualTo(1);
    }

    @Test
    void closesAlsoWhatIsLeftOfEarlierGenerationsWhenThePrimaryLoses() {
        is(ServerRole.PRIMARY);
        fixture.server.startedAt = "time 1";
        Lease writing = lend();
        restart();

        publish(ServerStatus.REFUSED);

        assertThat(driver(0).closes()).isEqualTo(1);
        giveBack(writing);
    }

    @Test
    void doesNotTakeALoserForAnythingElseWhileItDoesNotAnswer() {
        is(ServerRole.PRIMARY);
        publish(ServerStatus.REFUSED);
        ConnectionPool before = pool.pool();

        publish(ServerStatus.SUSPECT);
        publish(ServerStatus.REFUSED);

        assertThat(pool.pool()).isSameAs(before);
    }

    @Test
    void letsABorrowerGoOnWhoWaitedForAConnectionToBeOpened() {
        Sinks.Empty<Void> gate = gate();
        is(ServerRole.PRIMARY);
        lendLater();
        assertThat(leases).isEmpty();

        fixture.server.opening = Mono.empty();
        restart();

        assertThat(leases).hasSize(1);
        assertThat(errors).isEmpty();
        assertThat(pool.inFlight()).isEqualTo(1);
        gate.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);
        assertThat(fixture.server.stillOpen()).isEqualTo(1);
        giveBack(leases.get(0));
        assertThat(pool.inFlight()).isZero();
    }

    @Test
    void letsABorrowerGoOnWhoWaitedForAConnectionToBecomeFree() {
        pool = pool(1, Safeguards.all());
        is(ServerRole.PRIMARY);
        Lease first = lend();
        lendLater();
        assertThat(pool.inFlight()).isEqualTo(2);

        restart();

        assertThat(leases).hasSize(1);
        assertThat(leases.get(0).physical().introduction().identity()).isEqualTo(fixture.server.identity());
        assertThat(pool.inFlight()).isEqualTo(2);
        giveBack(first);
        giveBack(leases.get(0));
        assertThat(pool.inFlight()).isZero();
        assertThat(fixture.server.stillOpen()).isEqualTo(1);
    }

    @Test
    void tellsABorrowerWhoWaitedThatTheServerIsAnotherNow() {
        var gate = gate();
        is(ServerRole.REPLICA);
        lendLater();

        is(ServerRole.PRIMARY);

        assertThat(errors).singleElement().isInstanceOf(UnfitConnectionException.class);
        gate.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);
        assertThat(leases).isEmpty();
        assertThat(fixture.server.stillOpen()).isZero();
        assertThat(pool.inFlight()).isZero();
    }

    @Test
    void goesOnWithTheNextGenerationOnce() {
        var gate = gate();
        is(ServerRole.PRIMARY);
        lendLater();

        restart();
        assertThat(errors).isEmpty();
        restart();

        assertThat(errors).singleElement().isInstanceOf(UnfitConnectionException.class);
        gate.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);
        assertThat(fixture.server.stillOpen()).isZero();
        assertThat(pool.inFlight()).isZero();
    }

    @Test
    void leavesNothingBehindOfABorrowerWhoGaveUpBeforeOrAfterTheServerChanged() {
        var gate = gate();
        is(ServerRole.PRIMARY);
        Disposable before = lendLater();
        Disposable after = lendLater();

        before.dispose();
        restart();
        after.dispose();
        gate.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);
        fixture.time.advanceTimeBy(PoolGeneration.DEADLINE);

        assertThat(leases).isEmpty();
        assertThat(errors).isEmpty();
        assertThat(pool.inFlight()).isZero();
        assertThat(pool.pool().getMetrics().orElseThrow().acquiredSize()).isZero();
    }

    /** r2dbc-pool looks at an idle connection, and puts it back into a queue that nobody knows any more. */
    @Test
    void closesAConnectionThatThePoolForgetsBecauseItEndsAtThatMoment() {
        is(ServerRole.PRIMARY);
        giveBack(lend());
        AtomicBoolean once = new AtomicBoolean();
        driver(0).validating = () -> {
            if (once.compareAndSet(false, true)) {
                restart();
            }
        };

        lendLater();

        assertThat(driver(0).closes()).isEqualTo(1);
        assertThat(errors).isEmpty();
        assertThat(leases).hasSize(1);
        assertThat(fixture.server.stillOpen()).isEqualTo(1);
        giveBack(leases.get(0));
    }

    @Test
    void closesAConnectionThatIsOpenedForAPoolThatHasEnded() {
        var gate = gate();
        is(ServerRole.PRIMARY);
        lendLater();
        fixture.server.opening = Mono.empty();
        restart();
        assertThat(fixture.server.opened()).hasSize(1);

        gate.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);

        assertThat(driver(1).closes()).isEqualTo(1);
        assertThat(driver(0).closes()).isZero();
        giveBack(leases.get(0));
    }

    @Test
    void closesWhatIsOpenedForARouterThatIsClosed() {
        var gate = gate();
        is(ServerRole.PRIMARY);
        lendLater();

        run(pool.close());
        gate.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);

        assertThat(leases).isEmpty();
        assertThat(fixture.server.opened()).hasSize(1);
        assertThat(fixture.server.stillOpen()).isZero();
    }

    @Test
    void countsWhatIsLentByAllGenerationsAndShowsTheNewestPool() {
        is(ServerRole.REPLICA);
        ConnectionPool before = pool.pool();
        Lease old = lend();

        is(ServerRole.PRIMARY);
        Lease fresh = lend();

        assertThat(pool.pool()).isNotSameAs(before);
        assertThat(pool.pool().getMetrics().orElseThrow().acquiredSize()).isEqualTo(1);
        assertThat(pool.inFlight()).isEqualTo(2);
        giveBack(old);
        giveBack(fresh);
        assertThat(pool.inFlight()).isZero();
        assertThat(pool.pool().getMetrics().orElseThrow().idleSize()).isEqualTo(1);
    }

    @Test
    void closesEveryGeneration() {
        is(ServerRole.REPLICA);
        Lease old = lend();
        is(ServerRole.PRIMARY);
        Lease fresh = lend();
        giveBack(lend());

        run(pool.close());
        assertThat(fixture.server.stillOpen()).isEqualTo(2);
        giveBack(old);
        giveBack(fresh);

        assertThat(fixture.server.stillOpen()).isZero();
    }

    @Test
    void opensNothingMoreOnceItIsClosed() {
        is(ServerRole.PRIMARY);
        ConnectionPool last = pool.pool();
        run(pool.close());

        restart();
        lendLater();

        assertThat(pool.pool()).isSameAs(last);
        assertThat(errors).hasSize(1);
        assertThat(leases).isEmpty();
    }

    @Test
    void keepsEverythingOnlyWithoutTheSafeguard() {
        pool = pool(10, Safeguards.without(Safeguard.POOL_GENERATIONS));
        is(ServerRole.PRIMARY);
        Lease writing = lend();
        giveBack(lend());

        publish(ServerStatus.REFUSED);

        assertThat(fixture.server.stillOpen()).isEqualTo(2);
        giveBack(writing);
    }

    private ServerPool pool(int size, Safeguards safeguards) {
        return new ServerPool(
                "db0",
                fixture.server,
                fixture.engine,
                fixture.monitor,
                safeguards,
                Duration.ofSeconds(5),
                configuration -> {
                    var unused = configuration.maxSize(size);
                });
    }

    /** Connections that are opened from here on wait for it, unless the server's {@code opening} is changed. */
    private Sinks.Empty<Void> gate() {
        Sinks.Empty<Void> gate = Sinks.empty();
        fixture.server.opening = gate.asMono();
        pool = pool(10, Safeguards.all());
        return gate;
    }

    private void is(ServerRole role) {
        fixture.server.role = role;
        followed = role == ServerRole.PRIMARY ? 0 : ANOTHER;
        publish(ServerStatus.UP);
    }

    private void restart() {
        fixture.server.startedAt = "time " + ++restarts;
        publish(ServerStatus.UP);
    }

    private void publish(ServerStatus status) {
        ServerState now = fixture.state();
        publish(new ServerState(
                0, "db0", List.of(), now.role(), status, now.position(), now.identity(), now.sampledAt(), false, null));
    }

    private void publish(ServerState server) {
        ServerState primary = followed == 0 && server.role() == ServerRole.PRIMARY ? server : null;
        pool.published(new RoutingTable(1, List.of(server), primary, "7", null, followed), 0);
        fixture.time.advanceTimeBy(Duration.ofNanos(TimeUnit.MICROSECONDS.toNanos(1)));
    }

    private FakeConnection driver(int opened) {
        return fixture.server.opened().get(opened);
    }

    private Lease lend() {
        List<Lease> lent = new ArrayList<>();
        var unused = pool.lend(fixture.state()).subscribe(lent::add, errors::add);
        assertThat(errors).isEmpty();
        assertThat(lent).hasSize(1);
        return lent.get(0);
    }

    private Disposable lendLater() {
        return pool.lend(fixture.state()).subscribe(leases::add, errors::add);
    }

    private void giveBack(Lease lease) {
        run(lease.release());
        assertThat(errors).isEmpty();
    }

    private void run(Mono<Void> work) {
        var unused = work.subscribe(ignored -> {}, errors::add);
    }
}
