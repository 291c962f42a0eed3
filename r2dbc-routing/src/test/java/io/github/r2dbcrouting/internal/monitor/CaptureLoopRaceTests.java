package io.github.r2dbcrouting.internal.monitor;

import static io.github.r2dbcrouting.Interleavings.must;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Interleavings;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.fake.AtOnce;
import io.github.r2dbcrouting.internal.reactive.Serial;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Introduction;
import io.github.r2dbcrouting.spi.Observation;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * Each write that is handed in gets the position of exactly one probe, which was sent after the write had ended, and at
 * most one capture is under way.
 */
@Tag("race")
class CaptureLoopRaceTests {

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
    void givesEachWriteAPositionAtOrBehindIt() {
        Interleavings.allHold(() -> {
            World world = new World();
            World.Write one = world.begin();
            World.Write other = world.begin();

            Interleavings.together(
                    () -> world.commitThenEnd(one), () -> world.commitThenEnd(other), world::runTimersAndAnswers);

            world.settleDown();
            world.check(one);
            world.check(other);
        });
    }

    @Test
    @Tag("planted")
    void isCaughtIfAWriteCountsAsEndedBeforeItHas() {
        Interleavings.oneFails(
                () -> {
                    World world = new World();
                    World.Write early = world.begin();
                    World.Write other = world.begin();

                    Interleavings.together(
                            () -> world.endThenCommit(early),
                            () -> world.commitThenEnd(other),
                            world::runTimersAndAnswers);

                    world.settleDown();
                    world.check(early);
                },
                "before its write");
    }

    @Test
    void setsOneCaptureGoingForWhatIsHandedInAtOnceAndForgetsNothing() {
        Interleavings.allHold(() -> twoHandIn(new Real()));
    }

    @Test
    @Tag("planted")
    void isCaughtIfItForgetsWhatCameWhileACaptureEnded() {
        Interleavings.oneFails(() -> twoHandIn(new Forgetful()), "no position");
    }

    @Test
    @Tag("planted")
    void isCaughtIfItLooksWhetherACaptureIsOnItsWayAndThenSaysSo() {
        Interleavings.oneFails(() -> twoHandIn(new Hasty()), "at a time");
    }

    /** Two hand in, and whoever is told to sets a capture going: it gathers, settles, and is over. */
    private static void twoHandIn(Hands hands) {
        AtomicInteger underWay = new AtomicInteger();
        AtomicInteger toSet = new AtomicInteger();
        AtomicBoolean two = new AtomicBoolean();
        Runnable handIn = () -> {
            if (hands.handIn()) {
                if (underWay.getAndIncrement() > 0) {
                    two.set(true);
                }
                toSet.incrementAndGet();
            }
        };
        Runnable capture = () -> {
            if (toSet.get() > 0) {
                toSet.decrementAndGet();
                hands.gather();
                underWay.decrementAndGet();
                if (hands.over()) {
                    if (underWay.getAndIncrement() > 0) {
                        two.set(true);
                    }
                    toSet.incrementAndGet();
                }
            }
        };

        Interleavings.together(handIn, () -> {
            handIn.run();
            capture.run();
        });

        must(!two.get(), "two captures at a time");
        for (int turn = 0; turn < 3; turn++) {
            capture.run();
        }
        must(hands.left() == 0, "a write gets no position");
    }

    /** Where writes wait until they are gathered for a capture. */
    private interface Hands {

        boolean handIn();

        void gather();

        boolean over();

        int left();
    }

    private static final class Real implements Hands {

        private final PositionCapture capture = new PositionCapture(time -> false);
        private final SessionState session = new SessionState();

        @Override
        public boolean handIn() {
            return capture.handIn(new EndedWrite(session.begin(CLUSTER, false, () -> {}), 0, position(1), true, 1, 1));
        }

        @Override
        public void gather() {
            capture.gather();
            capture.settle(0, sample(2, 5), position(5), false);
        }

        @Override
        public boolean over() {
            return capture.over();
        }

        @Override
        public int left() {
            return session.hasPending(CLUSTER) ? Math.max(1, capture.size()) : capture.size();
        }
    }

    private abstract static class Careless implements Hands {

        final Queue<Object> handedIn = new ConcurrentLinkedQueue<>();
        final AtomicBoolean announced = new AtomicBoolean();

        @Override
        public boolean handIn() {
            handedIn.add(this);
            return announced.compareAndSet(false, true);
        }

        @Override
        public void gather() {
            handedIn.clear();
        }

        @Override
        public boolean over() {
            announced.set(false);
            return !handedIn.isEmpty() && announced.compareAndSet(false, true);
        }

        @Override
        public int left() {
            return handedIn.size();
        }
    }

    /** Looks for more before it says that it is over, and not after. */
    private static final class Forgetful extends Careless {

        @Override
        public boolean over() {
            if (handedIn.isEmpty()) {
                announced.set(false);
                return false;
            }
            return true;
        }
    }

    private static final class Hasty extends Careless {

        @Override
        public boolean handIn() {
            handedIn.add(this);
            if (announced.get()) {
                return false;
            }
            announced.set(true);
            return true;
        }
    }

    private static WalPosition position(long lsn) {
        return new WalPosition(CLUSTER, 1, lsn);
    }

    private static Sample sample(long sentAt, long lsn) {
        Observation observation = new Observation(ServerRole.PRIMARY, position(lsn), 1, "");
        return new Sample(
                new Introduction(new ServerIdentity(CLUSTER, "since today"), observation, "1", true),
                0,
                observation,
                sentAt,
                false);
    }

    /** A primary whose log grows by one with each commit, and the loop that asks it for its position. */
    private static final class World {

        private final AtomicLong clock = new AtomicLong(1);
        private final AtomicLong log = new AtomicLong(1);
        private final Timers timers = new Timers();
        private final Queue<Runnable> answers = new ConcurrentLinkedQueue<>();
        private final AtomicInteger probes = new AtomicInteger();
        private final Serial serial = new Serial();
        private final CaptureLoop loop =
                new CaptureLoop(serial, timers, clock::incrementAndGet, false, nudge -> probe(), time -> false);

        private static final class Write {
            private final SessionState session = new SessionState();
            private final PendingWrite pending = session.begin(CLUSTER, false, () -> {});
            private volatile long committedAt;
        }

        Write begin() {
            return new Write();
        }

        void commitThenEnd(Write write) {
            write.committedAt = log.incrementAndGet();
            handIn(write, clock.incrementAndGet());
        }

        void endThenCommit(Write write) {
            long tooEarly = clock.incrementAndGet();
            handIn(write, tooEarly);
            write.committedAt = log.incrementAndGet();
        }

        private void handIn(Write write, long endedAt) {
            loop.handIn(new EndedWrite(write.pending, 0, position(1), true, endedAt, endedAt));
        }

        private boolean probe() {
            long sentAt = clock.incrementAndGet();
            long at = log.get();
            probes.incrementAndGet();
            answers.add(() -> serial.execute(() -> loop.answered(0, sample(sentAt, at), position(at))));
            return true;
        }

        void runTimersAndAnswers() {
            timers.runOne();
            Runnable answer = answers.poll();
            if (answer != null) {
                answer.run();
            }
        }

        void settleDown() {
            for (int turn = 0; turn < 6; turn++) {
                runTimersAndAnswers();
            }
            must(timers.tasks.isEmpty() && answers.isEmpty(), "it goes on without end");
            must(probes.get() <= 4, "there were more probes than captures");
        }

        void check(Write write) {
            must(!write.session.hasPending(CLUSTER), "a write gets no position");
            CausalToken token = write.session.observed();
            long captured = ((WalPosition) token.positions().get(0)).lsn();
            must(captured >= write.committedAt, "the probe was sent before its write had ended");
        }
    }

    /** Holds what is due later until it is let run. */
    private static final class Timers implements Scheduler {

        private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();

        void runOne() {
            Runnable task = tasks.poll();
            if (task != null) {
                task.run();
            }
        }

        @Override
        public Disposable schedule(Runnable task, long delay, TimeUnit unit) {
            tasks.add(task);
            return Disposables.disposed();
        }

        @Override
        public Disposable schedule(Runnable task) {
            throw new UnsupportedOperationException("without a delay");
        }

        @Override
        public boolean isDisposed() {
            return false;
        }

        @Override
        public Worker createWorker() {
            throw new UnsupportedOperationException("without a worker");
        }
    }
}
