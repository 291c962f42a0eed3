package io.github.r2dbcrouting.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.RoutingEvent;
import io.github.r2dbcrouting.RoutingEvent.WritePossiblyLost;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.fake.FakeEngine;
import io.github.r2dbcrouting.fake.FakeEngine.Kind;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.internal.reactive.Detached;
import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.internal.table.Watch;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.test.scheduler.VirtualTimeScheduler;

class ClusterMonitorTests {

    /** Until the writes that nobody reads are captured. */
    private static final Duration TICK = Duration.ofMillis(51);

    private static final String CLUSTER = "7";
    private static final MonitorSettings SETTINGS = new MonitorSettings(
            Duration.ofMillis(100), Duration.ofMillis(2), Duration.ofSeconds(1), 3, Duration.ofSeconds(30));

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final FakeEngine engine = new FakeEngine(time);
    private final FakeServer primary = new FakeServer("db0", ServerRole.PRIMARY);
    private final FakeServer one = new FakeServer("db1", ServerRole.REPLICA);
    private final FakeServer other = new FakeServer("db2", ServerRole.REPLICA);
    private final List<RoutingEvent> events = new ArrayList<>();
    private final SessionState session = new SessionState();

    @Test
    void doesNothingBeforeItIsStarted() {
        ClusterMonitor monitor = monitor(Safeguards.all(), 0);

        pass(Duration.ofSeconds(1));

        assertThat(engine.questions()).isEmpty();
        assertThat(monitor.tables().current().version()).isZero();
    }

    @Test
    void reachesEveryServerOnceItIsStarted() {
        ClusterMonitor monitor = started();

        assertThat(monitor.tables().current().primary()).map(ServerState::name).contains("db0");
        assertThat(monitor.tables().current().replicas()).hasSize(2);
        assertThat(monitor.tables().current().complete()).isTrue();
        assertThat(events).contains(new RoutingEvent.PrimaryChanged(null, "db0"));
    }

    @Test
    void opensOneConnectionToEachServerHoweverOftenItIsStarted() {
        ClusterMonitor monitor = started();

        monitor.start();
        monitor.start();
        pass(Duration.ofSeconds(2));

        for (FakeServer server : List.of(primary, one, other)) {
            assertThat(server.opened()).hasSize(1);
        }
    }

    @Test
    void probesEachServerTenTimesASecondAtRest() {
        ClusterMonitor monitor = started();

        pass(Duration.ofSeconds(20));

        assertThat(monitor.tables().current().version()).isBetween(300L, 700L);
        for (FakeServer server : List.of(primary, one, other)) {
            assertThat(gaps(engine.times(server, Kind.OBSERVE)))
                    .hasSizeBetween(180, 220)
                    .allSatisfy(gap -> assertThat(gap).isBetween(millis(80), millis(120)));
        }
        assertThat(engine.count(primary, Kind.NUDGE)).isZero();
    }

    @Test
    void holdsAReplicaForTooFarBehindThatDoesNotMoveWhileThePrimaryDoes() {
        ClusterMonitor monitor = started();
        other.position = 0x900;

        for (int second = 0; second < 29; second++) {
            write();
            one.position = primary.position;
            pass(Duration.ofSeconds(1));
        }
        one.position = primary.position;
        pass(Duration.ofMillis(130));

        assertThat(names(monitor)).containsExactly("db1");
    }

    @Test
    void readsFromAReplicaThatIsALittleBehind() {
        ClusterMonitor monitor = started();

        for (int second = 0; second < 20; second++) {
            write();
            pass(Duration.ofSeconds(1));
        }

        assertThat(names(monitor)).containsExactly("db1", "db2");
    }

    @Test
    void suspectsASilentServerAndHoldsItForDownInTheEnd() {
        ClusterMonitor monitor = started();
        one.refusing = new R2dbcNonTransientResourceException("refused");
        engine.failing = new IllegalStateException("lost");
        monitor.surprisedBy(1);
        engine.failing = null;

        assertThat(state(monitor, 1).status()).isEqualTo(ServerStatus.SUSPECT);
        pass(Duration.ofMillis(20 + 40));
        assertThat(state(monitor, 1).status()).isEqualTo(ServerStatus.DOWN);
        assertThat(state(monitor, 2).status()).isEqualTo(ServerStatus.UP);

        one.refusing = null;
        pass(Duration.ofSeconds(1));
        assertThat(state(monitor, 1).status()).isEqualTo(ServerStatus.UP);
        assertThat(state(monitor, 1).problem()).isNull();
    }

    @Test
    void followsAPromotion() {
        ClusterMonitor monitor = started();
        primary.refusing = new R2dbcNonTransientResourceException("refused");
        engine.failing = new IllegalStateException("lost");
        monitor.surprisedBy(0);
        engine.failing = null;
        one.role = ServerRole.PRIMARY;
        one.timeline = 2;

        pass(Duration.ofMillis(130));

        assertThat(monitor.tables().current().primary()).map(ServerState::name).contains("db1");
        assertThat(events)
                .filteredOn(RoutingEvent.PrimaryChanged.class::isInstance)
                .last()
                .extracting(event -> ((RoutingEvent.PrimaryChanged) event).to())
                .isEqualTo("db1");
    }

    /** Whoever sees the new table, and asks whether something was seen in the history before it, is not told no. */
    @Test
    void saysWithTheFirstTableOfAnotherHistoryThatWhatWasAskedBeforeWasAskedOfTheOneBefore() {
        ClusterMonitor monitor = started();
        long before = monitor.now();
        List<Boolean> said = new ArrayList<>();
        monitor.tables().onPublished(table -> {
            if (table.primary().filter(now -> now.name().equals("db1")).isPresent()) {
                said.add(monitor.partedSince(before));
            }
        });
        assertThat(monitor.partedSince(before)).isFalse();
        one.role = ServerRole.PRIMARY;
        one.timeline = 2;

        pass(Duration.ofMillis(130));

        assertThat(said).isNotEmpty().doesNotContain(false);
        assertThat(monitor.partedSince(monitor.now())).isFalse();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Long.MIN_VALUE / 2, Long.MAX_VALUE - 1_000_000_000L, -1_000_000_000L})
    void givesAWriteAPositionWhateverTheClockStartsAt(long origin) {
        ClusterMonitor monitor = monitor(Safeguards.all(), origin);
        monitor.start();
        pass(Duration.ofMillis(1));

        ended(monitor, true);
        ended(monitor, false);
        pass(TICK);

        assertThat(session.hasPending(CLUSTER)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Long.MIN_VALUE / 2, -1_000_000_000L})
    void givesAWriteAPositionThatEndedBeforeThePrimaryWasKnown(long origin) {
        ClusterMonitor monitor = monitor(Safeguards.all(), origin);
        monitor.ended(new EndedWrite(
                session.begin(CLUSTER, false, () -> {}), 0, primary.at(), false, monitor.now(), monitor.now()));
        pass(Duration.ofMillis(5));

        monitor.start();
        pass(Duration.ofMillis(500));

        assertThat(session.hasPending(CLUSTER)).isFalse();
    }

    @Test
    void givesAllWritesThatEndedWithinATickOneProbe() {
        ClusterMonitor monitor = started();
        engine.forget();

        for (int i = 0; i < 1_000; i++) {
            write();
            ended(monitor, true);
        }
        pass(TICK);

        assertThat(engine.count(primary, Kind.OBSERVE)).isEqualTo(1);
        assertThat(session.hasPending(CLUSTER)).isFalse();
        assertThat(session.observed()).isEqualTo(CausalToken.of(List.of(primary.at())));
    }

    @Test
    void probesAtLeisureForASteadyStreamOfWritesThatNobodyReads() {
        ClusterMonitor monitor = started();
        engine.forget();

        for (int i = 0; i < 1_000; i++) {
            write();
            ended(monitor, true);
            pass(Duration.ofNanos(100_000));
        }
        pass(TICK);

        assertThat(engine.count(primary, Kind.OBSERVE)).isBetween(2, 4);
        assertThat(session.hasPending(CLUSTER)).isFalse();
    }

    @Test
    void probesAtMostOnceAMillisecondForASteadyStreamOfWritesThatAreRead() {
        ClusterMonitor monitor = started();
        monitor.replicaBehind();
        engine.forget();

        for (int i = 0; i < 1_000; i++) {
            write();
            ended(monitor, true);
            pass(Duration.ofNanos(100_000));
        }
        pass(Duration.ofMillis(2));

        assertThat(engine.count(primary, Kind.OBSERVE)).isBetween(50, 105);
        assertThat(session.hasPending(CLUSTER)).isFalse();
    }

    @Test
    void asksSoonerForWhatSomebodyWaitsFor() {
        ClusterMonitor monitor = started();
        ended(monitor, true);
        pass(Duration.ofMillis(2));
        assertThat(session.hasPending(CLUSTER)).isTrue();

        monitor.positionAwaited();
        pass(Duration.ofMillis(1));

        assertThat(session.hasPending(CLUSTER)).isFalse();
    }

    @Test
    void asksSoonerForWhatAReaderLacks() {
        ClusterMonitor monitor = started();
        ended(monitor, true);
        pass(Duration.ofMillis(2));
        assertThat(session.hasPending(CLUSTER)).isTrue();

        monitor.replicaBehind();
        pass(Duration.ofMillis(1));

        assertThat(session.hasPending(CLUSTER)).isFalse();
    }

    @Test
    void probesNobodyForAWriteButThePrimary() {
        ClusterMonitor monitor = started();
        engine.forget();

        ended(monitor, true);
        pass(TICK);

        assertThat(engine.count(primary, Kind.OBSERVE)).isEqualTo(1);
        assertThat(engine.questions()).hasSize(1);
    }

    /** Another process says that it was sent half a minute ago, at the earliest: it may have been a moment ago. */
    @Test
    void givesWhatCameUnresolvedNoPositionThatWasAskedForBeforeItCame() {
        engine.latency = Duration.ofMillis(10);
        ClusterMonitor monitor = monitor(Safeguards.without(Safeguard.NUDGE), 0);
        monitor.start();
        pass(Duration.ofMillis(11));
        monitor.surprisedBy(0);
        pass(Duration.ofMillis(5));

        PendingWrite write = session.begin(CLUSTER, false, () -> {});
        monitor.positionWanted(
                write, 0, primary.at(), monitor.now() - Duration.ofSeconds(30).toNanos());
        monitor.positionAwaited();
        pass(Duration.ofMillis(6));

        assertThat(session.hasPending(CLUSTER)).isTrue();
        pass(Duration.ofMillis(10));
        assertThat(session.hasPending(CLUSTER)).isFalse();
    }

    @Test
    void givesAWriteNoPositionThatWasAskedForBeforeItEnded() {
        engine.latency = Duration.ofMillis(10);
        ClusterMonitor monitor = monitor(Safeguards.all(), 0);
        monitor.start();
        pass(Duration.ofMillis(11));
        monitor.surprisedBy(0);
        pass(Duration.ofMillis(5));

        ended(monitor, true);
        monitor.positionAwaited();
        pass(Duration.ofMillis(6));

        assertThat(session.hasPending(CLUSTER)).isTrue();
        write();
        pass(Duration.ofMillis(10));
        assertThat(session.hasPending(CLUSTER)).isFalse();
        assertThat(session.observed()).isEqualTo(CausalToken.of(List.of(primary.at())));
    }

    @Test
    void givesAWriteAPositionOnceThePrimaryIsBack() {
        ClusterMonitor monitor = started();
        primary.refusing = new R2dbcNonTransientResourceException("refused");
        engine.failing = new IllegalStateException("lost");
        ended(monitor, true);
        ended(monitor, false);
        pass(Duration.ofSeconds(3));
        assertThat(session.hasPending(CLUSTER)).isTrue();

        primary.refusing = null;
        engine.failing = null;
        pass(Duration.ofSeconds(2));

        assertThat(session.hasPending(CLUSTER)).isFalse();
    }

    @Test
    void tellsThatAWriteIsPossiblyLostInAFailover() {
        ClusterMonitor monitor = started();
        primary.refusing = new R2dbcNonTransientResourceException("refused");
        engine.failing = new IllegalStateException("lost");
        ended(monitor, true);
        pass(TICK);
        engine.failing = null;
        one.role = ServerRole.PRIMARY;
        one.timeline = 2;

        pass(Duration.ofSeconds(1));

        assertThat(events).containsOnlyOnce(new WritePossiblyLost("db0"));
        assertThat(session.observed()).isEqualTo(CausalToken.of(List.of(new WalPosition("7", 2, 0x1000))));
    }

    @Test
    void nudgesForAWriteThatDidNotWaitForTheDisk() {
        ClusterMonitor monitor = started();
        engine.forget();
        primary.written = primary.position + 0x100;

        ended(monitor, false);
        pass(TICK);

        assertThat(engine.count(primary, Kind.NUDGE)).isEqualTo(1);
        assertThat(session.hasPending(CLUSTER)).isFalse();
        assertThat(primary.position).isGreaterThan(0x1100);
        assertThat(session.observed()).isEqualTo(CausalToken.of(List.of(primary.at())));
    }

    @Test
    void nudgesNotForAWriteThatWaitedForTheDisk() {
        ClusterMonitor monitor = started();

        ended(monitor, true);
        one.position = primary.position;
        other.position = primary.position;
        pass(Duration.ofSeconds(5));

        assertThat(engine.count(primary, Kind.NUDGE)).isZero();
    }

    @Test
    void nudgesNotWithoutTheSafeguard() {
        ClusterMonitor monitor = monitor(Safeguards.without(Safeguard.NUDGE), 0);
        monitor.start();
        pass(Duration.ofMillis(1));

        ended(monitor, false);
        write();
        ended(monitor, true);
        pass(Duration.ofSeconds(5));

        assertThat(engine.count(primary, Kind.NUDGE)).isZero();
        assertThat(session.hasPending(CLUSTER)).isFalse();
    }

    @Test
    void nudgesOnceForAReplicaThatDoesNotReachACapturedPosition() {
        ClusterMonitor monitor = started();
        write();
        ended(monitor, true);
        pass(Duration.ofMillis(2));
        monitor.replicaBehind();

        pass(Duration.ofSeconds(5));

        assertThat(engine.count(primary, Kind.NUDGE)).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 7, 20})
    void nudgesOnceForSeveralStalledReplicasThatAskWhileTheNudgeIsUnderWay(int latency) {
        ClusterMonitor monitor = started();
        engine.latency = Duration.ofMillis(latency);
        write();
        ended(monitor, true);
        pass(Duration.ofMillis(2));
        for (int i = 0; i < 2_000; i++) {
            monitor.replicaBehind();
            pass(Duration.ofMillis(1));
        }

        assertThat(engine.count(primary, Kind.NUDGE)).isEqualTo(1);
    }

    @Test
    void nudgesAgainForAStalledReplicaWhenTheFirstNudgeFailed() {
        ClusterMonitor monitor = started();
        write();
        ended(monitor, true);
        pass(Duration.ofMillis(2));
        monitor.replicaBehind();
        while (engine.count(primary, Kind.NUDGE) == 0) {
            engine.latency = Duration.ofMillis(5);
            pass(Duration.ofMillis(1));
        }
        engine.failing = new IllegalStateException("lost");
        pass(Duration.ofMillis(11));
        engine.failing = null;
        assertThat(engine.count(primary, Kind.NUDGE)).isEqualTo(1);

        for (int i = 0; i < 1_000; i++) {
            monitor.replicaBehind();
            pass(Duration.ofMillis(1));
        }

        assertThat(engine.count(primary, Kind.NUDGE)).isEqualTo(2);
    }

    @Test
    void nudgesAgainForTheNextCapturedPosition() {
        ClusterMonitor monitor = started();
        for (int i = 1; i <= 3; i++) {
            write();
            ended(monitor, true);
            pass(Duration.ofMillis(500));

            assertThat(engine.count(primary, Kind.NUDGE)).isEqualTo(i);
        }
    }

    @Test
    void nudgesNotForAReplicaThatMoves() {
        ClusterMonitor monitor = started();
        primary.position = 0x9000;
        primary.written = 0x9000;
        ended(monitor, true);

        for (int i = 0; i < 100; i++) {
            one.advance(1);
            other.advance(1);
            pass(Duration.ofMillis(1));
            monitor.replicaBehind();
            // nothing between two samples would be a stall
            monitor.surprisedBy(1);
            monitor.surprisedBy(2);
        }

        assertThat(engine.count(primary, Kind.NUDGE)).isZero();
    }

    @Test
    void nudgesNotForAReplicaThatLacksNothingCaptured() {
        ClusterMonitor monitor = started();
        write();

        for (int i = 0; i < 1_000; i++) {
            monitor.replicaBehind();
            pass(Duration.ofMillis(1));
        }

        assertThat(engine.count(primary, Kind.NUDGE)).isZero();
    }

    @Test
    void watchesAReplicaCloselyThatLacksACapturedPositionWhileSomebodyAsks() {
        ClusterMonitor monitor = started();
        write();
        ended(monitor, true);
        pass(Duration.ofMillis(2));
        monitor.replicaBehind();
        pass(Duration.ofMillis(25));
        engine.forget();

        pass(Duration.ofMillis(200));

        assertThat(gaps(engine.times(one, Kind.OBSERVE)))
                .hasSizeBetween(80, 125)
                .allSatisfy(gap -> assertThat(gap).isBetween(micros(1_600), micros(2_400)));
        assertThat(engine.count(primary, Kind.OBSERVE)).isLessThan(5);
    }

    @Test
    void watchesAReplicaNotSoCloselyIfNobodyAsks() {
        ClusterMonitor monitor = started();
        write();
        ended(monitor, true);
        pass(Duration.ofMillis(50));
        engine.forget();

        pass(Duration.ofMillis(200));

        assertThat(gaps(engine.times(one, Kind.OBSERVE)))
                .isNotEmpty()
                .allSatisfy(gap -> assertThat(gap).isBetween(millis(40), millis(60)));
        assertThat(monitor.now()).isPositive();
    }

    @Test
    void watchesAtRestOnlyWhateverIsAskedIfNoReplicaLacksACapturedPosition() {
        ClusterMonitor monitor = started();
        write();
        one.position = primary.position;
        other.position = primary.position;
        ended(monitor, true);
        pass(Duration.ofMillis(130));
        engine.forget();

        for (int i = 0; i < 1_000; i++) {
            monitor.replicaBehind();
            pass(Duration.ofMillis(1));
        }

        assertThat(gaps(engine.times(one, Kind.OBSERVE)))
                .isNotEmpty()
                .allSatisfy(gap -> assertThat(gap).isBetween(millis(80), millis(120)));
    }

    @Test
    void watchesOnlyTheReplicaThatLacksIt() {
        ClusterMonitor monitor = started();
        write();
        other.position = primary.position;
        ended(monitor, true);
        pass(Duration.ofMillis(130));
        engine.forget();

        for (int i = 0; i < 200; i++) {
            monitor.replicaBehind();
            pass(Duration.ofMillis(1));
        }

        assertThat(engine.count(one, Kind.OBSERVE)).isGreaterThan(50);
        assertThat(engine.count(other, Kind.OBSERVE)).isLessThan(4);
    }

    @Test
    void goesBackToRestOnceTheReplicaHasCaughtUp() {
        ClusterMonitor monitor = started();
        write();
        ended(monitor, true);
        monitor.replicaBehind();
        pass(Duration.ofMillis(50));
        one.position = primary.position;
        other.position = primary.position;
        monitor.replicaBehind();
        pass(Duration.ofMillis(10));
        engine.forget();

        pass(Duration.ofMillis(500));

        assertThat(engine.count(one, Kind.OBSERVE)).isBetween(3, 7);
    }

    @Test
    void goesBackToRestASecondAfterTheLastCaptureAlsoIfTheReplicaNeverCatchesUp() {
        ClusterMonitor monitor = started();
        write();
        ended(monitor, true);
        pass(Duration.ofMillis(1_300));
        engine.forget();

        for (int i = 0; i < 1_000; i++) {
            monitor.replicaBehind();
            pass(Duration.ofMillis(1));
        }

        assertThat(engine.count(one, Kind.OBSERVE)).isBetween(7, 13);
    }

    @Test
    void probesAReplicaForTwoThousandWaitersAsForOne() {
        int changes = 20;
        ClusterMonitor monitor = started();
        List<Long> forOne = probesWhileAwaited(monitor, 1, changes);
        pass(Duration.ofSeconds(3));
        List<Long> forMany = probesWhileAwaited(monitor, 2_000, changes);

        assertThat(forOne).hasSizeBetween(100, 170);
        assertThat(forMany).hasSizeLessThanOrEqualTo(forOne.size() + changes);
        assertThat(gaps(forMany)).allSatisfy(gap -> assertThat(gap).isGreaterThanOrEqualTo(millis(1)));
    }

    @Test
    void probesAReplicaNoMoreOftenForWaitersThatComeAndGo() {
        ClusterMonitor monitor = lackingWhatWasCaptured();

        for (int i = 0; i < 2_000; i++) {
            Watch.Waiter brief = new Patient();
            monitor.replicaBehind();
            monitor.tables().watch().add(brief);
            pass(Duration.ofNanos(75_000));
            monitor.tables().watch().remove(brief);
            pass(Duration.ofNanos(75_000));
        }

        assertThat(gaps(engine.times(one, Kind.OBSERVE)))
                .hasSizeBetween(100, 190)
                .allSatisfy(gap -> assertThat(gap).isGreaterThanOrEqualTo(millis(1)));
        assertThat(monitor.tables().awaited()).isFalse();
    }

    @Test
    void probesForEachThatWaitsOnlyWhereNobodyWatchesForAll() {
        ClusterMonitor monitor = lackingWhatWasCaptured();

        for (int i = 0; i < 2_000; i++) {
            monitor.replicasUnwatched();
            pass(Duration.ofNanos(150_000));
        }

        assertThat(engine.count(one, Kind.OBSERVE)).isGreaterThanOrEqualTo(2_000);
    }

    @Test
    void watchesAsCloselyAsABoundOfAgeNeeds() {
        ClusterMonitor monitor = started();
        for (int i = 0; i < 20; i++) {
            monitor.olderThan(Duration.ofMillis(40));
            pass(Duration.ofMillis(1));
        }
        engine.forget();

        for (int i = 0; i < 500; i++) {
            monitor.olderThan(Duration.ofMillis(40));
            pass(Duration.ofMillis(1));
        }
        assertThat(gaps(engine.times(primary, Kind.OBSERVE)))
                .isNotEmpty()
                .allSatisfy(gap -> assertThat(gap).isBetween(millis(8), millis(12)));

        pass(Duration.ofMillis(1_200));
        engine.forget();
        pass(Duration.ofSeconds(1));
        assertThat(engine.count(primary, Kind.OBSERVE)).isBetween(8, 13);
    }

    /** Does not mind how long it takes. */
    private static final class Patient implements Watch.Waiter {
        @Override
        public boolean wants(RoutingTable table) {
            return false;
        }

        @Override
        public void wake() {}
    }

    private ClusterMonitor lackingWhatWasCaptured() {
        return lackingWhatWasCaptured(started());
    }

    private ClusterMonitor lackingWhatWasCaptured(ClusterMonitor monitor) {
        primary.advance(0x1000);
        ended(monitor, true);
        pass(TICK);
        engine.forget();
        return monitor;
    }

    @Test
    void asksAReplicaThatStandsStillLessAndLessOftenUntilItMoves() {
        ClusterMonitor monitor = lackingWhatWasCaptured();
        monitor.tables().watch().add(new Patient());

        assertThat(gapsWithin(Duration.ofMillis(150)))
                .allSatisfy(gap -> assertThat(gap).isLessThan(millis(3)));
        pass(Duration.ofMillis(350));
        assertThat(gapsWithin(Duration.ofMillis(100)))
                .allSatisfy(gap -> assertThat(gap).isBetween(millis(4), millis(8)));
        pass(Duration.ofSeconds(5));
        assertThat(gapsWithin(Duration.ofMillis(500)))
                .allSatisfy(gap -> assertThat(gap).isBetween(millis(8), millis(13)));

        one.advance(1);
        pass(Duration.ofMillis(15));
        assertThat(gapsWithin(Duration.ofMillis(150)))
                .allSatisfy(gap -> assertThat(gap).isLessThan(millis(3)));
    }

    @Test
    void asksAReplicaThatStoodStillBeforeAnybodyWaitedAsCloselyAsAnyOther() {
        ClusterMonitor monitor = started();
        pass(Duration.ofSeconds(20));
        lackingWhatWasCaptured(monitor);

        monitor.tables().watch().add(new Patient());

        assertThat(gapsWithin(Duration.ofMillis(150)))
                .allSatisfy(gap -> assertThat(gap).isLessThan(millis(3)));
    }

    private List<Long> gapsWithin(Duration time) {
        engine.forget();
        pass(time);
        List<Long> gaps = gaps(engine.times(one, Kind.OBSERVE));
        assertThat(gaps).isNotEmpty();
        return gaps;
    }

    /** For 100 ms the replica stands still, then it moves every 10 ms. */
    private List<Long> probesWhileAwaited(ClusterMonitor monitor, int waiters, int changes) {
        lackingWhatWasCaptured(monitor);
        List<Watch.Waiter> all = new ArrayList<>();
        for (int i = 0; i < waiters; i++) {
            monitor.replicaBehind();
            all.add(new Patient());
            monitor.tables().watch().add(all.get(i));
        }
        pass(Duration.ofMillis(100));
        for (int change = 0; change < changes; change++) {
            one.advance(1);
            pass(Duration.ofMillis(10));
        }
        List<Long> times = engine.times(one, Kind.OBSERVE);
        all.forEach(monitor.tables().watch()::remove);
        return times;
    }

    @Test
    void asksEveryServerAtOnceWhenOneSurprisedSomebody() {
        ClusterMonitor monitor = started();
        engine.forget();

        monitor.surprisedBy(2);

        assertThat(engine.questions()).extracting(FakeEngine.Question::server).containsExactly("db2", "db0", "db1");
    }

    @Test
    void noticesThatThePrimaryHasReadItsConfigurationAgain() {
        ClusterMonitor monitor = started();
        long before = monitor.configuration();

        pass(Duration.ofSeconds(1));
        assertThat(monitor.configuration()).isEqualTo(before);
        primary.configuration = "second";
        pass(Duration.ofMillis(130));

        assertThat(monitor.configuration()).isGreaterThan(before);
    }

    @Test
    void ignoresThatAReplicaHasReadItsConfigurationAgain() {
        ClusterMonitor monitor = started();
        long before = monitor.configuration();

        one.configuration = "second";
        pass(Duration.ofMillis(500));

        assertThat(monitor.configuration()).isEqualTo(before);
    }

    @Test
    void nudgesForAWriteThatEndedBeforeItNoticedANewConfiguration() {
        ClusterMonitor monitor = started();
        primary.configuration = "second";

        ended(monitor, true);
        pass(TICK);

        assertThat(engine.count(primary, Kind.NUDGE)).isEqualTo(1);
        assertThat(session.hasPending(CLUSTER)).isFalse();
    }

    @Test
    void waitsForTheBackendOfALostConnectionToEnd() {
        ClusterMonitor monitor = started();

        monitor.orphaned(write(monitor, false), "4711");
        pass(Duration.ofSeconds(1));
        assertThat(session.hasPending(CLUSTER)).isTrue();
        engine.backendsGone = true;
        pass(Duration.ofMillis(200));

        assertThat(session.hasPending(CLUSTER)).isFalse();
        assertThat(engine.count(primary, Kind.BACKEND_GONE)).isBetween(8, 15);
    }

    @Test
    void waitsForNoBackendOfAServerThatIsNotFollowedAnyMore() {
        ClusterMonitor monitor = started();
        monitor.orphaned(write(monitor, false), "4711");
        primary.refusing = new R2dbcNonTransientResourceException("refused");
        engine.failing = new IllegalStateException("lost");
        pass(Duration.ofMillis(130));
        engine.failing = null;
        one.role = ServerRole.PRIMARY;
        one.timeline = 2;

        pass(Duration.ofSeconds(1));

        assertThat(session.hasPending(CLUSTER)).isFalse();
        assertThat(events).containsOnlyOnce(new WritePossiblyLost("db0"));
    }

    @Test
    void tellsAndCountsPositionsThatMayBeLost() {
        ClusterMonitor monitor = started();

        monitor.positionsLost(2);

        assertThat(events).filteredOn(new WritePossiblyLost(null)::equals).hasSize(2);
        assertThat(monitor.captureStatistics().possiblyLost()).isEqualTo(2);
    }

    @Test
    void publishesTheLineOfHistoryWithTheTable() {
        ClusterMonitor monitor = started();

        assertThat(monitor.tables().current().lineage()).hasToString("branch 1");
        assertThat(monitor.tables().current().followed()).isZero();
    }

    @Test
    void waitsForTheBackendOfALostConnectionForABoundedTime() {
        ClusterMonitor monitor = started();

        monitor.orphaned(write(monitor, false), "4711");
        pass(Duration.ofSeconds(29));
        assertThat(session.hasPending(CLUSTER)).isTrue();
        pass(Duration.ofSeconds(2));

        assertThat(session.hasPending(CLUSTER)).isFalse();
    }

    @Test
    void sendsNothingAfterItIsClosed() {
        ClusterMonitor monitor = started();
        ended(monitor, true);

        Blocking.run(monitor.close());
        engine.forget();
        ended(monitor, true);
        monitor.replicaBehind();
        monitor.surprisedBy(1);
        monitor.orphaned(write(monitor, true), "4711");
        monitor.start();

        assertThat(engine.questions()).isEmpty();
        for (FakeServer server : List.of(primary, one, other)) {
            assertThat(server.stillOpen()).isZero();
        }
        Blocking.run(monitor.tables().await(table -> false));
    }

    @Test
    void closesOnceOnly() {
        ClusterMonitor monitor = started();
        List<Throwable> errors = new ArrayList<>();

        Detached.run(monitor.close(), errors::add);
        Detached.run(monitor.close(), errors::add);

        assertThat(errors).isEmpty();
        assertThat(primary.opened().get(0).closes()).isEqualTo(1);
    }

    private ClusterMonitor started() {
        ClusterMonitor monitor = monitor(Safeguards.all(), 0);
        monitor.start();
        pass(Duration.ofMillis(1));
        return monitor;
    }

    private ClusterMonitor monitor(Safeguards safeguards, long origin) {
        List<MonitoredServer> servers = new ArrayList<>();
        for (FakeServer server : List.of(primary, one, other)) {
            servers.add(new MonitoredServer(servers.size(), server.name(), List.of(), server));
        }
        return new ClusterMonitor(
                servers,
                engine,
                SETTINGS,
                safeguards,
                time,
                () -> origin + time.now(TimeUnit.NANOSECONDS),
                events::add);
    }

    /** The primary's history grows, and is on its disk. */
    private void write() {
        primary.advance(0x10);
    }

    private EndedWrite write(ClusterMonitor monitor, boolean durable) {
        return new EndedWrite(
                session.begin(CLUSTER, false, () -> {}),
                0,
                state(monitor, 0).position(),
                durable,
                monitor.now(),
                monitor.now());
    }

    private void ended(ClusterMonitor monitor, boolean durable) {
        EndedWrite write = write(monitor, durable);
        // a sample that is sent at the same nanosecond counts as sent before
        pass(Duration.ofNanos(1));
        monitor.ended(write);
    }

    private void pass(Duration duration) {
        time.advanceTimeBy(duration);
    }

    private static ServerState state(ClusterMonitor monitor, int server) {
        return monitor.tables().current().servers().get(server);
    }

    private static List<String> names(ClusterMonitor monitor) {
        return monitor.tables().current().replicas().stream()
                .map(ServerState::name)
                .toList();
    }

    private static List<Long> gaps(List<Long> times) {
        List<Long> gaps = new ArrayList<>();
        for (int i = 1; i < times.size(); i++) {
            gaps.add(times.get(i) - times.get(i - 1));
        }
        return gaps;
    }

    private static long millis(int millis) {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }

    private static long micros(int micros) {
        return TimeUnit.MICROSECONDS.toNanos(micros);
    }
}
