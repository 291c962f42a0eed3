package io.github.r2dbcrouting.fake;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.test.scheduler.VirtualTimeScheduler;

/** Stands in for Reactor's parallel scheduler: time is virtual, and what is due at once waits until it is let run. */
public final class HeldScheduler implements Scheduler {

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final ConcurrentLinkedQueue<Runnable> held = new ConcurrentLinkedQueue<>();

    /** Puts one in the place of the parallel scheduler, until {@link Schedulers#resetFactory()}. */
    public static HeldScheduler install() {
        HeldScheduler scheduler = new HeldScheduler();
        Schedulers.setFactory(new Schedulers.Factory() {
            @Override
            public Scheduler newParallel(int parallelism, java.util.concurrent.ThreadFactory threads) {
                return scheduler;
            }
        });
        return scheduler;
    }

    @Override
    public long now(TimeUnit unit) {
        return time.now(unit);
    }

    /** Runs what is due at once, and what that makes due at once. */
    public void run() {
        for (Runnable task = held.poll(); task != null; task = held.poll()) {
            task.run();
        }
    }

    /** Lets time pass, and timers go off, while what is due at once is held. */
    public void pass(java.time.Duration duration) {
        time.advanceTimeBy(duration);
    }

    @Override
    public Disposable schedule(Runnable task) {
        Disposable scheduled = Disposables.single();
        held.add(() -> {
            if (!scheduled.isDisposed()) {
                task.run();
            }
        });
        return scheduled;
    }

    @Override
    public Disposable schedule(Runnable task, long delay, TimeUnit unit) {
        return time.schedule(task, delay, unit);
    }

    @Override
    public Worker createWorker() {
        return time.createWorker();
    }
}
