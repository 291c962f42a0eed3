package io.github.r2dbcrouting.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CaptureStatistics;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.fake.FakeEngine;
import io.github.r2dbcrouting.fake.FakeEngine.Kind;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.test.scheduler.VirtualTimeScheduler;

class ReplicaFloorsTests {

    private static final String CLUSTER = "7";
    private static final Duration AT_REST = Duration.ofMillis(100);

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final FakeEngine engine = new FakeEngine(time);
    private final FakeServer primary = new FakeServer("db0", ServerRole.PRIMARY);
    private final FakeServer replica = new FakeServer("db1", ServerRole.REPLICA);
    private final SessionState session = new SessionState();
    private final ClusterMonitor monitor = new ClusterMonitor(
            List.of(
                    new MonitoredServer(0, "db0", List.of(), primary),
                    new MonitoredServer(1, "db1", List.of(), replica)),
            engine,
            new MonitorSettings(AT_REST, Duration.ofMillis(2), Duration.ofSeconds(1), 3, Duration.ofSeconds(30)),
            Safeguards.all(),
            time,
            () -> time.now(TimeUnit.NANOSECONDS),
            event -> {});

    @BeforeEach
    void start() {
        monitor.start();
        pass(Duration.ofMillis(1));
    }

    @Test
    void probesTheReplicaOnceForAllWhoWantItsPosition() {
        primary.advance(0x1000);
        replica.advance(0x10);
        read();
        int before = engine.count(replica, Kind.OBSERVE);

        for (int i = 0; i < 100; i++) {
            askForFloors();
        }
        pass(Duration.ofMillis(2));

        assertThat(engine.count(replica, Kind.OBSERVE)).isEqualTo(before + 1);
        assertThat(session.required(CLUSTER)).containsExactly(replica.at());
        assertThat(session.seen(CLUSTER)).isEmpty();
    }

    @Test
    void asksNobodyWhereALaterSampleIsThere() {
        read();
        pass(AT_REST.multipliedBy(2));
        int before = engine.questions().size();

        askForFloors();

        assertThat(session.required(CLUSTER)).containsExactly(replica.at());
        assertThat(engine.questions()).hasSize(before);
    }

    @Test
    void takesThePrimarysPositionWhereTheReplicaDoesNotAnswer() {
        primary.advance(0x1000);
        read();
        replica.refusing = new R2dbcNonTransientResourceException("refused");
        engine.failing = new IllegalStateException("lost");
        monitor.surprisedBy(1);
        pass(Duration.ofMillis(1));
        engine.failing = null;

        askForFloors();
        pass(Duration.ofMillis(25));

        assertThat(session.required(CLUSTER)).containsExactly(primary.at());
        assertThat(session.seen(CLUSTER)).isEmpty();
    }

    @Test
    void takesThePrimarysPositionAfterTheReplicaRecoveredInTheSameProcess() {
        primary.advance(0x1000);
        replica.advance(0x100);
        read();
        engine.failing = new IllegalStateException("lost");
        monitor.surprisedBy(1);
        pass(Duration.ofMillis(1));
        engine.failing = null;
        replica.position = 0x500;
        pass(AT_REST);

        WalPosition primaryBefore = primary.at();
        askForFloors();
        pass(Duration.ofMillis(25));

        // the primary may have been nudged, and gone on, meanwhile
        assertThat(session.required(CLUSTER)).singleElement().matches(position -> position.covers(primaryBefore));
    }

    @Test
    void needsNoNudgeForWhatAReplicaHasShown() {
        read();
        replica.startedAt = "db1 for the second time";
        engine.failing = new IllegalStateException("lost");
        monitor.surprisedBy(1);
        pass(Duration.ofMillis(1));
        engine.failing = null;
        pass(AT_REST);

        askForFloors();
        pass(Duration.ofMillis(25));

        assertThat(session.required(CLUSTER)).containsExactly(primary.at());
        assertThat(engine.count(primary, Kind.NUDGE)).isZero();
    }

    /** Its life is over, so nobody can tell any longer whether what it showed is on the branch that is followed now. */
    @Test
    void tellsThatWhatTheReplicaHasShownMayBeLostWhereAnotherBranchIsFollowedSince() {
        session.tellLostWrites();
        read();
        replica.startedAt = "db1 for the second time";
        allFollowTheSecondBranch();

        askForFloors();
        pass(Duration.ofMillis(25));

        assertThat(session.required(CLUSTER)).containsExactly(primary.at());
        assertThat(session.takeLost()).isTrue();
    }

    @Test
    void tellsNothingOfALossWhereTheReplicaHasShownItOnTheBranchThatIsFollowedStill() {
        session.tellLostWrites();
        allFollowTheSecondBranch();
        read();
        replica.startedAt = "db1 for the second time";
        allConnectAnew();

        askForFloors();
        pass(Duration.ofMillis(25));

        assertThat(session.required(CLUSTER)).containsExactly(primary.at());
        assertThat(session.takeLost()).isFalse();
    }

    /** What was seen lies before the last that was heard of that life, and that is on the line. */
    @Test
    void tellsNothingOfALossWhereTheReplicaHasSaidHowFarItWasBeforeItsLifeEnded() {
        session.tellLostWrites();
        read();
        monitor.surprisedBy(1);
        pass(AT_REST);
        WalPosition was = replica.at();
        replica.startedAt = "db1 for the second time";
        primary.timeline = 2;
        replica.timeline = 2;
        replica.advance(0x100);
        allConnectAnew();

        askForFloors();
        pass(Duration.ofMillis(25));

        assertThat(session.required(CLUSTER)).containsExactly(was);
        assertThat(session.takeLost()).isFalse();
    }

    /** Both have promoted themselves to the same number, so a position of the one looks like one of the other. */
    @Test
    void tellsThatWhatAReplicaHasShownThatWasPromotedBesideThePrimaryMayBeLost() {
        session.tellLostWrites();
        allFollowTheSecondBranch();
        primary.advance(0x1000);
        read();
        replica.role = ServerRole.PRIMARY;
        replica.advance(0x100);

        askForFloors();
        pass(Duration.ofMillis(25));

        assertThat(session.required(CLUSTER)).containsExactly(primary.at());
        assertThat(session.takeLost()).isTrue();
    }

    @Test
    void tellsNothingOfALossWhereTheReplicaWasPromotedToALaterBranch() {
        session.tellLostWrites();
        allFollowTheSecondBranch();
        read();
        replica.role = ServerRole.PRIMARY;
        replica.timeline = 3;

        askForFloors();
        pass(Duration.ofMillis(25));

        assertThat(session.required(CLUSTER)).containsExactly(replica.at());
        assertThat(session.takeLost()).isFalse();
    }

    private void allFollowTheSecondBranch() {
        primary.timeline = 2;
        replica.timeline = 2;
        allConnectAnew();
    }

    private void allConnectAnew() {
        engine.failing = new IllegalStateException("lost");
        monitor.surprisedBy(0);
        monitor.surprisedBy(1);
        pass(Duration.ofMillis(1));
        engine.failing = null;
        pass(AT_REST.multipliedBy(3));
    }

    @Test
    void countsWhatWasCapturedAndWhatIsNotCovered() {
        assertThat(monitor.captureStatistics())
                .isEqualTo(new CaptureStatistics(0, Duration.ZERO, 0, 0, Duration.ZERO, 0, 0, 0, Duration.ZERO));

        primary.advance(0x1000);
        monitor.ended(new EndedWrite(
                session.begin(CLUSTER, false, () -> {}), 0, primary.at(), false, monitor.now(), monitor.now()));
        assertThat(monitor.captureStatistics().pending()).isEqualTo(1);
        pass(Duration.ofMillis(60));

        CaptureStatistics after = monitor.captureStatistics();
        assertThat(after.pending()).isZero();
        assertThat(after.oldestPending()).isZero();
        assertThat(after.captures()).isEqualTo(1);
        assertThat(after.captured()).isEqualTo(1);
        assertThat(after.nudges()).isEqualTo(1);
        assertThat(after.possiblyLost()).isZero();
        assertThat(after.uncovered()).isEqualTo(1);
        assertThat(after.oldestUncovered()).isPositive();
    }

    private void read() {
        var read = session.beginRead(monitor, replica.identity(), monitor.now(), monitor.now());
        pass(Duration.ofNanos(1));
        read.ended(monitor.now());
        pass(Duration.ofNanos(1));
    }

    private void askForFloors() {
        var unused = session.floors(CLUSTER).toFuture();
    }

    private void pass(Duration duration) {
        time.advanceTimeBy(duration);
    }
}
