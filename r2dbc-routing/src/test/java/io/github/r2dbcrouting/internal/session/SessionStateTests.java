package io.github.r2dbcrouting.internal.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.PossiblyLostWriteException;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Position;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import reactor.test.StepVerifier;

class SessionStateTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final String cluster = "7";
    private final SessionState session = new SessionState();

    @Test
    void hasNeitherATokenNorPendingWritesAtFirst() {
        assertThat(session.observed()).isNull();
        assertThat(session.hasPending(cluster)).isFalse();
        StepVerifier.create(session.token()).expectComplete().verify(LIMIT);
    }

    @Test
    void countsAWriteAsPendingUntilItIsSettled() {
        PendingWrite write = session.begin(cluster, false, () -> {});

        assertThat(session.hasPending(cluster)).isTrue();
        write.end();
        assertThat(session.hasPending(cluster)).isTrue();
        write.settle(token(5), 0);

        assertThat(session.hasPending(cluster)).isFalse();
        assertThat(session.observed()).isEqualTo(token(5));
    }

    @Test
    void tellsWhoeverAsksForItsTokenThatAPendingWriteMayBeLostAndThenGoesOn() {
        session.tellLostWrites();
        PendingWrite write = session.begin(cluster, false, () -> {});
        write.end();

        StepVerifier.create(session.token())
                .then(() -> {
                    write.lost();
                    write.settle(token(5), 0);
                })
                .expectError(PossiblyLostWriteException.class)
                .verify(LIMIT);

        StepVerifier.create(session.token())
                .expectNext(token(5))
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void countsNoPendingWriteOfAnotherCluster() {
        PendingWrite write = session.begin(cluster, false, () -> {});

        assertThat(session.hasPending("8")).isFalse();
        assertThat(write.openTransaction()).isFalse();
    }

    @Test
    void staysPendingWhileOneOfSeveralWritesIs() {
        PendingWrite one = session.begin(cluster, false, () -> {});
        PendingWrite other = session.begin(cluster, false, () -> {});

        other.settle(token(9), 0);
        assertThat(session.hasPending(cluster)).isTrue();
        one.settle(token(5), 0);

        assertThat(session.hasPending(cluster)).isFalse();
        assertThat(session.observed()).isEqualTo(token(9));
    }

    @Test
    void forgetsWhatIsNobodysAndKeepsTheRest() {
        session.observe(CausalToken.of(List.of(position(900), new WalPosition("8", 1, 1))));

        forget(position(900));
        assertThat(session.required(cluster)).isEmpty();
        assertThat(session.observed().positions()).containsExactly(new WalPosition("8", 1, 1));

        forget(new WalPosition("8", 1, 1));
        assertThat(session.observed()).isNull();
    }

    @Test
    void hasItsOwnPositionAgainWhenWhatHidItIsForgotten() {
        session.observe(token(900));
        session.begin(cluster, false, () -> {}).settle(token(5), 0);
        assertThat(session.observed()).isEqualTo(token(900));

        forget(position(900));

        assertThat(session.observed()).isEqualTo(token(5));
    }

    @Test
    void forgetsItsOwnPositionOnlyWhereThePrimaryHasLostItAndSaysSo() {
        session.observe(token(900));
        session.begin(cluster, false, () -> {}).settle(token(500), 0);

        assertThat(forget(position(900))).isEqualTo(new SessionState.Forgotten(0, null));
        assertThat(session.observed()).isEqualTo(token(500));
        assertThat(session.hasPending(cluster)).isFalse();
        SessionState.Forgotten forgotten = forget(position(500));
        assertThat(forgotten.lost()).isOne();
        assertThat(forget(position(500))).isEqualTo(new SessionState.Forgotten(0, null));

        assertThat(session.observed()).isNull();
        assertThat(session.hasPending(cluster)).isTrue();
        assertThat(forgotten.anew().mayHaveWritten()).isFalse();
    }

    /** The primary lost 500 in a crash, and the session wrote again: that lies before 500, and went into it. */
    @Test
    void hasAPositionAnewForWhatALostOneHid() {
        session.begin(cluster, false, () -> {}).settle(token(500), 0);
        session.begin(cluster, false, () -> {}).settle(token(400), 0);
        assertThat(session.observed()).isEqualTo(token(500));

        PendingWrite anew = forget(position(500)).anew();
        assertThat(session.hasPending(cluster)).isTrue();
        anew.settle(token(420), 0);

        assertThat(session.hasPending(cluster)).isFalse();
        assertThat(session.observed()).isEqualTo(token(420));
    }

    @Test
    void doesNotTakeUpAgainWhatItHasGivenUp() {
        session.begin(cluster, false, () -> {}).settle(token(500), 0);
        WalPosition present = new WalPosition("7", 2, 100);
        assertThat(session.goOnFrom(present, position -> position.branch() == 1))
                .isOne();

        session.observe(token(900));
        forget(position(900));

        assertThat(session.observed()).isEqualTo(CausalToken.of(List.of(present)));
    }

    @Test
    void givesUpNothingOfAnotherClusterAndNothingTwice() {
        WalPosition elsewhere = new WalPosition("8", 1, 1);
        session.observe(CausalToken.of(List.of(position(500), elsewhere)));
        WalPosition present = new WalPosition("7", 2, 100);

        assertThat(session.goOnFrom(present, position -> position.branch() == 1))
                .isOne();
        assertThat(session.goOnFrom(present, position -> position.branch() == 1))
                .isZero();

        assertThat(session.observed()).isEqualTo(CausalToken.of(List.of(present, elsewhere)));
    }

    private SessionState.Forgotten forget(Position position) {
        return session.forget(cluster, List.of(position), () -> {});
    }

    @Test
    void losesItsOwnPositionToNoTokenFromElsewhere() {
        List<Position> foreign = IntStream.range(100, 108)
                .<Position>mapToObj(n -> new WalPosition(String.valueOf(n), 1, 1))
                .toList();
        List<Position> foreignAndNewer = new ArrayList<>(foreign.subList(0, 7));
        foreignAndNewer.add(position(9));

        session.observe(CausalToken.of(foreign));
        session.begin(cluster, false, () -> {}).settle(token(5), 0);
        assertThat(session.observed().positions()).contains(position(5));
        session.observe(CausalToken.of(foreignAndNewer));

        assertThat(session.observed().positions()).contains(position(9)).doesNotContain(position(5));
    }

    @Test
    void readsFromThePrimaryForAWindowThatBeginsAnewWithEachWrite() {
        AtomicLong time = new AtomicLong(Long.MAX_VALUE - 50);
        SessionState windowed = new SessionState(time::get);
        assertThat(windowed.wroteLately(100)).as("nothing was written yet").isFalse();

        windowed.wrote();
        time.addAndGet(99);
        assertThat(windowed.wroteLately(100)).isTrue();
        assertThat(windowed.wroteLately(0)).as("there is no window").isFalse();
        time.addAndGet(1);
        assertThat(windowed.wroteLately(100)).isFalse();

        windowed.wrote();
        assertThat(windowed.wroteLately(100)).isTrue();
        windowed.primaryFor(500);
        time.addAndGet(499);
        assertThat(windowed.wroteLately(100)).as("its own window counts").isTrue();
        time.addAndGet(1);
        assertThat(windowed.wroteLately(1_000)).isFalse();
        windowed.wrote();
        windowed.primaryFor(0);
        assertThat(windowed.wroteLately(1_000)).isFalse();
    }

    @Test
    void ignoresASecondSettlement() {
        PendingWrite write = session.begin(cluster, false, () -> {});
        PendingWrite other = session.begin(cluster, false, () -> {});

        write.settle(token(5), 0);
        write.settle(token(50), 0);

        assertThat(session.observed()).isEqualTo(token(5));
        assertThat(session.hasPending(cluster)).isTrue();
        other.settle(token(6), 0);
        assertThat(session.observed()).isEqualTo(token(6));
    }

    @Test
    void doesNotRememberThePositionOfASecondSettlement() {
        PendingWrite write = session.begin(cluster, false, () -> {});
        write.settle(token(5), 0);
        write.settle(token(50), 0);
        session.observe(token(900));

        forget(position(900));

        assertThat(session.observed()).isEqualTo(token(5));
    }

    @Test
    void mergesWhatItObserves() {
        session.observe(token(5));
        session.observe(token(3));
        session.observe(CausalToken.of(List.of(new WalPosition("8", 1, 1))));

        assertThat(session.observed().positions()).containsExactly(position(5), new WalPosition("8", 1, 1));
        assertThat(session.hasPending(cluster)).isFalse();
    }

    @Test
    void givesItsTokenAtOnceWhenNothingIsPending() {
        session.observe(token(5));

        StepVerifier.create(session.token())
                .expectNext(token(5))
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void withholdsItsTokenUntilEveryPendingWriteIsSettled() {
        PendingWrite one = session.begin(cluster, false, () -> {});
        PendingWrite other = session.begin(cluster, false, () -> {});

        StepVerifier.create(session.token())
                .expectSubscription()
                .then(() -> other.settle(token(9), 0))
                .expectNoEvent(Duration.ofMillis(50))
                .then(() -> one.settle(token(5), 0))
                .expectNext(token(9))
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void doesNotWaitForAWriteThatBeganAfterItWasAsked() {
        PendingWrite early = session.begin(cluster, false, () -> {});

        StepVerifier.create(session.token())
                .expectSubscription()
                .then(() -> {
                    PendingWrite late = session.begin(cluster, false, () -> {});
                    early.settle(token(5), 0);
                    assertThat(late.openTransaction()).isFalse();
                })
                .expectNext(token(5))
                .expectComplete()
                .verify(LIMIT);
        assertThat(session.hasPending(cluster)).isTrue();
    }

    @Test
    void looksForPendingWritesWhenSubscribedAndNotBefore() {
        var token = session.token();
        PendingWrite write = session.begin(cluster, false, () -> {});

        StepVerifier.create(token)
                .expectSubscription()
                .expectNoEvent(Duration.ofMillis(20))
                .then(() -> write.settle(token(5), 0))
                .expectNext(token(5))
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void failsAtOnceWhileAWriteTransactionIsOpen() {
        PendingWrite transaction = session.begin(cluster, true, () -> {});

        StepVerifier.create(session.token())
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("commit"))
                .verify(LIMIT);
        assertThat(transaction.openTransaction()).isTrue();
    }

    @Test
    void waitsForATransactionThatHasEnded() {
        PendingWrite transaction = session.begin(cluster, true, () -> {});
        transaction.end();

        StepVerifier.create(session.token())
                .expectSubscription()
                .then(() -> transaction.settle(token(5), 0))
                .expectNext(token(5))
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void changesNothingWhenTheWaitForItsTokenIsCancelled() {
        PendingWrite write = session.begin(cluster, false, () -> {});

        StepVerifier.create(session.token()).expectSubscription().thenCancel().verify(LIMIT);

        assertThat(session.hasPending(cluster)).isTrue();
        write.settle(token(5), 0);
        assertThat(session.observed()).isEqualTo(token(5));
    }

    @Test
    void losesNothingWhenManyThreadsWriteAndObserve() throws Exception {
        int threads = 8;
        int writesEach = 2_000;
        AtomicLong lsn = new AtomicLong();
        CyclicBarrier together = new CyclicBarrier(threads);
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        List<Future<Long>> all = new ArrayList<>();

        for (int thread = 0; thread < threads; thread++) {
            String own = "thread-" + thread;
            boolean observer = thread == 0;
            all.add(pool.submit(() -> {
                together.await(10, TimeUnit.SECONDS);
                long highest = 0;
                for (int i = 0; i < writesEach; i++) {
                    PendingWrite write = session.begin(own, i % 2 == 0, () -> {});
                    assertThat(session.hasPending(own)).isTrue();
                    highest = lsn.incrementAndGet();
                    write.end();
                    if (observer) {
                        write.settle(token(1), 0);
                        session.observe(token(highest));
                    } else {
                        write.settle(token(highest), 0);
                    }
                    assertThat(session.hasPending(own)).isFalse();
                    assertThat(session.observed().positions().get(0).covers(position(highest)))
                            .isTrue();
                }
                return highest;
            }));
        }

        for (Future<Long> one : all) {
            assertThat(one.get(30, TimeUnit.SECONDS)).isPositive();
        }
        pool.shutdown();
        assertThat(session.observed()).isEqualTo(token((long) threads * writesEach));
        assertThat(session).hasToString(session.observed() + ", 0 pending");
    }

    @Test
    void settlesOnceWhenTwoThreadsSettleTheSameWrite() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(2);
        CyclicBarrier together = new CyclicBarrier(2);

        for (int round = 0; round < 2_000; round++) {
            PendingWrite write = session.begin(cluster, false, () -> {});
            Future<?> one = pool.submit(() -> {
                together.await(10, TimeUnit.SECONDS);
                write.settle(token(1), 0);
                return null;
            });
            Future<?> other = pool.submit(() -> {
                together.await(10, TimeUnit.SECONDS);
                write.settle(token(1), 0);
                return null;
            });
            assertThat(one.get(10, TimeUnit.SECONDS)).isNull();
            assertThat(other.get(10, TimeUnit.SECONDS)).isNull();
            assertThat(session.hasPending(cluster)).isFalse();
        }
        pool.shutdown();
    }

    private static CausalToken token(long lsn) {
        return CausalToken.of(List.of(position(lsn)));
    }

    private static WalPosition position(long lsn) {
        return new WalPosition("7", 1, lsn);
    }
}
