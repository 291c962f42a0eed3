package io.github.r2dbcrouting.benchmarks.load;

import io.github.r2dbcrouting.benchmarks.Quartiles;
import io.github.r2dbcrouting.benchmarks.report.RouterSummary;
import io.github.r2dbcrouting.benchmarks.report.WorkloadReport.Course;
import io.github.r2dbcrouting.benchmarks.report.WorkloadReport.Percentile;
import io.github.r2dbcrouting.benchmarks.report.WorkloadReport.Round;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/** What has one router done so far? Statements are counted from any thread; slices are ended by one. */
final class Tally {

    private static final long LONGEST = TimeUnit.MINUTES.toMicros(2);
    private static final double[] PERCENTILES = {0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99};

    private final Histogram reads = new ConcurrentHistogram(LONGEST, 3);
    private final Histogram writes = new ConcurrentHistogram(LONGEST, 3);
    private final LongAdder readsTotal = new LongAdder();
    private final LongAdder writesTotal = new LongAdder();
    private final LongAdder stale = new LongAdder();
    private final LongAdder errors = new LongAdder();
    private final Map<String, LongAdder> errorKinds = new ConcurrentHashMap<>();
    private final Map<String, LongAdder> servers = new ConcurrentHashMap<>();
    private final List<Round> rounds = new ArrayList<>();
    private double seconds;
    private double cpuMicros;
    private long positionQueries = -1;
    private long statementsBefore;
    private long staleBefore;

    void read(long micros, String server, boolean isStale) {
        reads.recordValue(Math.min(LONGEST, Math.max(0, micros)));
        readsTotal.increment();
        servers.computeIfAbsent(server, ignored -> new LongAdder()).increment();
        if (isStale) {
            stale.increment();
        }
    }

    void wrote(long micros) {
        writes.recordValue(Math.min(LONGEST, Math.max(0, micros)));
        writesTotal.increment();
    }

    void failed(Throwable error) {
        errors.increment();
        errorKinds
                .computeIfAbsent(error.getClass().getSimpleName(), ignored -> new LongAdder())
                .increment();
    }

    /**
     * Ends a slice.
     *
     * @param at when it began, in seconds from the beginning of the measuring
     * @param length how long it took, in seconds
     * @param cpu CPU time of this process, in microseconds
     * @param queries position queries that the primary counted; negative if nobody counted
     */
    void slice(double at, double length, double cpu, long queries) {
        long statements = readsTotal.sum() + writesTotal.sum();
        rounds.add(new Round(at, (statements - statementsBefore) / length, stale.sum() - staleBefore));
        statementsBefore = statements;
        staleBefore = stale.sum();
        seconds += length;
        cpuMicros += cpu;
        if (queries >= 0) {
            positionQueries = Math.max(0, positionQueries) + queries;
        }
    }

    List<Double> throughputs() {
        return rounds.stream().map(Round::throughputPerS).toList();
    }

    /**
     * Puts everything together.
     *
     * @param workload the workload's name
     * @param contender whose it is
     * @param baseline the throughput of the baseline in each round
     * @param names the servers' names by their addresses
     * @param replicas the names of the replicas
     * @return the course
     */
    Course course(
            String workload,
            Contender contender,
            List<Double> baseline,
            Map<String, String> names,
            Set<String> replicas) {
        Map<String, Long> byServer = new TreeMap<>();
        servers.forEach(
                (address, count) -> byServer.merge(names.getOrDefault(address, address), count.sum(), Long::sum));
        long onReplicas = byServer.entrySet().stream()
                .filter(entry -> replicas.contains(entry.getKey()))
                .mapToLong(Map.Entry::getValue)
                .sum();
        long statements = readsTotal.sum() + writesTotal.sum();
        Map<String, Long> kinds = new TreeMap<>();
        errorKinds.forEach((kind, count) -> kinds.put(kind, count.sum()));
        RouterSummary summary = new RouterSummary(
                workload,
                contender.name(),
                contender.title(),
                contender.note(),
                seconds == 0 ? 0 : statements / seconds,
                ratio(baseline),
                reads.getValueAtPercentile(50),
                reads.getValueAtPercentile(99),
                writes.getValueAtPercentile(50),
                writes.getValueAtPercentile(99),
                stale.sum(),
                readsTotal.sum(),
                writesTotal.sum(),
                readsTotal.sum() == 0 ? 0 : onReplicas / (double) readsTotal.sum(),
                contender.kind().ours()
                        ? readsTotal.sum() - onReplicas
                        : contender.reasons().fallbacks(),
                errors.sum(),
                kinds,
                statements == 0 ? 0 : cpuMicros / statements,
                queriesPerWrite(),
                byServer,
                contender.reasons().counts());
        return new Course(summary, List.copyOf(rounds), percentiles());
    }

    private @Nullable Double queriesPerWrite() {
        return positionQueries < 0 || writesTotal.sum() == 0 ? null : positionQueries / (double) writesTotal.sum();
    }

    private RouterSummary.Spread ratio(List<Double> baseline) {
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < Math.min(baseline.size(), rounds.size()); i++) {
            if (baseline.get(i) > 0) {
                ratios.add(rounds.get(i).throughputPerS() / baseline.get(i));
            }
        }
        if (ratios.isEmpty()) {
            return new RouterSummary.Spread(0, 0, 0);
        }
        Quartiles quartiles = Quartiles.of(ratios);
        return new RouterSummary.Spread(quartiles.lower(), quartiles.median(), quartiles.upper());
    }

    private List<Percentile> percentiles() {
        List<Percentile> points = new ArrayList<>();
        long count = reads.getTotalCount();
        for (double percentile : PERCENTILES) {
            // a percentile beyond what so few can tell would only repeat the slowest
            if (count > 0 && (100 - percentile) / 100 * count >= 1) {
                points.add(new Percentile(percentile, reads.getValueAtPercentile(percentile)));
            }
        }
        return points;
    }
}
