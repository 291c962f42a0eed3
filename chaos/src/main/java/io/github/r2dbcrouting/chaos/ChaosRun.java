package io.github.r2dbcrouting.chaos;

import io.github.r2dbcrouting.RoutingEvent;
import io.github.r2dbcrouting.chaos.fault.Faults;
import io.github.r2dbcrouting.chaos.fault.Target;
import io.github.r2dbcrouting.test.PostgresServer;
import io.github.r2dbcrouting.test.history.History;
import io.github.r2dbcrouting.test.history.HistoryRecorder;
import io.github.r2dbcrouting.test.history.Switch;
import io.github.r2dbcrouting.test.history.Verdict;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Hooks;

/** One run, from an empty cluster to a verdict. */
final class ChaosRun {

    private static final Duration LONGEST_WARM_UP = Duration.ofSeconds(3);

    /** Higher than any key that a run comes to. */
    private static final long WARM_UP_KEYS = 1L << 40;

    private static final Duration LOOK = Duration.ofMillis(200);

    /** Lists that are this much older than the oldest one in use have not changed lately. */
    private static final long UNCHANGED_KEYS = 500;

    /** What may be in use afterwards that was not before: caches of the driver and of Netty, and what the JVM compiled. */
    private static final long HEAP_TOLERANCE = 48L << 20;

    /** Of so many violations it is said how the session came there. */
    private static final int MOST_WAYS = 3;

    private final Plan plan;
    private final Site site;
    private final AtomicInteger lost = new AtomicInteger();
    private volatile @Nullable Takeover takeover;

    /** The latest one, and whom it has made the primary. */
    private record Takeover(String promoted, Switch change) {}

    private ChaosRun(Plan plan, Site site) {
        this.plan = plan;
        this.site = site;
    }

    static Report run(Plan plan, Progress progress) throws Exception {
        try (Site site = Site.start(plan.without())) {
            return new ChaosRun(plan, site).run(progress);
        }
    }

    /** What the users' part of a run yields once the history itself is forgotten. */
    private record Outcome(
            Tally tally,
            Map<String, Integer> faults,
            List<Lanes.Spell> spells,
            List<String> failedFaults,
            Duration took,
            Verdict verdict,
            List<String> ways,
            Duration checked,
            List<String> left) {}

    private Report run(Progress progress) throws Exception {
        warmUp();
        long before = Leftovers.heap();
        Outcome outcome = underFaults(progress);
        long after = Leftovers.heap();
        List<String> left = new ArrayList<>(outcome.left);
        if (after - before > HEAP_TOLERANCE) {
            left.add("memory: %.1f MB more than before".formatted(Leftovers.megabytes(after - before)));
        }
        left.addAll(site.closeRouters());
        return new Report(
                plan,
                outcome.took,
                outcome.tally,
                outcome.faults,
                outcome.spells,
                outcome.failedFaults,
                lost.get(),
                outcome.verdict,
                outcome.ways,
                outcome.checked,
                left,
                before,
                after);
    }

    /** On lists of its own: what it writes there is in no history. */
    private void warmUp() throws Exception {
        Workload load = new Workload(
                List.of(site.many(plan.users(), plan.thinkTime(), WARM_UP_KEYS), site.few(WARM_UP_KEYS)),
                HistoryRecorder::new);
        load.start(plan.seed());
        Thread.sleep(Math.min(LONGEST_WARM_UP.toMillis(), plan.duration().toMillis() / 5));
        load.stop();
    }

    private Outcome underFaults(Progress progress) throws Exception {
        HistoryRecorder recorder = new HistoryRecorder();
        Crowd few = site.few(0);
        Workload load = new Workload(List.of(site.many(plan.users(), plan.thinkTime(), 0), few), () -> recorder);
        Lanes lanes = new Lanes(
                random ->
                        new Target(site.cluster(), site.routers(), site.clock(), random, witness(recorder, load), few),
                failed -> Repair.of(site.cluster()));
        Hooks.onErrorDropped(error -> load.tally().dropped(error));
        long began = System.nanoTime();
        Queue<Lanes.Spell> events = new ConcurrentLinkedQueue<>();
        Disposable.Composite noticing = noteWhatRoutersNotice(began, events);
        load.start(plan.seed());
        lanes.start(Faults.named(plan.faults()), plan.seed());
        long end = began + plan.duration().toNanos();
        while (System.nanoTime() - end < 0) {
            Thread.sleep(LOOK.toMillis());
            progress.show(load.tally(), lanes.underWay());
        }
        lanes.stop();
        load.stop();
        noticing.dispose();
        Duration took = Duration.ofNanos(System.nanoTime() - began);
        progress.end();
        Hooks.resetOnErrorDropped();
        Repair.of(site.cluster());
        List<String> left = Leftovers.ofRequests(site.routers());
        recordTheEnd(recorder);
        History history = recorder.history();
        writeEdn(history);
        long checking = System.nanoTime();
        Verdict verdict = history.check();
        // it knows the history, of which nothing shall be left when the heap is looked at
        takeover = null;
        Duration checked = Duration.ofNanos(System.nanoTime() - checking);
        List<String> ways = verdict.violations().stream()
                .limit(MOST_WAYS)
                .map(history::leadingTo)
                .map(way -> String.join("\n    ", way))
                .toList();
        List<Lanes.Spell> spells = Stream.concat(lanes.spells().stream(), events.stream())
                .sorted(Comparator.comparing(Lanes.Spell::from))
                .toList();
        return new Outcome(load.tally(), lanes.survived(), spells, lanes.failed(), took, verdict, ways, checked, left);
    }

    /** For whoever wants to know why a guarantee was not kept. */
    private Disposable.Composite noteWhatRoutersNotice(long began, Queue<Lanes.Spell> events) {
        Disposable.Composite noticing = Disposables.composite();
        for (Application application : site.applications()) {
            var unused = noticing.add(application
                    .router()
                    .events()
                    .filter(event ->
                            event instanceof RoutingEvent.PrimaryChanged || event instanceof RoutingEvent.ServerChanged)
                    .subscribe(event -> {
                        Duration now = Duration.ofNanos(System.nanoTime() - began);
                        events.add(new Lanes.Spell(application.name() + ": " + event, now, now));
                        noteWhoFollows(application.name(), event);
                    }));
        }
        return noticing;
    }

    private void noteWhoFollows(String application, RoutingEvent event) {
        Takeover latest = takeover;
        if (latest != null
                && event instanceof RoutingEvent.PrimaryChanged changed
                && latest.promoted.equals(changed.to())) {
            latest.change.followedBy(application);
        }
    }

    private void recordTheEnd(HistoryRecorder recorder) {
        PostgresServer primary = site.cluster().currentPrimary();
        recorder.finalLists(Store.lists(primary, 0));
        recorder.finalRegisters(Store.registers(primary, 0));
    }

    private void writeEdn(History history) throws IOException {
        if (plan.edn() != null) {
            try (Writer writer = Files.newBufferedWriter(plan.edn())) {
                history.writeListAppend(writer);
            }
        }
    }

    private Target.Witness witness(HistoryRecorder recorder, Workload load) {
        return new Target.Witness() {
            @Override
            public Switch switched(PostgresServer promoted) {
                Switch change = recorder.switched(Target.name(promoted));
                takeover = new Takeover(Target.name(promoted), change);
                return change;
            }

            @Override
            public void compare(Switch change, PostgresServer left, PostgresServer goesOn) {
                long from = Math.max(0, load.oldestList() - UNCHANGED_KEYS);
                Map<Long, List<Long>> there = Store.lists(goesOn, from);
                Store.lists(left, from).forEach((key, values) -> {
                    Set<Long> kept = Set.copyOf(there.getOrDefault(key, List.of()));
                    values.stream().filter(value -> !kept.contains(value)).forEach(value -> {
                        change.lost(key, value);
                        lost.incrementAndGet();
                    });
                });
            }
        };
    }
}
