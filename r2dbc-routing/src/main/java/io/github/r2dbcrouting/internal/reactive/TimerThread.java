package io.github.r2dbcrouting.internal.reactive;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import reactor.core.Disposable;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * A thread on which timers go off, and that any thread may dispose of.
 *
 * <p>Shutting an executor down takes a lock that its thread may hold at that moment. Whoever disposes of this one may be
 * an event loop, which must not wait: another thread does it, and {@link #isDisposed} is true at once.
 */
public final class TimerThread implements Scheduler {

    private final Scheduler thread;
    private final AtomicBoolean disposed = new AtomicBoolean();

    /**
     * Starts a daemon thread with the first timer.
     *
     * @param name what the thread's name begins with
     */
    public TimerThread(String name) {
        this.thread = Schedulers.newSingle(name, true);
    }

    @Override
    public Disposable schedule(Runnable task) {
        return thread.schedule(task);
    }

    @Override
    public Disposable schedule(Runnable task, long delay, TimeUnit unit) {
        return thread.schedule(task, delay, unit);
    }

    @Override
    public Disposable schedulePeriodically(Runnable task, long initialDelay, long period, TimeUnit unit) {
        return thread.schedulePeriodically(task, initialDelay, period, unit);
    }

    @Override
    public Worker createWorker() {
        return thread.createWorker();
    }

    @Override
    public long now(TimeUnit unit) {
        return thread.now(unit);
    }

    @Override
    public void dispose() {
        if (disposed.compareAndSet(false, true)) {
            var unused = Schedulers.boundedElastic().schedule(thread::dispose);
        }
    }

    @Override
    public boolean isDisposed() {
        return disposed.get();
    }
}
