package io.github.r2dbcrouting.fake;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * Stands in for Reactor's parallel and single schedulers where a scenario must know all of its threads: what is due at once runs on
 * the thread that brings it, and what is due later never does.
 */
public final class AtOnce implements Scheduler {

    private AtOnce() {}

    /** Puts one in the place of both, until {@link Schedulers#resetFactory()}. */
    public static void install() {
        Schedulers.setFactory(new Schedulers.Factory() {
            @Override
            public Scheduler newParallel(int parallelism, ThreadFactory threads) {
                return new AtOnce();
            }

            @Override
            public Scheduler newSingle(ThreadFactory threads) {
                return new AtOnce();
            }
        });
    }

    @Override
    public Disposable schedule(Runnable task) {
        task.run();
        return Disposables.disposed();
    }

    @Override
    public Disposable schedule(Runnable task, long delay, TimeUnit unit) {
        return Disposables.single();
    }

    @Override
    public Worker createWorker() {
        return new Worker() {
            @Override
            public Disposable schedule(Runnable task) {
                return AtOnce.this.schedule(task);
            }

            @Override
            public Disposable schedule(Runnable task, long delay, TimeUnit unit) {
                return Disposables.single();
            }

            @Override
            public void dispose() {}
        };
    }
}
