package io.github.r2dbcrouting.benchmarks.simulate;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.benchmarks.report.TextTable;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.routing.Ejections;
import io.github.r2dbcrouting.internal.routing.Router;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.session.SessionState;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * How does the decision fare in clusters that no machine at hand can hold?
 *
 * <p>The real decision code on tables that are sampled from a simulated cluster, in virtual time: no socket, no thread.
 * Waiting for a replica is left out: whoever no replica serves goes to the primary and is counted.
 */
@Command(
        name = "simulate",
        description =
                "Decisions over simulated clusters in virtual time: their cost, how evenly replicas are loaded, and"
                        + " how many reads fall back to the primary.",
        mixinStandardHelpOptions = true)
public final class Simulate implements Callable<Integer> {

    @Option(names = "--servers", split = ",", description = "numbers of servers (${DEFAULT-VALUE})")
    private List<Integer> servers = List.of(2, 16, 64, 256, 1_000);

    @Option(names = "--sessions", description = "users (${DEFAULT-VALUE})")
    private int sessions = 1_000_000;

    @Option(names = "--requests", description = "requests for each size (${DEFAULT-VALUE})")
    private int requests = 500_000;

    @Option(names = "--writes", description = "percent of the requests that write (${DEFAULT-VALUE})")
    private int writes = 10;

    @Option(names = "--utilization", description = "part of the replicas' slots that is busy (${DEFAULT-VALUE})")
    private double utilization = 0.7;

    @Option(names = "--sampling", description = "milliseconds from one table to the next (${DEFAULT-VALUE})")
    private int sampling = 10;

    private final PrintStream out = System.out;
    private long now;

    @Override
    public Integer call() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("servers", "ns per decision, p50", "p99", "busiest to mean", "fallbacks of reads"));
        for (int count : servers) {
            rows.add(run(count));
        }
        out.printf(
                Locale.ROOT,
                "%,d sessions, %,d requests for each size, %d %% writes, a table every %d ms, replicas %.0f %% busy%n%s",
                sessions,
                requests,
                writes,
                sampling,
                utilization * 100,
                TextTable.aligned(rows));
        return 0;
    }

    private List<String> run(int count) {
        SessionState[] users = new SessionState[sessions];
        for (int i = 0; i < sessions; i++) {
            users[i] = new SessionState();
        }
        Random random = new Random(1);
        now = 0;
        SimulatedCluster cluster = new SimulatedCluster(count, random);
        Router router = new Router(
                cluster::inFlight,
                random::nextInt,
                Safeguards.all(),
                new Ejections(() -> now),
                () -> now,
                Duration.ZERO,
                Router.Preferences.NONE);
        double rate = SimulatedCluster.rate(count, utilization) * 100 / Math.max(1, 100 - writes);
        long pause = Duration.ofMillis(sampling).toNanos();
        long sampleAt = 0;
        RoutingTable table = cluster.sample(0);
        // the middle of all: whoever is interrupted by the system says nothing of the decision
        Histogram deciding = new Histogram(TimeUnit.SECONDS.toNanos(10), 3);
        long reads = 0;
        long fallbacks = 0;
        for (int request = 0; request < requests; request++) {
            now = (long) (request / rate);
            cluster.advanceTo(now);
            if (now >= sampleAt) {
                table = cluster.sample(now);
                // as the monitor does when it publishes a table
                router.prepare(table);
                sampleAt = now + pause;
            }
            SessionState user = users[random.nextInt(users.length)];
            if (random.nextInt(100) < writes) {
                user.observe(CausalToken.of(List.of(cluster.write(now))));
                continue;
            }
            Ask ask = new Ask(Intent.READ, Freshness.causal(), user);
            long start = System.nanoTime();
            ServerState chosen = router.choose(table, ask, new BitSet()).server();
            deciding.recordValue(Math.min(deciding.getHighestTrackableValue(), System.nanoTime() - start));
            reads++;
            if (chosen == null || chosen.role() == ServerRole.PRIMARY) {
                fallbacks++;
            } else {
                cluster.serve(chosen.index(), now);
            }
        }
        return List.of(
                String.valueOf(count),
                String.valueOf(deciding.getValueAtPercentile(50)),
                String.valueOf(deciding.getValueAtPercentile(99)),
                String.format(Locale.ROOT, "%.3f", cluster.spread()),
                String.format(Locale.ROOT, "%.3f %%", 100.0 * fallbacks / Math.max(1, reads)));
    }
}
