package io.github.r2dbcrouting.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.internal.session.Floors;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.internal.session.SightedFloor;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Position;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PositionCaptureTests {

    private static final String CLUSTER = "7";

    /** Before that another history was followed. */
    private static final long PARTED = 50;

    private final PositionCapture capture = new PositionCapture(time -> time < PARTED);
    private final SessionState session = new SessionState();
    private final FakeServer primary = new FakeServer("db0", ServerRole.PRIMARY);

    @Test
    void settlesAWriteThatEndedBeforeTheSampleWasSent() {
        handIn(durable(100));

        PositionCapture.Outcome outcome = settle(plain(101), position(50));

        assertThat(outcome).isEqualTo(new PositionCapture.Outcome(1, List.of()));
        assertThat(session.observed()).isEqualTo(CausalToken.of(List.of(position(50))));
        assertThat(session.hasPending(CLUSTER)).isFalse();
        assertThat(capture.waiting()).isFalse();
        assertThat(capture.latest()).isEqualTo(position(50));
    }

    @Test
    void settlesNoWriteThatEndedWhenTheSampleWasSentOrLater() {
        handIn(durable(101));
        handIn(durable(102));

        PositionCapture.Outcome outcome = settle(plain(101), position(50));

        assertThat(outcome).isEqualTo(new PositionCapture.Outcome(0, List.of()));
        assertThat(session.hasPending(CLUSTER)).isTrue();
        assertThat(capture.waiting()).isTrue();
        assertThat(capture.latest()).isNull();
    }

    @Test
    void settlesAllThatEndedBeforeWithOneSample() {
        for (int i = 0; i < 100; i++) {
            handIn(durable(i));
        }
        handIn(durable(200));

        assertThat(settle(plain(101), position(50)).settled()).isEqualTo(100);
        assertThat(session.hasPending(CLUSTER)).isTrue();
        assertThat(settle(plain(201), position(60)).settled()).isEqualTo(1);
        assertThat(session.observed()).isEqualTo(CausalToken.of(List.of(position(60))));
    }

    @Test
    void comparesTimesAcrossTheOverflowOfTheClock() {
        handIn(durable(Long.MAX_VALUE));

        assertThat(settle(plain(Long.MAX_VALUE - 1), position(50)).settled()).isZero();
        assertThat(settle(plain(Long.MIN_VALUE), position(50)).settled()).isEqualTo(1);
    }

    @Test
    void doesNotSettleAnAsynchronousWriteByAPlainSample() {
        handIn(asynchronous(100));

        assertThat(capture.needsNudge()).isTrue();
        assertThat(settle(plain(101), position(50)).settled()).isZero();
        assertThat(session.hasPending(CLUSTER)).isTrue();
    }

    @Test
    void settlesAnAsynchronousWriteByANudgedSample() {
        handIn(asynchronous(100));

        assertThat(settle(nudged(100), position(50)).settled()).isZero();
        assertThat(settle(nudged(101), position(60)).settled()).isEqualTo(1);
        assertThat(session.observed()).isEqualTo(CausalToken.of(List.of(position(60))));
        assertThat(capture.needsNudge()).isFalse();
    }

    @Test
    void settlesAnAsynchronousWriteByAPlainSampleIfItTrustsTheFlush() {
        handIn(asynchronous(100));

        assertThat(capture.settle(0, plain(101), position(50), true).settled()).isEqualTo(1);
    }

    @Test
    void settlesTheDurableOnesWhileTheAsynchronousOnesWait() {
        handIn(asynchronous(100));
        handIn(durable(100));

        assertThat(settle(plain(101), position(50)).settled()).isEqualTo(1);
        assertThat(capture.needsNudge()).isTrue();
    }

    @Test
    void knowsWhenTheFirstOfThoseThatWaitHadEnded() {
        assertThat(capture.oldest()).isNull();
        handIn(durable(105));
        handIn(durable(100));
        handIn(durable(103));

        assertThat(capture.oldest()).isEqualTo(100);
        assertThat(settle(plain(104), position(50)).settled()).isEqualTo(2);
        assertThat(capture.oldest()).isEqualTo(105);
    }

    @Test
    void needsNoNudgeForDurableWrites() {
        handIn(durable(100));

        assertThat(capture.needsNudge()).isFalse();
    }

    @Test
    void forgetsThatWritesWereDurable() {
        handIn(durable(100));

        capture.forgetDurability();

        assertThat(capture.needsNudge()).isTrue();
        assertThat(settle(plain(101), position(50)).settled()).isZero();
        assertThat(settle(nudged(101), position(50)).settled()).isEqualTo(1);
    }

    /** The server crashed and went back; what was written since lies before the basis, and is not on the disk. */
    @Test
    void waitsForANudgeAlsoWhereTheServerWentBackBehindTheBasis() {
        handIn(new EndedWrite(session.begin(CLUSTER, false, () -> {}), 0, position(80), false, 100, 100));

        assertThat(settle(plain(101), position(50)).settled()).isZero();
        assertThat(session.hasPending(CLUSTER)).isTrue();
        assertThat(settle(nudged(102), position(60))).isEqualTo(new PositionCapture.Outcome(1, List.of(0)));
        assertThat(session.observed()).isEqualTo(CausalToken.of(List.of(position(60))));
    }

    @Test
    void holdsAWriteOnAnotherServerForPossiblyLost() {
        handIn(new EndedWrite(session.begin(CLUSTER, false, () -> {}), 1, position(10), true, 100, 100));

        assertThat(settle(plain(101), position(50))).isEqualTo(new PositionCapture.Outcome(1, List.of(1)));
        assertThat(session.observed()).isEqualTo(CausalToken.of(List.of(position(50))));
    }

    @Test
    void tellsTheSessionBeforeItsWriteIsSettled() {
        session.tellLostWrites();
        handIn(new EndedWrite(session.begin(CLUSTER, false, () -> {}), 1, position(10), true, 100, 100));

        var unused = settle(plain(101), position(50));

        assertThat(session.takeLost()).isTrue();
        assertThat(session.takeLost()).isFalse();
    }

    /** It may have been on the branch that was left, and the session would go on without it. */
    @Test
    void tellsTheSessionThatWhatItReadOnAnotherPrimaryMayBeGone() {
        session.tellLostWrites();
        handIn(new EndedWrite(read(), 1, position(10), true, 100, 100));

        assertThat(settle(plain(101), position(50))).isEqualTo(new PositionCapture.Outcome(1, List.of(1)));
        assertThat(session.takeLost()).isTrue();
    }

    /** Commits that did not wait for the disk may have been among what it saw. */
    @Test
    void tellsTheSessionThatWhatItReadBeforeACrashMayBeGone() {
        session.tellLostWrites();
        handIn(new EndedWrite(read(), 0, position(10), false, 100, 100));

        var unused = settle(new Sample(primary.introduction(), 105, primary.observation(), 110, true), position(50));

        assertThat(session.takeLost()).isTrue();
    }

    @Test
    void tellsTheSessionThatWhatItReadMayBeGoneWhereThePrimaryHasGoneBack() {
        session.tellLostWrites();
        handIn(new EndedWrite(read(), 0, position(60), true, 100, 100));

        var unused = settle(plain(101), position(50));

        assertThat(session.takeLost()).isTrue();
    }

    /** Also if it was asked for its position before that: nobody who could tell has answered in time. */
    @Test
    void tellsTheSessionThatWhatAReplicaHasShownMayBeGoneWhereAnotherHistoryIsFollowedSince() {
        session.tellLostWrites();
        handIn(new EndedWrite(read(), EndedWrite.ANY_SERVER, null, true, PARTED - 1, 100));

        PositionCapture.Outcome outcome = settle(plain(101), position(50));

        assertThat(outcome).isEqualTo(new PositionCapture.Outcome(1, List.of(EndedWrite.ANY_SERVER)));
        assertThat(session.takeLost()).isTrue();
    }

    @Test
    void tellsTheSessionNothingOfWhatItReadOnThisPrimary() {
        session.tellLostWrites();
        handIn(new EndedWrite(read(), 0, position(10), true, 100, 100));
        handIn(new EndedWrite(read(), 0, null, true, 100, 100));
        handIn(new EndedWrite(read(), EndedWrite.ANY_SERVER, null, true, 100, 100));

        var unused = settle(plain(101), position(50));

        assertThat(session.takeLost()).isFalse();
    }

    @Test
    void tellsTheSessionNothingOfAWriteThatIsSafe() {
        session.tellLostWrites();
        handIn(durable(100));

        var unused = settle(plain(101), position(50));

        assertThat(session.takeLost()).isFalse();
    }

    @Test
    void holdsAWriteOnAnotherBranchForPossiblyLost() {
        handIn(durable(100));

        assertThat(settle(plain(101), new WalPosition("7", 2, 50)))
                .isEqualTo(new PositionCapture.Outcome(1, List.of(0)));
    }

    @Test
    void holdsAWriteForPossiblyLostIfTheServerHasGoneBackBehindWhereItBegan() {
        handIn(durable(100));

        assertThat(settle(plain(101), position(9))).isEqualTo(new PositionCapture.Outcome(1, List.of(0)));
    }

    @Test
    void holdsAWriteForPossiblyLostIfNothingIsKnownOfWhereItBegan() {
        handIn(new EndedWrite(session.begin(CLUSTER, false, () -> {}), 0, null, true, 100, 100));

        assertThat(settle(plain(101), position(50))).isEqualTo(new PositionCapture.Outcome(1, List.of(0)));
    }

    @Test
    void waitsForNoNudgeOfAHistoryThatTheWriteIsNotIn() {
        handIn(new EndedWrite(session.begin(CLUSTER, false, () -> {}), 1, position(10), false, 100, 100));

        assertThat(settle(plain(101), position(50))).isEqualTo(new PositionCapture.Outcome(1, List.of(1)));
    }

    @Test
    void holdsAnAsynchronousWriteForPossiblyLostIfTheConnectionOfTheSampleIsYounger() {
        handIn(asynchronous(100));

        Sample younger = new Sample(primary.introduction(), 100, primary.observation(), 101, true);

        assertThat(settle(younger, position(50))).isEqualTo(new PositionCapture.Outcome(1, List.of(0)));
    }

    /** Of its end one may have heard so late that the server had crashed and come back by then. */
    @Test
    void holdsItForPossiblyLostAsWellIfThatIsYoungerThanItsSending() {
        handIn(new EndedWrite(session.begin(CLUSTER, false, () -> {}), 0, position(10), false, 90, 100));
        handIn(new EndedWrite(read(), 0, position(10), true, 90, 100));
        handIn(new EndedWrite(session.begin(CLUSTER, false, () -> {}), 0, position(10), false, 96, 100));
        handIn(new EndedWrite(read(), 0, position(10), true, 96, 100));

        Sample between = new Sample(primary.introduction(), 95, primary.observation(), 101, true);

        assertThat(settle(between, position(50))).isEqualTo(new PositionCapture.Outcome(4, List.of(0, 0)));
    }

    @Test
    void holdsADurableWriteForSafeAlsoIfTheConnectionOfTheSampleIsYounger() {
        handIn(durable(100));

        Sample younger = new Sample(primary.introduction(), 100, primary.observation(), 101, false);

        assertThat(settle(younger, position(50))).isEqualTo(new PositionCapture.Outcome(1, List.of()));
    }

    @Test
    void wantsToBeSetGoingOnceUntilItIsOver() {
        assertThat(capture.handIn(durable(1))).isTrue();
        assertThat(capture.handIn(durable(2))).isFalse();
        assertThat(capture.waiting()).isFalse();

        capture.gather();

        assertThat(capture.waiting()).isTrue();
        assertThat(capture.handIn(durable(3))).isFalse();
        assertThat(capture.over()).isTrue();
        assertThat(capture.handIn(durable(4))).isFalse();
    }

    @Test
    void wantsToBeSetGoingAgainByTheFirstWriteAfterAQuietCapture() {
        assertThat(capture.handIn(durable(1))).isTrue();
        capture.gather();

        assertThat(capture.over()).isFalse();

        assertThat(capture.handIn(durable(2))).isTrue();
    }

    @Test
    void losesNoWriteThatIsHandedInWhileItGathers() throws Exception {
        int threads = 4;
        int each = 5_000;
        AtomicInteger announcements = new AtomicInteger();
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        List<Future<?>> writers = new ArrayList<>();
        for (int thread = 0; thread < threads; thread++) {
            writers.add(pool.submit(() -> {
                SessionState own = new SessionState();
                for (int i = 0; i < each; i++) {
                    PendingWrite write = own.begin(CLUSTER, false, () -> {});
                    if (capture.handIn(new EndedWrite(write, 0, position(10), true, 100, 100))) {
                        announcements.incrementAndGet();
                    }
                }
                return null;
            }));
        }

        int settled = 0;
        int answered = 0;
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (settled < threads * each && System.nanoTime() - deadline < 0) {
            // only what was announced is gathered: a missed announcement would leave writes behind for ever
            if (announcements.get() > answered) {
                answered++;
                capture.gather();
                settled += settle(plain(101), position(50)).settled();
                if (capture.over()) {
                    announcements.incrementAndGet();
                }
            }
        }

        for (Future<?> writer : writers) {
            assertThat(writer.get(10, TimeUnit.SECONDS)).isNull();
        }
        pool.shutdown();
        assertThat(settled).isEqualTo(threads * each);
    }

    private void handIn(EndedWrite write) {
        boolean unused = capture.handIn(write);
        capture.gather();
    }

    private EndedWrite durable(long endedAt) {
        return new EndedWrite(session.begin(CLUSTER, false, () -> {}), 0, position(10), true, endedAt, endedAt);
    }

    private PendingWrite read() {
        return session.beginRead(CLUSTER, false, () -> {}, new Floors() {
            @Override
            public void find(SightedFloor floor) {}

            @Override
            public long now() {
                return 0;
            }
        });
    }

    private EndedWrite asynchronous(long endedAt) {
        return new EndedWrite(session.begin(CLUSTER, false, () -> {}), 0, position(10), false, endedAt, endedAt);
    }

    private PositionCapture.Outcome settle(Sample sample, Position position) {
        return capture.settle(0, sample, position, false);
    }

    private Sample plain(long sentAt) {
        return new Sample(primary.introduction(), 0, primary.observation(), sentAt, false);
    }

    private Sample nudged(long sentAt) {
        return new Sample(primary.introduction(), 0, primary.observation(), sentAt, true);
    }

    private static WalPosition position(long lsn) {
        return new WalPosition("7", 1, lsn);
    }
}
