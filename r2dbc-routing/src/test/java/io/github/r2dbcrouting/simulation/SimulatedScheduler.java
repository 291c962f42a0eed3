package io.github.r2dbcrouting.simulation;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** Stands in for each of Reactor's schedulers: what is scheduled becomes a step, after a delay by chance. */
final class SimulatedScheduler implements Scheduler {

    /** How long it takes until a thread has taken up what was given to it. */
    private static final long HAND_OVER = 20 * Agenda.MICROSECOND;

    private static final ThreadLocal<SimulatedScheduler> HERE = new ThreadLocal<>();

    private final Agenda agenda;
    private final Chance chance;

    SimulatedScheduler(Agenda agenda, Chance chance) {
        this.agenda = agenda;
        this.chance = chance;
    }

    /**
     * Puts the simulation of whoever calls in the place of all of Reactor's schedulers, until
     * {@link Schedulers#resetFactory()}: each thread has its own, so that several can run side by side.
     */
    static void install() {
        Schedulers.setFactory(new Schedulers.Factory() {
            @Override
            public Scheduler newParallel(int parallelism, ThreadFactory threads) {
                return new OfThisThread(() -> Schedulers.Factory.super.newParallel(parallelism, threads));
            }

            @Override
            public Scheduler newSingle(ThreadFactory threads) {
                return new OfThisThread(() -> Schedulers.Factory.super.newSingle(threads));
            }
        });
    }

    /** From now on this thread runs this simulation; {@code null}: none. */
    static void enter(SimulatedScheduler scheduler) {
        if (scheduler == null) {
            HERE.remove();
        } else {
            HERE.set(scheduler);
        }
    }

    @Override
    public long now(TimeUnit unit) {
        return unit.convert(agenda.now(), TimeUnit.NANOSECONDS);
    }

    @Override
    public Disposable schedule(Runnable task) {
        return agenda.routerAfter(chance.latency(HAND_OVER), task);
    }

    @Override
    public Disposable schedule(Runnable task, long delay, TimeUnit unit) {
        return agenda.routerAfter(Math.max(unit.toNanos(delay), 0) + chance.latency(HAND_OVER), task);
    }

    @Override
    public Worker createWorker() {
        return new OneAfterAnother();
    }

    /** What a worker is given at once runs in the order in which it was given. */
    private final class OneAfterAnother implements Worker {

        private final Disposable.Composite own = Disposables.composite();
        private long last;

        @Override
        public Disposable schedule(Runnable task) {
            if (own.isDisposed()) {
                return Disposables.disposed();
            }
            last = Math.max(last, agenda.now() + chance.latency(HAND_OVER));
            return kept(agenda.routerAt(last, task));
        }

        @Override
        public Disposable schedule(Runnable task, long delay, TimeUnit unit) {
            return own.isDisposed()
                    ? Disposables.disposed()
                    : kept(agenda.routerAfter(Math.max(unit.toNanos(delay), 0) + chance.latency(HAND_OVER), task));
        }

        private Disposable kept(Disposable step) {
            own.add(step);
            return step;
        }

        @Override
        public void dispose() {
            own.dispose();
        }

        @Override
        public boolean isDisposed() {
            return own.isDisposed();
        }
    }

    /** One that Reactor keeps for everybody, or made for one router: tasks go to whichever simulation the thread runs. */
    private static final class OfThisThread implements Scheduler {

        private final Supplier<Scheduler> real;
        private final AtomicReference<Scheduler> otherwise = new AtomicReference<>();
        private final AtomicBoolean disposed = new AtomicBoolean();

        private OfThisThread(Supplier<Scheduler> real) {
            this.real = real;
        }

        /** On a thread that runs no simulation it is what it would be without. */
        private Scheduler here() {
            SimulatedScheduler here = HERE.get();
            if (here != null) {
                return here;
            }
            if (otherwise.get() == null) {
                Scheduler made = real.get();
                if (otherwise.compareAndSet(null, made)) {
                    made.init();
                } else {
                    made.dispose();
                }
            }
            return otherwise.get();
        }

        @Override
        public long now(TimeUnit unit) {
            return here().now(unit);
        }

        @Override
        public Disposable schedule(Runnable task) {
            return disposed.get() ? Disposables.disposed() : here().schedule(task);
        }

        @Override
        public Disposable schedule(Runnable task, long delay, TimeUnit unit) {
            return disposed.get() ? Disposables.disposed() : here().schedule(task, delay, unit);
        }

        @Override
        public Worker createWorker() {
            return here().createWorker();
        }

        @Override
        public void dispose() {
            disposed.set(true);
            Scheduler made = otherwise.get();
            if (made != null) {
                made.dispose();
            }
        }

        @Override
        public boolean isDisposed() {
            return disposed.get();
        }
    }
}
