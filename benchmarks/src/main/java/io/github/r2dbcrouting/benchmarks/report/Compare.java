package io.github.r2dbcrouting.benchmarks.report;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** By how much do two runs differ? */
@Command(
        name = "compare",
        description = "Prints by how much the second of two summaries differs from the first.",
        mixinStandardHelpOptions = true)
public final class Compare implements Callable<Integer> {

    @Parameters(index = "0", description = "summary.json of one run")
    private @Nullable Path before;

    @Parameters(index = "1", description = "summary.json of another")
    private @Nullable Path after;

    private final PrintStream out = System.out;

    @Override
    public Integer call() throws IOException {
        if (before == null || after == null) {
            throw new IllegalArgumentException("expected two files");
        }
        out.print(table(Summary.read(before), Summary.read(after)));
        return 0;
    }

    /**
     * Compares two runs.
     *
     * @param before one
     * @param after the other
     * @return a table of ratios of the second to the first, for what is in both
     */
    public static String table(Summary before, Summary after) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of(
                "workload",
                "router",
                "throughput",
                "ratio to baseline",
                "read p50",
                "read p99",
                "write p50",
                "CPU",
                "stale"));
        for (RouterSummary then : before.routers()) {
            counterpart(after, then)
                    .ifPresent(now -> rows.add(List.of(
                            then.workload(),
                            then.router(),
                            ratio(then, now, RouterSummary::throughputPerS),
                            ratio(then, now, router -> router.ratio().median()),
                            ratio(then, now, RouterSummary::readP50Us),
                            ratio(then, now, RouterSummary::readP99Us),
                            ratio(then, now, RouterSummary::writeP50Us),
                            ratio(then, now, RouterSummary::clientCpuUsPerStatement),
                            then.staleReads() + " -> " + now.staleReads())));
        }
        return rows.size() == 1 ? "the two runs have no router and workload in common\n" : TextTable.aligned(rows);
    }

    private static Optional<RouterSummary> counterpart(Summary summary, RouterSummary router) {
        return summary.routers().stream()
                .filter(other -> other.router().equals(router.router())
                        && other.workload().equals(router.workload()))
                .findFirst();
    }

    private static String ratio(RouterSummary then, RouterSummary now, ToDoubleFunction<RouterSummary> what) {
        double divisor = what.applyAsDouble(then);
        return divisor == 0 ? "-" : String.format(Locale.ROOT, "%.3f", what.applyAsDouble(now) / divisor);
    }
}
