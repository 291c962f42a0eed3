package io.github.r2dbcrouting.benchmarks.load;

import com.sun.management.OperatingSystemMXBean;
import io.github.r2dbcrouting.benchmarks.report.Gates;
import io.github.r2dbcrouting.benchmarks.report.RouterSummary;
import io.github.r2dbcrouting.benchmarks.report.Summary.Gate;
import io.github.r2dbcrouting.benchmarks.report.WorkloadReport;
import io.github.r2dbcrouting.benchmarks.report.WorkloadReport.Course;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresServer;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How do the routers of a plan fare in turns?
 *
 * <p>A round is one slice of each router, in an order that is drawn anew: with a fixed order, even one that rotates, a
 * router always takes over what the same other one left behind, which alone made two equal ones differ by 4 %.
 */
final class LoadRun {

    private static final OperatingSystemMXBean OS =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private final Plan plan;
    private final Cluster cluster;
    private final List<Contender> contenders;
    private final Consumer<String> progress;
    private final Random random;
    private final List<Gate> gates = new ArrayList<>();

    LoadRun(Plan plan, Cluster cluster, List<Contender> contenders, Consumer<String> progress) {
        this.plan = plan;
        this.cluster = cluster;
        this.contenders = contenders;
        this.progress = progress;
        this.random = new Random(plan.seed());
    }

    List<Gate> gates() {
        return List.copyOf(gates);
    }

    /** Runs one workload, and blocks until it has ended. */
    WorkloadReport run(Plan.Task task) {
        Zipf keys = new Zipf(plan.keys(), plan.skew());
        Map<Contender, Crew> crews = new LinkedHashMap<>();
        contenders.forEach(contender -> crews.put(contender, new Crew(plan.users(), random)));
        List<Contender> turns = new ArrayList<>(contenders);
        Collections.shuffle(turns, random);
        for (Contender contender : turns) {
            progress.accept(task.name() + ": warming up " + contender.name());
            load(slice(contender, new Tally(), crews, task, keys), plan.warmUp());
            contender.reasons().reset();
        }
        cluster.awaitReplayed();
        Map<Contender, Tally> tallies = new LinkedHashMap<>();
        contenders.forEach(contender -> tallies.put(contender, new Tally()));
        long start = System.nanoTime();
        List<WorkloadReport.LagPoint> lag;
        Lag.InForce inForce = lag();
        try (LagWatch watch = new LagWatch(cluster, start)) {
            for (int round = 0; round < plan.rounds(); round++) {
                progress.accept(task.name() + ": round " + (round + 1) + " of " + plan.rounds());
                Collections.shuffle(turns, random);
                for (Contender contender : turns) {
                    Tally tally = tallies.getOrDefault(contender, new Tally());
                    measure(slice(contender, tally, crews, task, keys), start);
                }
            }
            lag = watch.points();
        } finally {
            inForce.close();
        }
        return report(task, tallies, lag);
    }

    private Lag.InForce lag() {
        PostgresCluster embedded = cluster.embedded();
        List<PostgresServer> replicas = embedded == null
                ? List.of()
                : IntStream.range(0, cluster.replicas().size())
                        .mapToObj(embedded::replica)
                        .toList();
        return new Lag.InForce(replicas, plan.lags());
    }

    private Slice slice(Contender contender, Tally tally, Map<Contender, Crew> crews, Plan.Task task, Zipf keys) {
        Crew crew = crews.get(contender);
        if (crew == null) {
            throw new IllegalArgumentException(contender.name() + " has no users");
        }
        return new Slice(contender, tally, crew, task.workload(), keys, plan.literal(), task.think());
    }

    private void load(Slice slice, Duration length) {
        if (length.isZero()) {
            return;
        }
        if (plan.ratePerSecond() > 0) {
            slice.openLoop(new Schedule(plan.ratePerSecond()), length);
        } else {
            slice.closedLoop(plan.concurrency(), length);
        }
    }

    private void measure(Slice slice, long start) {
        boolean counting = slice.contender().kind() == Kind.CAUSAL && cluster.embedded() != null;
        long queries = counting ? positionQueries() : 0;
        long cpu = OS.getProcessCpuTime();
        long begin = System.nanoTime();
        load(slice, plan.slice());
        long end = System.nanoTime();
        double cpuMicros = (OS.getProcessCpuTime() - cpu) / 1e3;
        slice.tally()
                .slice(
                        (begin - start) / 1e9,
                        (end - begin) / 1e9,
                        cpuMicros,
                        counting ? positionQueries() - queries : -1);
    }

    private long positionQueries() {
        PostgresCluster embedded = cluster.embedded();
        return embedded == null
                ? 0
                : Long.parseLong(embedded.primary()
                        .query("SELECT coalesce(sum(calls), 0)::text FROM pg_stat_statements"
                                + " WHERE query LIKE '%pg_current_wal_flush_lsn%' AND query NOT LIKE '%"
                                + LagWatch.MARK + "%' OR query LIKE '%pg_logical_emit_message%'"));
    }

    private WorkloadReport report(Plan.Task task, Map<Contender, Tally> tallies, List<WorkloadReport.LagPoint> lag) {
        Set<String> replicas =
                cluster.replicas().stream().map(Cluster.Server::name).collect(Collectors.toSet());
        List<Double> baseline = tallies.entrySet().stream()
                .filter(entry -> entry.getKey().name().equals(plan.baseline().toString()))
                .map(entry -> entry.getValue().throughputs())
                .findFirst()
                .orElse(List.of());
        List<Course> courses = new ArrayList<>();
        tallies.forEach((contender, tally) ->
                courses.add(tally.course(task.name(), contender, baseline, cluster.names(), replicas)));
        List<RouterSummary> summaries = courses.stream().map(Course::summary).toList();
        gates.addAll(Gates.check(
                // without a read there is nothing that could be stale
                summaries.stream()
                        .filter(summary -> summary.readsTotal() > 0 || summary.errors() > 0)
                        .toList(),
                contenders.stream()
                        .filter(contender -> contender.kind().readsItsWrites())
                        .map(Contender::name)
                        .collect(Collectors.toSet()),
                task.workload() == Workload.READ_BACK && task.think().isZero() && !replicas.isEmpty()
                        ? Optional.of(Kind.ROUND_ROBIN.toString())
                        : Optional.empty(),
                plan.writers(task.workload())));
        return new WorkloadReport(task.name(), task.description(), courses, lag);
    }
}
