package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jetbrains.lincheck.Lincheck;
import org.jetbrains.lincheck.LincheckAssertionError;
import org.jetbrains.lincheck.jvm.agent.LincheckInstrumentation;
import org.jetbrains.lincheck.util.AnalysisSectionsKt;

/**
 * Does a scenario hold, however its threads interleave?
 *
 * <p>The scenario runs again and again, each time with another order of what its threads read and write. It creates all
 * that it shares, runs its parts by {@link #together}, and throws if what must hold does not. It must not depend on
 * time, or on threads that it did not start.
 */
public final class Interleavings {

    /** At most so many orders of one scenario; a scenario with fewer ends when all were tried. */
    private static final int LIMIT = Integer.getInteger("races.interleavings", 1000);

    /** The same for what runs through a whole pool: one order of that takes as long as dozens of others. */
    private static final int POOL_LIMIT = Integer.getInteger("races.interleavings.pool", 100);

    /** So many are tried to refute what is broken, which mostly takes a few. */
    private static final int REFUTATION_LIMIT = Math.max(LIMIT, 1000);

    /** The first run rewrites all classes that it meets: on a loaded machine that alone takes longer than it may. */
    private static final int ATTEMPTS = 3;

    private static final String SLOW = "has hung";

    /** Of what the scenario at hand begins with, in its first order. */
    private static final Set<Class<?>> REWRITTEN = ConcurrentHashMap.newKeySet();

    static {
        LeftAlone.install();
    }

    private Interleavings() {}

    /** Passes if no order was found in which the scenario throws. */
    public static void allHold(Runnable scenario) {
        tryOrders(LIMIT, scenario);
    }

    /** As {@link #allHold}, for a scenario that runs through a whole pool. */
    public static void allHoldInAPool(Runnable scenario) {
        tryOrders(POOL_LIMIT, scenario);
    }

    private static void tryOrders(int limit, Runnable scenario) {
        for (int attempt = 1; ; attempt++) {
            REWRITTEN.clear();
            try {
                Lincheck.runConcurrentTest(limit, scenario);
                return;
            } catch (LincheckAssertionError | IllegalStateException failure) {
                // the latter where it was slow once, and then was slow elsewhere
                if (attempt == ATTEMPTS || !String.valueOf(failure.getMessage()).contains(SLOW)) {
                    throw failure;
                }
            }
        }
    }

    /** Passes if an order was found in which the scenario throws what it says when it does not hold. */
    public static void oneFails(Runnable scenario, String message) {
        assertThatThrownBy(() -> tryOrders(REFUTATION_LIMIT, scenario))
                .isInstanceOf(LincheckAssertionError.class)
                .hasMessageContaining(message);
    }

    /**
     * Makes what a scenario begins with. One thread does, so there is nothing to explore in it: only what comes afterwards
     * is, in all classes that can be reached from what is returned, or that are met later.
     */
    public static <T> T given(Supplier<T> beginning) {
        return AnalysisSectionsKt.runInsideIgnoredSection(() -> {
            T made = beginning.get();
            if (REWRITTEN.add(made.getClass())) {
                LincheckInstrumentation.INSTANCE.ensureObjectIsTransformed(made);
            }
            return made;
        });
    }

    /** Runs each part on a thread of its own, and fails with what any of them throws. */
    public static void together(Runnable... parts) {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<Thread> threads = new ArrayList<>(parts.length);
        for (Runnable part : parts) {
            threads.add(new Thread(() -> {
                try {
                    part.run();
                } catch (Throwable thrown) {
                    failure.set(thrown);
                }
            }));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException interrupted) {
                throw new IllegalStateException(interrupted);
            }
        }
        Throwable thrown = failure.get();
        if (thrown != null) {
            throw new IllegalStateException(thrown.getMessage(), thrown);
        }
    }

    /** Fails with the message, as an assertion of a scenario: AssertJ's own would be explored as well. */
    public static void must(boolean holds, String message) {
        if (!holds) {
            throw new IllegalStateException(message);
        }
    }
}
