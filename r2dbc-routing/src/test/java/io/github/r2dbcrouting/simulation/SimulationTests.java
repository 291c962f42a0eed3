package io.github.r2dbcrouting.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.simulation.Simulation.Outcome;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;
import reactor.core.scheduler.Schedulers;

/**
 * Plays many stories, none of which may break a rule, and the same with a mechanism taken away, of which one must.
 *
 * <p>{@code -Dsimulation.seeds=1000000 -Dsimulation.first=1} plays others, and more of them;
 * {@code -Dsimulation.tell=4711} tells one.
 */
class SimulationTests {

    private static final int SEEDS = Integer.getInteger("simulation.seeds", 10_000);
    private static final long FIRST = Long.getLong("simulation.first", 1);
    private static final Long TOLD = Long.getLong("simulation.tell");
    private static final int SEEDS_UNTIL_FOUND = 1_000;
    private static final List<String> LOGGERS = List.of("io.github.r2dbcrouting", "reactor", "io.r2dbc");

    private static final Map<String, Level> LEVELS = new HashMap<>();

    @BeforeAll
    static void withoutThreads() {
        SimulatedScheduler.install();
        for (String name : LOGGERS) {
            // what is logged is what is simulated: servers that die
            Logger logger = (Logger) LoggerFactory.getLogger(name);
            LEVELS.put(name, logger.getLevel());
            logger.setLevel(Level.OFF);
        }
    }

    @AfterAll
    static void withThreadsAgain() {
        Schedulers.resetFactory();
        LEVELS.forEach((name, level) -> ((Logger) LoggerFactory.getLogger(name)).setLevel(level));
    }

    @Test
    void breaksNoRule() throws Exception {
        AtomicLong next = new AtomicLong(FIRST);
        AtomicLong steps = new AtomicLong();
        AtomicLong busy = new AtomicLong();
        AtomicReference<Story> broken = new AtomicReference<>();
        long began = System.nanoTime();

        everywhere(() -> {
            for (long seed = next.getAndIncrement();
                    seed < FIRST + SEEDS && broken.get() == null;
                    seed = next.getAndIncrement()) {
                Story story = Story.drawn(seed);
                Outcome outcome = Simulation.play(story, Safeguards.all(), Story.Teller.SILENT);
                steps.addAndGet(outcome.steps());
                if (outcome.broken() != null) {
                    broken.compareAndSet(null, story);
                }
            }
            busy.addAndGet(ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime());
        });

        double seconds = (System.nanoTime() - began) / 1e9;
        System.out.printf(
                Locale.ROOT,
                "%d seeds from %d: %d steps in %.1f s, %.1f million for each minute of a processor%n",
                SEEDS,
                FIRST,
                steps.get(),
                seconds,
                steps.get() / (busy.get() / 6e10) / 1e6);
        assertThat(broken.get() == null ? "" : told(broken.get(), Safeguards.all()))
                .isEmpty();
        assertThat(steps.get()).isGreaterThan(100L * SEEDS);
    }

    /** Each of these is needed, and this is how quickly its absence shows. */
    @ParameterizedTest
    @EnumSource(
            value = Safeguard.class,
            names = {"LIVES", "PENDING_WRITES", "TIMELINES", "NUDGE"})
    void findsWhatIsTakenAway(Safeguard taken) {
        Safeguards left = Safeguards.without(taken);
        for (long seed = FIRST; seed < FIRST + SEEDS_UNTIL_FOUND; seed++) {
            Story story = Story.drawn(seed);
            Violation broken = Simulation.play(story, left, Story.Teller.SILENT).broken();
            if (broken != null) {
                System.out.println("without " + taken + " seed " + seed + " breaks a rule: " + broken.getMessage());
                return;
            }
        }
        throw new AssertionError(SEEDS_UNTIL_FOUND + " seeds break no rule without " + taken);
    }

    @Test
    void shrinksAStoryToWhatMatters() {
        Safeguards left = Safeguards.without(Safeguard.LIVES);
        Story story = brokenOne(left);
        Violation broken = Simulation.play(story, left, Story.Teller.SILENT).broken();

        Story shrunk = Shrinking.shrink(story, left, broken);

        System.out.println("without LIVES " + told(shrunk, story, left));
        assertThat(shrunk.happenings()).hasSizeLessThan(10);
        assertThat(Simulation.play(shrunk, left, Story.Teller.SILENT).broken().rule())
                .isEqualTo(broken.rule());
        assertThat(Simulation.play(shrunk, Safeguards.all(), Story.Teller.SILENT)
                        .broken())
                .isNull();
    }

    @Test
    void doesTheSameForTheSameSeed() throws Exception {
        List<Outcome> once = new ArrayList<>();
        for (long seed = FIRST; seed < FIRST + 50; seed++) {
            once.add(Simulation.play(Story.drawn(seed), Safeguards.all(), Story.Teller.SILENT));
        }

        everywhere(() -> {
            for (int i = 0; i < once.size(); i++) {
                List<String> words = new ArrayList<>();
                Outcome again =
                        Simulation.play(Story.drawn(FIRST + i), Safeguards.all(), told -> words.add(told.get()));
                assertThat(again).isEqualTo(once.get(i));
                assertThat(words).isNotEmpty();
            }
        });

        assertThat(once.stream().map(Outcome::hash).distinct()).hasSize(once.size());
    }

    @Test
    void tellsWhatHappensWithASeed() {
        Story story = Story.drawn(TOLD == null ? FIRST : TOLD);
        List<String> words = new ArrayList<>();

        Simulation.play(story, Safeguards.all(), told -> words.add(told.get()));

        if (TOLD != null) {
            System.out.println(story + String.join("\n", words));
        }
        assertThat(words).anyMatch(word -> word.contains("the router follows db0"));
    }

    private static Story brokenOne(Safeguards left) {
        for (long seed = FIRST; ; seed++) {
            Story story = Story.drawn(seed);
            if (Simulation.play(story, left, Story.Teller.SILENT).broken() != null) {
                return story;
            }
        }
    }

    /** The shortest story that can be found, how it goes, and which rule it breaks. */
    private static String told(Story story, Safeguards safeguards) {
        Violation broken =
                Simulation.play(story, safeguards, Story.Teller.SILENT).broken();
        return told(Shrinking.shrink(story, safeguards, broken), story, safeguards);
    }

    private static String told(Story shrunk, Story from, Safeguards safeguards) {
        List<String> words = new ArrayList<>();
        Violation broken = Simulation.play(shrunk, safeguards, told -> words.add(told.get()))
                .broken();
        return "seed " + from.seed() + " breaks a rule; shrunk from "
                + from.happenings().size() + " to "
                + shrunk.happenings().size() + " happenings:\n" + shrunk + "How it goes:\n" + String.join("\n", words)
                + "\n" + broken.getMessage();
    }

    private static int threads() {
        return Math.max(1, Math.min(Runtime.getRuntime().availableProcessors(), 8));
    }

    /** A simulation stays on its thread and shares nothing, so there can be one on each. */
    private static void everywhere(Runnable task) throws InterruptedException, ExecutionException {
        ExecutorService threads = Executors.newFixedThreadPool(threads());
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < threads(); i++) {
            all.add(threads.submit(task));
        }
        threads.shutdown();
        for (Future<?> one : all) {
            one.get();
        }
        assertThat(threads.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
    }
}
