package io.github.r2dbcrouting.samples.quickstart;

import io.github.r2dbcrouting.samples.quickstart.DemoCluster.Server;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.HdrHistogram.Histogram;

/**
 * How do the two ways of reading compare?
 *
 * @param servers the servers, the primary first
 * @param naive the run that read from any replica
 * @param causal the run that read in causal sessions
 */
record Comparison(List<Server> servers, Outcome naive, Outcome causal) {

    private static final String ROW = "  %-28s%26s%26s";

    /** Returns a table for people. */
    List<String> table() {
        List<String> rows = new ArrayList<>();
        rows.add(ROW.formatted("", "any replica", "causal session"));
        rows.add("  " + "-".repeat(80));
        rows.add(row("stale reads", run -> count(run.tally().stale())));
        rows.add(row("reads in all", run -> count(run.tally().reads())));
        for (Server server : servers) {
            rows.add(row("  by " + server.name() + ", " + server.description(), run -> share(run.tally(), server)));
        }
        rows.add(row("read-backs by replicas", run -> percent(run.tally().replicaShare())));
        rows.add(row("writes", run -> count(run.tally().writes())));
        rows.add(row("write p50 / p95 / p99", run -> percentiles(run.tally().writeMicros())));
        rows.add(row("read p50 / p95 / p99", run -> percentiles(run.tally().readMicros())));
        rows.add(row("time", run -> seconds(run.took().toNanos())));
        return rows;
    }

    /** Returns the line for machines. */
    String summary() {
        Tally tally = causal.tally();
        return String.format(
                Locale.ROOT,
                "quickstart: naive_stale=%d causal_stale=%d replica_share=%.2f reads=%d writes=%d",
                naive.tally().stale(),
                tally.stale(),
                // rounded down: 1.00 says that there was no exception
                Math.floor(tally.replicaShare() * 100) / 100,
                tally.reads(),
                tally.writes());
    }

    private String row(String name, Function<Outcome, String> value) {
        return ROW.formatted(name, value.apply(naive), value.apply(causal));
    }

    private static String share(Tally tally, Server server) {
        long reads = tally.reads(server.ownName());
        return count(reads) + "  " + String.format("%6s", percent((double) reads / Math.max(1, tally.reads())));
    }

    private static String percentiles(Histogram micros) {
        return String.format(
                Locale.ROOT,
                "%.1f / %.1f / %.1f ms",
                micros.getValueAtPercentile(50) / 1e3,
                micros.getValueAtPercentile(95) / 1e3,
                micros.getValueAtPercentile(99) / 1e3);
    }

    static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", share * 100);
    }

    static String seconds(long nanos) {
        return String.format(Locale.ROOT, "%.1f s", nanos / 1e9);
    }
}
