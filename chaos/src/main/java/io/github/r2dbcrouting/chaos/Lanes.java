package io.github.r2dbcrouting.chaos;

import io.github.r2dbcrouting.chaos.fault.Fault;
import io.github.r2dbcrouting.chaos.fault.Fault.Lane;
import io.github.r2dbcrouting.chaos.fault.Schedule;
import io.github.r2dbcrouting.chaos.fault.Target;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;

/** Which faults are under way? A thread for each lane, which lets one happen after the other. */
final class Lanes {

    /** What is said, first, where there were no more faults of servers: then a run shows less than it was to. */
    static final String GAVE_UP = "no more faults of servers";

    private final Function<Random, Target> target;
    private final Consumer<Exception> afterFailure;
    private final Queue<String> failed = new ConcurrentLinkedQueue<>();
    private final Queue<Spell> spells = new ConcurrentLinkedQueue<>();
    private final List<Thread> threads = new ArrayList<>();
    private final Map<Lane, AtomicReference<String>> now =
            Map.of(Lane.SERVERS, new AtomicReference<>(""), Lane.APPLICATIONS, new AtomicReference<>(""));
    private volatile boolean over;
    private long began;

    /**
     * When one fault was under way.
     *
     * @param fault its name
     * @param from when it began, since the faults began
     * @param to when it was over
     */
    record Spell(String fault, Duration from, Duration to) {

        @Override
        public String toString() {
            return from.equals(to)
                    ? "%d ms: %s".formatted(from.toMillis(), fault)
                    : "%d to %d ms: %s".formatted(from.toMillis(), to.toMillis(), fault);
        }
    }

    /**
     * Creates lanes in which nothing happens yet.
     *
     * @param target whom faults strike, by what decides it
     * @param afterFailure called when a fault of the servers could not be carried out, before the next one
     */
    Lanes(Function<Random, Target> target, Consumer<Exception> afterFailure) {
        this.target = target;
        this.afterFailure = afterFailure;
    }

    void start(List<Fault> faults, long seed) {
        began = System.nanoTime();
        for (Lane lane : Lane.values()) {
            List<Fault> own =
                    faults.stream().filter(fault -> fault.lane() == lane).toList();
            if (!own.isEmpty()) {
                Schedule schedule = new Schedule(own, seed * 31 + lane.name().hashCode());
                Thread thread = new Thread(() -> run(lane, schedule), "chaos-" + lane);
                thread.setDaemon(true);
                thread.start();
                threads.add(thread);
            }
        }
    }

    private void run(Lane lane, Schedule schedule) {
        while (!over) {
            Schedule.Strike strike = schedule.next();
            try {
                Thread.sleep(strike.before().toMillis());
                if (over) {
                    return;
                }
                now(lane).set(strike.fault().name());
                Duration from = sinceBegin();
                strike.fault().happening().to(target.apply(new Random(strike.seed())));
                spells.add(new Spell(strike.fault().name(), from, sinceBegin()));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            } catch (Exception e) {
                failed.add(strike.fault().name() + ": " + e);
                if (lane == Lane.SERVERS && !repaired(e)) {
                    return;
                }
            } finally {
                now(lane).set("");
            }
        }
    }

    private Duration sinceBegin() {
        return Duration.ofNanos(System.nanoTime() - began);
    }

    private boolean repaired(Exception failure) {
        try {
            afterFailure.accept(failure);
            return true;
        } catch (RuntimeException e) {
            failed.add(GAVE_UP + ", since the cluster could not be repaired: " + e);
            return false;
        }
    }

    /** Lets what is under way come to its end, and waits for that. */
    void stop() throws InterruptedException {
        over = true;
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private AtomicReference<String> now(Lane lane) {
        return java.util.Objects.requireNonNull(now.get(lane));
    }

    String underWay() {
        return String.join(
                " + ",
                now.values().stream()
                        .map(AtomicReference::get)
                        .filter(name -> !name.isEmpty())
                        .toList());
    }

    /** How often each fault happened, and was over in the end. */
    Map<String, Integer> survived() {
        Map<String, Integer> counts = new TreeMap<>();
        spells.forEach(spell -> counts.merge(spell.fault(), 1, Integer::sum));
        return counts;
    }

    /** When each was under way, in the order in which they ended. */
    List<Spell> spells() {
        return List.copyOf(spells);
    }

    /** What could not be carried out, and why. */
    List<String> failed() {
        return List.copyOf(failed);
    }
}
