package io.github.r2dbcrouting.internal.session;

import static io.github.r2dbcrouting.Interleavings.must;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Interleavings;
import io.github.r2dbcrouting.fake.AtOnce;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;

/**
 * A session's pending write is neither lost nor settled twice, and no position that it must not read behind is lost,
 * while writes, their positions and tokens from elsewhere cross.
 */
@Tag("race")
class SessionStateRaceTests {

    private static final String CLUSTER = "7";

    @BeforeAll
    static void tellsWaitersAtOnce() {
        AtOnce.install();
    }

    @AfterAll
    static void realThreads() {
        Schedulers.resetFactory();
    }

    @Test
    void keepsAWriteAndATokenThatComeWhileAnotherWriteIsSettled() {
        Interleavings.allHold(() -> writeTokenAndPosition(new Real()));
    }

    @Test
    void settlesAWriteOnceIfTwoPositionsCross() {
        Interleavings.allHold(() -> twoPositions(new Real()));
    }

    @Test
    void keepsWhatItCapturedWhileATokenThatWentBeyondIsForgotten() {
        Interleavings.allHold(() -> positionAndForgetting(new Real()));
    }

    @Test
    void showsAWriteAsPendingUntilItsPositionIsKnown() {
        Interleavings.allHold(() -> pendingOrKnown(new Real()));
    }

    @Test
    void leavesNobodyWaitingForAWriteThatIsSettled() {
        Interleavings.allHold(() -> {
            SessionState session = new SessionState();
            PendingWrite write = session.begin(CLUSTER, false, () -> {});
            awaitedWhileItIsSettled(write.settled(), () -> write.settle(token(5), 1));
        });
    }

    @Test
    void tellsOneOfThoseWhoAskThatAWriteMayBeLost() {
        Interleavings.allHold(() -> {
            SessionState session = new SessionState();
            session.tellLostWrites();
            lostWhileTwoAsk(session::lost, session::takeLost);
        });
    }

    @Test
    void tellsOfALossOrSaysThatItIsUnresolvedInATokenThatIsMadeMeanwhile() {
        Interleavings.allHold(() -> lossWhileATokenIsMade(session -> {
            AtomicInteger knows = new AtomicInteger();
            var unused = session.token(Duration.ofSeconds(1))
                    .subscribe(
                            token -> count(
                                    token.unresolved().stream()
                                            .anyMatch(mark -> mark.cluster().equals(CLUSTER)),
                                    knows),
                            told -> count(true, knows));
            return knows.get() == 1;
        }));
    }

    @Test
    void seesTheReadOfAReplicaThatBeginsWhileAnotherOneEnds() {
        Interleavings.allHold(() -> {
            SessionState session = new SessionState();
            ServerIdentity replica = new ServerIdentity(CLUSTER, "since today");
            OpenRead first = session.beginRead(NEVER_ASKED, replica, 1, 2);
            PendingWrite write = session.begin(CLUSTER, false, () -> {});

            Interleavings.together(
                    () -> first.ended(5),
                    () -> session.beginRead(NEVER_ASKED, replica, 1, 3),
                    () -> write.settle(token(5), 9));

            int running = 0;
            for (Sighting sighting : session.seen(CLUSTER)) {
                running += sighting.running();
            }
            must(running == 1, "the read that is under way is not seen");
            must(!session.hasPending(CLUSTER), "a write that was settled is pending");
        });
    }

    @Test
    @Tag("planted")
    void isCaughtIfItReadsAndThenWrites() {
        Interleavings.oneFails(() -> writeTokenAndPosition(new ReadThenWrite()), "is lost");
    }

    @Test
    @Tag("planted")
    void isCaughtIfItLooksForAWriteAndThenSettlesIt() {
        Interleavings.oneFails(() -> twoPositions(new ReadThenWrite()), "settled twice");
    }

    @Test
    @Tag("planted")
    void isCaughtIfItRemembersOnlyAfterwardsWhatItCaptured() {
        Interleavings.oneFails(() -> positionAndForgetting(new CapturesLate()), "was forgotten");
    }

    @Test
    @Tag("planted")
    void isCaughtIfItSettlesAWriteAndThenLearnsItsPosition() {
        Interleavings.oneFails(() -> pendingOrKnown(new LearnsLate()), "neither pending nor known");
    }

    @Test
    @Tag("planted")
    void isCaughtIfAWaiterLooksAndThenWaits() {
        Interleavings.oneFails(
                () -> {
                    AtomicReference<Sinks.Empty<Void>> waiting = new AtomicReference<>();
                    AtomicInteger settled = new AtomicInteger();
                    awaitedWhileItIsSettled(
                            Mono.defer(() -> {
                                Sinks.Empty<Void> own = Sinks.empty();
                                if (settled.get() == 0) {
                                    waiting.set(own);
                                    return own.asMono();
                                }
                                return Mono.empty();
                            }),
                            () -> {
                                Sinks.Empty<Void> waiter = waiting.get();
                                settled.set(1);
                                if (waiter != null) {
                                    waiter.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);
                                }
                            });
                },
                "for ever");
    }

    @Test
    @Tag("planted")
    void isCaughtIfItTellsAndThenNotesThatItHas() {
        Interleavings.oneFails(
                () -> {
                    AtomicInteger untold = new AtomicInteger();
                    lostWhileTwoAsk(() -> untold.set(1), () -> {
                        boolean told = untold.get() == 1;
                        if (told) {
                            untold.set(0);
                        }
                        return told;
                    });
                },
                "were told");
    }

    @Test
    @Tag("planted")
    void isCaughtIfItAsksForLossesAndThenLooksWhatIsPending() {
        Interleavings.oneFails(
                () -> lossWhileATokenIsMade(session -> session.takeLost() || session.hasPending(CLUSTER)), "untold");
    }

    /** Whoever goes on elsewhere with the token would never hear of it. */
    private static void lossWhileATokenIsMade(Predicate<SessionState> tokenKnows) {
        SessionState session = new SessionState();
        session.tellLostWrites();
        PendingWrite write = session.begin(CLUSTER, false, () -> {});
        write.end();
        // so that nobody waits
        var open = session.begin("8", true, () -> {});
        AtomicInteger known = new AtomicInteger();

        Interleavings.together(
                () -> {
                    write.lost();
                    write.settle(token(5), 1);
                },
                () -> count(tokenKnows.test(session), known));

        must(known.get() == 1, "the token has the position of a write whose loss went untold");
        must(open.openTransaction(), "somebody ended the transaction");
    }

    private static void writeTokenAndPosition(Session session) {
        Object first = session.begin();
        AtomicReference<Object> second = new AtomicReference<>();

        Interleavings.together(
                () -> second.set(session.begin()), () -> session.observe(3), () -> session.settle(first, 5));

        must(session.hasPending(), "a pending write is lost");
        must(session.required() == 5, "a position is lost");
        must(session.settle(second.get(), 6), "a pending write is lost, another one is in its place");
        must(!session.hasPending(), "a write that was settled is pending: that is lost");
    }

    private static void twoPositions(Session session) {
        Object write = session.begin();
        AtomicInteger settled = new AtomicInteger();

        Interleavings.together(
                () -> count(session.settle(write, 5), settled), () -> count(session.settle(write, 6), settled));

        must(settled.get() > 0, "the write was never settled");
        must(settled.get() == 1, "the write was settled twice");
        must(!session.hasPending(), "the write is pending for ever");
        must(session.required() >= 5, "its position is lost");
    }

    private static void positionAndForgetting(Session session) {
        Object write = session.begin();
        session.observe(9);

        Interleavings.together(() -> session.settle(write, 5), () -> session.forget(9));

        must(session.required() >= 5, "what was captured was forgotten");
    }

    private static void pendingOrKnown(Session session) {
        Object write = session.begin();
        session.observe(9);

        Interleavings.together(() -> session.settle(write, 5), () -> {
            session.forget(9);
            must(session.hasPending() || session.required() >= 5, "a write is neither pending nor known");
        });
    }

    private static void awaitedWhileItIsSettled(Mono<Void> settled, Runnable settle) {
        AtomicInteger completed = new AtomicInteger();

        Interleavings.together(settle, () -> {
            var unused = settled.subscribe(never -> {}, error -> {}, completed::incrementAndGet);
        });

        must(completed.get() == 1, "somebody waits for ever");
    }

    private static void lostWhileTwoAsk(Runnable lost, BooleanSupplier takeLost) {
        AtomicInteger told = new AtomicInteger();
        Runnable ask = () -> count(takeLost.getAsBoolean(), told);

        Interleavings.together(lost, ask, ask);

        ask.run();
        must(told.get() == 1, told.get() + " were told of it");
    }

    private static void count(boolean really, AtomicInteger counter) {
        if (really) {
            counter.incrementAndGet();
        }
    }

    private static CausalToken token(long lsn) {
        return CausalToken.of(List.of(new WalPosition(CLUSTER, 1, lsn)));
    }

    private static final Floors NEVER_ASKED = new Floors() {
        @Override
        public void find(SightedFloor floor) {
            throw new UnsupportedOperationException("nobody asks for a position");
        }

        @Override
        public long now() {
            throw new UnsupportedOperationException("nobody asks for the time");
        }
    };

    /** A session of one cluster with positions that are numbers. */
    private interface Session {

        Object begin();

        boolean settle(Object write, long position);

        void observe(long position);

        void forget(long position);

        boolean hasPending();

        /** The greatest one; 0 without any. */
        long required();
    }

    private static final class Real implements Session {

        private final SessionState state = new SessionState();

        @Override
        public Object begin() {
            return state.begin(CLUSTER, false, () -> {});
        }

        @Override
        public boolean settle(Object write, long position) {
            return state.settle((PendingWrite) write, token(position), 1);
        }

        @Override
        public void observe(long position) {
            state.observe(token(position));
        }

        @Override
        public void forget(long position) {
            state.forget(CLUSTER, token(position).positions(), () -> {});
        }

        @Override
        public boolean hasPending() {
            return state.hasPending(CLUSTER);
        }

        @Override
        public long required() {
            long required = 0;
            for (Position position : state.required(CLUSTER)) {
                required = Math.max(required, ((WalPosition) position).lsn());
            }
            return required;
        }
    }

    private record Known(long token, long captured, List<Object> pending) {}

    /** Keeps one value, as the real one does, and leaves to those who extend it how it is replaced. */
    private abstract static class OneValue implements Session {

        final AtomicReference<Known> known = new AtomicReference<>(new Known(0, 0, List.of()));

        abstract void update(UnaryOperator<Known> change);

        @Override
        public Object begin() {
            Object write = new Object();
            update(now -> new Known(
                    now.token,
                    now.captured,
                    now.pending.isEmpty() ? List.of(write) : List.of(now.pending.get(0), write)));
            return write;
        }

        @Override
        public boolean settle(Object write, long position) {
            boolean settles = known.get().pending.contains(write);
            update(now -> new Known(
                    Math.max(now.token, position),
                    Math.max(now.captured, position),
                    now.pending.stream().filter(other -> !other.equals(write)).toList()));
            return settles;
        }

        @Override
        public void observe(long position) {
            update(now -> new Known(Math.max(now.token, position), now.captured, now.pending));
        }

        @Override
        public void forget(long position) {
            update(now -> now.token == position ? new Known(now.captured, now.captured, now.pending) : now);
        }

        @Override
        public boolean hasPending() {
            return !known.get().pending.isEmpty();
        }

        @Override
        public long required() {
            return known.get().token;
        }
    }

    private static final class ReadThenWrite extends OneValue {

        @Override
        void update(UnaryOperator<Known> change) {
            known.set(change.apply(known.get()));
        }
    }

    private abstract static class ReplacesWhole extends OneValue {

        @Override
        void update(UnaryOperator<Known> change) {
            Known before;
            do {
                before = known.get();
            } while (!known.compareAndSet(before, change.apply(before)));
        }
    }

    /** Drops a write, and merges only then its position into the token. */
    private static final class LearnsLate extends ReplacesWhole {

        @Override
        public boolean settle(Object write, long position) {
            update(now -> new Known(now.token, now.captured, List.of()));
            update(now -> new Known(Math.max(now.token, position), Math.max(now.captured, position), now.pending));
            return true;
        }
    }

    /** Merges a position into the token, and notes only then that it is its own. */
    private static final class CapturesLate extends ReplacesWhole {

        @Override
        public boolean settle(Object write, long position) {
            observe(position);
            update(now -> new Known(now.token, Math.max(now.captured, position), now.pending));
            return true;
        }
    }
}
