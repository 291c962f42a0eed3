package io.github.r2dbcrouting.internal.reactive;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs tasks one at a time, in the order in which they came, on the threads that bring them.
 *
 * <p>What only its tasks touch needs no other protection: each sees everything that the ones before it did. Compared
 * with a thread of one's own it saves the way there, and waking a thread costs more than such a task. So tasks must be
 * short, and must not block.
 */
public final class Serial implements Executor {

    private static final Logger LOG = LoggerFactory.getLogger(Serial.class);

    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final AtomicInteger left = new AtomicInteger();

    /** Creates one that has nothing to run. */
    public Serial() {}

    /**
     * Runs a task, at once if none is running, else after those that came before it on the thread that runs them.
     *
     * @param task short and non-blocking; what it throws is logged
     */
    @Override
    public void execute(Runnable task) {
        tasks.add(task);
        if (left.getAndIncrement() > 0) {
            return;
        }
        do {
            run(tasks.poll());
        } while (left.decrementAndGet() > 0);
    }

    private static void run(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error failure) {
            // also after an error: if the count stayed up, no task would ever run again
            LOG.error("a task failed; the ones after it run", failure);
        }
    }
}
