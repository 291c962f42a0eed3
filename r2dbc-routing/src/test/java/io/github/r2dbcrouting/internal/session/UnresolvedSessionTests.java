package io.github.r2dbcrouting.internal.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.PossiblyLostWriteException;
import io.github.r2dbcrouting.Unresolved;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

/** A session goes on with what another one could not wait for. */
class UnresolvedSessionTests {

    private static final String CLUSTER = "7";
    private static final WalPosition BEFORE = new WalPosition(CLUSTER, 1, 5);
    private static final WalPosition LATER = new WalPosition(CLUSTER, 1, 9);
    private static final Duration LIMIT = Duration.ofMillis(250);

    private long seconds = 1000;
    private final SessionState session = new SessionState(() -> 0, () -> Instant.ofEpochSecond(seconds));

    @Test
    void hasItsTokenAtOnceWhereNothingIsPending() {
        session.observe(CausalToken.of(List.of(LATER)));

        StepVerifier.create(session.token(LIMIT))
                .expectNext(CausalToken.of(List.of(LATER)))
                .verifyComplete();
    }

    @Test
    void hasNoTokenWhereNothingWasDone() {
        StepVerifier.create(session.token(LIMIT)).verifyComplete();
    }

    private static final Floors NOBODY_ASKS = new Floors() {
        @Override
        public void find(SightedFloor floor) {}

        @Override
        public long now() {
            return 0;
        }
    };

    @Test
    void saysAfterTheLimitThatAnEndedWriteHasNoPosition() {
        write().end();

        StepVerifier.withVirtualTime(() -> session.token(LIMIT))
                .expectSubscription()
                .expectNoEvent(LIMIT.minusMillis(1))
                .thenAwait(Duration.ofMillis(1))
                .expectNext(exposed(BEFORE, Unresolved.ENDED))
                .verifyComplete();
    }

    @Test
    void hasThePositionThatCameInTime() {
        PendingWrite write = write();
        write.end();

        StepVerifier.create(session.token(LIMIT))
                .then(() -> write.settle(CausalToken.of(List.of(LATER)), 1))
                .expectNext(CausalToken.of(List.of(LATER)))
                .verifyComplete();
    }

    @Test
    void saysUntilWhenAWriteMayGoOnThatHasNotEnded() {
        var unused = write();

        saysAfterTheLimit(exposed(BEFORE, seconds + Unresolved.LASTS));
    }

    @Test
    void saysSoOfAWriteWhoseConnectionWasLost() {
        write().outOfSight();

        saysAfterTheLimit(exposed(BEFORE, seconds + Unresolved.LASTS));
    }

    /** If the next primary does not cover that, what was read may be lost. */
    @Test
    void saysOfAReadOnThePrimaryAsWellWhereThatWas() {
        session.beginRead(CLUSTER, false, () -> {}, NOBODY_ASKS, BEFORE).end();

        saysAfterTheLimit(exposed(BEFORE, Unresolved.ENDED));
    }

    @Test
    void tellsOfALossBeforeItSaysWhatIsUnresolved() {
        session.tellLostWrites();
        PendingWrite lost = write();
        lost.end();
        write().end();
        lost.lost();
        lost.settle(CausalToken.of(List.of(LATER)), 1);

        StepVerifier.withVirtualTime(() -> session.token(LIMIT))
                .thenAwait(LIMIT)
                .expectError(PossiblyLostWriteException.class)
                .verify();
    }

    /** Whoever is asked first may be telling of a loss, which nobody will be told of again. */
    @Test
    void asksForOneTokenOnlyWhereThePositionComesAtTheLimit() {
        PendingWrite write = write();
        write.end();
        AtomicBoolean askedForTheOther = new AtomicBoolean();
        Supplier<Mono<CausalToken>> placed = () -> {
            spinUntil(askedForTheOther);
            return Mono.error(SessionState.lostWhilePending());
        };
        Supplier<Mono<CausalToken>> unresolved = () -> {
            askedForTheOther.set(true);
            return Mono.just(exposed(BEFORE, Unresolved.ENDED));
        };

        StepVerifier.create(new Settlement(Known.NOTHING.begun(write, 0)).then(placed, LIMIT, unresolved))
                .then(() -> write.settle(CausalToken.of(List.of(LATER)), 1))
                .expectError(PossiblyLostWriteException.class)
                .verify();
    }

    /** Longer than the limit, so that its timer goes off meanwhile; on a thread that may not even yield. */
    private static void spinUntil(AtomicBoolean done) {
        long end = System.nanoTime() + LIMIT.multipliedBy(3).toNanos();
        boolean over;
        do {
            over = done.get() || System.nanoTime() - end >= 0;
        } while (!over);
    }

    @Test
    void doesNotWaitForAnOpenTransaction() {
        var unused = session.begin(CLUSTER, true, () -> {}, BEFORE);

        StepVerifier.create(session.token(LIMIT))
                .expectNext(exposed(BEFORE, seconds + Unresolved.LASTS))
                .verifyComplete();
    }

    @Test
    void readsThePrimaryUntilWhatIsUnresolvedWasTakenOverAndSettled() {
        session.observe(unresolved(BEFORE, Unresolved.ENDED));
        assertThat(session.hasPending(CLUSTER)).isTrue();
        assertThat(session.hasPending("8")).isFalse();

        PendingWrite write = Objects.requireNonNull(session.takeOver(CLUSTER, () -> {}, 0, null));
        assertThat(session.hasPending(CLUSTER)).isTrue();
        assertThat(session.hasUnresolved(CLUSTER)).isFalse();
        assertThat(write.basis()).isEqualTo(BEFORE);
        assertThat(write.mayHaveWritten()).isTrue();
        assertThat(session.takeOver(CLUSTER, () -> {}, 0, null)).isNull();

        write.settle(CausalToken.of(List.of(LATER)), 1);
        assertThat(session.hasPending(CLUSTER)).isFalse();
        assertThat(session.observed()).isEqualTo(CausalToken.of(List.of(LATER)));
    }

    @Test
    void takesOverWhatStillGoesOnOnlyAfterItsEnd() {
        session.observe(unresolved(BEFORE, seconds + 10));

        assertThat(session.takeOver(CLUSTER, () -> {}, 0, null)).isNull();
        assertThat(session.hasPending(CLUSTER)).isTrue();

        seconds += 10;
        assertThat(session.takeOver(CLUSTER, () -> {}, 0, null)).isNotNull();
    }

    @Test
    void passesOnWhatNobodyTookOver() {
        CausalToken token = unresolved(BEFORE, Unresolved.ENDED).merge(CausalToken.of(List.of(LATER)));
        session.observe(token);

        StepVerifier.create(session.token()).expectNext(token).verifyComplete();
    }

    @Test
    void keepsWhatIsUnresolvedWhenItsOwnPositionsComeInOrGo() {
        session.observe(unresolved(BEFORE, seconds + 10));
        PendingWrite write = write();
        write.end();
        write.settle(CausalToken.of(List.of(LATER)), 1);
        assertThat(session.hasPending(CLUSTER)).isTrue();

        session.forget(CLUSTER, List.of(LATER), () -> {});
        assertThat(session.hasPending(CLUSTER)).isTrue();
        session.goOnFrom(new WalPosition(CLUSTER, 2, 1), position -> position.branch() == 1);
        assertThat(session.hasPending(CLUSTER)).isTrue();
    }

    @Test
    void keepsWhatIsUnresolvedInEachOfSeveralClusters() {
        Unresolved elsewhere = new Unresolved("8", null, Unresolved.ENDED);
        session.observe(unresolved(BEFORE, Unresolved.ENDED));

        session.observe(CausalToken.of(List.of(), List.of(elsewhere)));

        session.observe(CausalToken.of(List.of(LATER)));

        assertThat(session.observed())
                .isEqualTo(
                        unresolved(BEFORE, Unresolved.ENDED).merge(CausalToken.of(List.of(LATER), List.of(elsewhere))));
    }

    @Test
    void saysAfterTheLimitThatWhatWasSeenOnAReplicaHasNoPosition() {
        session.beginRead(NOBODY_ASKS, new ServerIdentity(CLUSTER, "replica"), 5, 10)
                .ended(20);

        saysAfterTheLimit(unresolved(null, Unresolved.ENDED));
    }

    /** Whoever takes that over follows another history, perhaps, and cannot know that it was seen in this one. */
    @Test
    void saysWhereAReplicaWasWhenTheLastReadBegan() {
        ServerIdentity replica = new ServerIdentity(CLUSTER, "replica");
        session.beginRead(NOBODY_ASKS, replica, 5, 10, BEFORE).ended(20);
        session.beginRead(NOBODY_ASKS, replica, 5, 30, LATER).ended(40);
        session.beginRead(NOBODY_ASKS, replica, 5, 50, null).ended(60);

        saysAfterTheLimit(unresolved(LATER, Unresolved.ENDED));
    }

    @Test
    void saysUntilWhenAReadMayGoOnThatCouldWrite() {
        var unused = session.beginRead(CLUSTER, true, () -> {}, NOBODY_ASKS, BEFORE);

        saysAfterTheLimit(exposed(BEFORE, seconds + Unresolved.LASTS));
    }

    /** Nothing of it is of use to anybody after the answer. */
    @Test
    void saysOfAReadThatGoesOnAndCannotWriteThatItHasEnded() {
        var unused = session.beginRead(CLUSTER, false, () -> {}, NOBODY_ASKS, BEFORE);

        saysAfterTheLimit(exposed(BEFORE, Unresolved.ENDED));
    }

    /** What stands for that has ended: nobody need wait until it might have. */
    @Test
    void saysThatWhatALostPositionHidHasEnded() {
        write().settle(CausalToken.of(List.of(LATER)), 1);
        assertThat(session.forget(CLUSTER, List.of(LATER), () -> {}).lost()).isOne();

        saysAfterTheLimit(unresolved(null, Unresolved.ENDED));
    }

    @Test
    void saysOfAWriteThatIsOnTheDiskThatACrashDoesNotLoseIt() {
        write().end(true);

        saysAfterTheLimit(unresolved(BEFORE, Unresolved.ENDED));
    }

    /** What has ended of it may be lost, and is told before the session is served; the rest is waited for. */
    @Test
    void takesOverWhatHasEndedOnAnEarlierBranchWhileSomethingGoesOn() {
        WalPosition present = new WalPosition(CLUSTER, 2, 7);
        long until = seconds + Unresolved.LASTS;
        session.observe(unresolved(BEFORE, until));

        PendingWrite write = Objects.requireNonNull(session.takeOver(CLUSTER, () -> {}, 5, present));

        assertThat(write.basis()).isEqualTo(BEFORE);
        assertThat(session.endedBefore(CLUSTER, 2)).isTrue();
        assertThat(session.hasUnresolved(CLUSTER)).isTrue();
        assertThat(session.takeOver(CLUSTER, () -> {}, 5, present)).isNull();
        write.settle(CausalToken.of(List.of(present)), 6);
        assertThat(session.hasPending(CLUSTER)).as("reads see the primary").isTrue();
        seconds = until;
        assertThat(session.takeOver(CLUSTER, () -> {}, 5, present)).isNotNull();
    }

    @Test
    void takesOverWhatHasEndedAndACrashMayLoseWhileSomethingGoesOn() {
        session.observe(exposed(BEFORE, seconds + Unresolved.LASTS));

        assertThat(session.takeOver(CLUSTER, () -> {}, 5, LATER)).isNotNull();
        assertThat(session.takeOver(CLUSTER, () -> {}, 5, LATER)).isNull();
        assertThat(session.hasUnresolved(CLUSTER)).isTrue();
    }

    @Test
    void leavesWhatGoesOnUnresolvedWhereNothingOfItCanBeLost() {
        session.observe(unresolved(BEFORE, seconds + Unresolved.LASTS));

        assertThat(session.takeOver(CLUSTER, () -> {}, 5, LATER)).isNull();
        assertThat(session.takeOver(CLUSTER, () -> {}, 5, null)).isNull();
    }

    @Test
    void takesOverWhatACrashMayLoseAsDoneBeforeAnyClockMayHaveSaidSo() {
        session.observe(exposed(BEFORE, Unresolved.ENDED));
        seconds += 10;

        PendingWrite write = Objects.requireNonNull(session.takeOver(CLUSTER, () -> {}, 0, null));

        assertThat(write.sentAt()).isEqualTo(Duration.ofSeconds(-40).toNanos());
        ServerIdentity primary = new ServerIdentity(CLUSTER, "primary");
        long since = write.sentAt();
        assertThat(session.mayMissOn(CLUSTER, primary, since - 1, 1, time -> false))
                .isFalse();
        assertThat(session.mayMissOn(CLUSTER, primary, since, 1, time -> false)).isTrue();
        saysAfterTheLimit(
                CausalToken.of(List.of(), List.of(new Unresolved(CLUSTER, BEFORE, Unresolved.ENDED, seconds - 10))));
    }

    @Test
    void takesOverWhatNoCrashLosesAsDoneNow() {
        session.observe(unresolved(BEFORE, Unresolved.ENDED));
        seconds += 10;

        PendingWrite write = Objects.requireNonNull(session.takeOver(CLUSTER, () -> {}, 5, null));

        assertThat(write.sentAt()).isEqualTo(5);
        assertThat(session.mayMissOn(CLUSTER, new ServerIdentity(CLUSTER, "primary"), 9, 1, time -> false))
                .isFalse();
    }

    private PendingWrite write() {
        return session.begin(CLUSTER, false, () -> {}, BEFORE);
    }

    private void saysAfterTheLimit(CausalToken token) {
        StepVerifier.withVirtualTime(() -> session.token(LIMIT))
                .thenAwait(LIMIT)
                .expectNext(token)
                .verifyComplete();
    }

    private static CausalToken unresolved(@Nullable WalPosition after, long until) {
        return CausalToken.of(List.of(), List.of(new Unresolved(CLUSTER, after, until)));
    }

    /** Sent at this second, and perhaps not on the disk. */
    private CausalToken exposed(@Nullable WalPosition after, long until) {
        return CausalToken.of(List.of(), List.of(new Unresolved(CLUSTER, after, until, seconds)));
    }
}
