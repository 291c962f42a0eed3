package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Does a scenario hold when its threads really run at once?
 *
 * <p>For what is too large for {@link Interleavings}: whatever stands upon operators and pools of Reactor. In each round
 * all threads begin at the same moment, a few hundred nanoseconds apart at random. A scenario creates all that it shares, runs
 * its parts by {@link #together}, and throws by {@link Interleavings#must} if what must hold does not.
 */
public final class Collisions {

    private static final int ROUNDS = Integer.getInteger("races.collisions", 2000);

    /** What is broken shows itself within a second on two idle cores. */
    private static final long REFUTED_WITHIN = TimeUnit.SECONDS.toNanos(60);

    /** A thread that waits longer lets another one have the processor. */
    private static final int SPINS = 20_000;

    private static final int GREATEST_OFFSET = 200;

    private static final ExecutorService THREADS = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "collision");
        thread.setDaemon(true);
        return thread;
    });

    private Collisions() {}

    /** Passes if the scenario throws in no round. */
    public static void allHold(Runnable scenario) {
        for (int round = 0; round < ROUNDS; round++) {
            scenario.run();
        }
    }

    /** Passes if the scenario throws, in some round, what it says when it does not hold. */
    public static void oneFails(Runnable scenario, String message) {
        long begin = System.nanoTime();
        while (System.nanoTime() - begin < REFUTED_WITHIN) {
            try {
                scenario.run();
            } catch (IllegalStateException refuted) {
                assertThat(refuted).hasMessageContaining(message);
                return;
            }
        }
        throw new AssertionError("what is broken was not refuted");
    }

    /** Runs each part on a thread of its own, all at once, and fails with what any of them throws. */
    public static void together(Runnable... parts) {
        AtomicInteger awaited = new AtomicInteger(parts.length);
        List<Future<?>> all = new ArrayList<>(parts.length);
        for (Runnable part : parts) {
            int offset = ThreadLocalRandom.current().nextInt(GREATEST_OFFSET);
            all.add(THREADS.submit(() -> {
                awaited.decrementAndGet();
                for (int spin = 0; awaited.get() > 0; spin++) {
                    if (spin < SPINS) {
                        Thread.onSpinWait();
                    } else {
                        LockSupport.parkNanos(1);
                    }
                }
                spin(offset);
                part.run();
            }));
        }
        for (Future<?> one : all) {
            try {
                Object nothing = one.get(60, TimeUnit.SECONDS);
                assertThat(nothing).isNull();
            } catch (ExecutionException | TimeoutException | InterruptedException failure) {
                throw new IllegalStateException(failure.getMessage(), failure);
            }
        }
    }

    /** Widens the gap in what is broken on purpose, so that it is hit soon also where others have the processor. */
    public static void dawdle() {
        spin(GREATEST_OFFSET);
        LockSupport.parkNanos(1);
    }

    private static void spin(int times) {
        for (int spin = 0; spin < times; spin++) {
            Thread.onSpinWait();
        }
    }
}
