package io.github.r2dbcrouting.samples.quickstart;

import io.github.r2dbcrouting.samples.quickstart.DemoCluster.Server;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/**
 * How do the two ways of reading compare?
 *
 * @param servers the servers, the primary first
 * @param naive what was seen by those who read from any replica
 * @param causal what was seen by those who read in causal sessions
 */
record Comparison(List<Server> servers, Tally naive, Tally causal) {

    private static final String ROW = "  %-32s%24s%24s";

    /** Returns a table for people. */
    List<String> table() {
        List<String> rows = new ArrayList<>();
        rows.add(ROW.formatted("", "any replica (naive)", "causal session"));
        rows.add("  " + "-".repeat(80));
        rows.add(row("stale reads", run -> Figures.count(run.stale())));
        rows.add(row("reads", run -> Figures.count(run.reads())));
        for (Server server : servers) {
            rows.add(row("  from " + server.name() + ", " + server.description(), run -> share(run, server)));
        }
        rows.add(row("read-backs from replicas", run -> Figures.percent(run.replicaShare())));
        rows.add(row("read p50 / p95 / p99", run -> Figures.percentiles(run.readMicros())));
        rows.add(row("writes", run -> Figures.count(run.writes())));
        rows.add(row("write p50 / p95 / p99", run -> Figures.percentiles(run.writeMicros())));
        rows.add(row("time", run -> Figures.seconds(run.took())));
        return rows;
    }

    /** Returns the line for machines. */
    String summary() {
        return String.format(
                Locale.ROOT,
                "quickstart: naive_stale=%d causal_stale=%d replica_share=%.2f reads=%d writes=%d",
                naive.stale(),
                causal.stale(),
                // rounded down: 1.00 says that there was no exception
                Math.floor(causal.replicaShare() * 100) / 100,
                causal.reads(),
                causal.writes());
    }

    private String row(String name, Function<Tally, String> value) {
        return ROW.formatted(name, value.apply(naive), value.apply(causal));
    }

    private static String share(Tally tally, Server server) {
        long reads = tally.reads(server.ownName());
        return "%s %9s".formatted(Figures.count(reads), Figures.percent((double) reads / Math.max(1, tally.reads())));
    }
}
