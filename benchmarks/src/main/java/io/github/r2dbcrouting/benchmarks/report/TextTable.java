package io.github.r2dbcrouting.benchmarks.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** How does a run look on a terminal? */
public final class TextTable {

    private TextTable() {}

    /**
     * Puts how routers fared under one workload into rows.
     *
     * @param routers the routers
     * @param baseline the name of the one that ratios are against
     * @return lines, each with its end
     */
    public static String of(List<RouterSummary> routers, String baseline) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of(
                "router",
                "per s",
                "to " + baseline + " [quartiles]",
                "read p50",
                "p99 us",
                "write p50",
                "stale",
                "of reads",
                "replica %",
                "fallbacks",
                "errors",
                "CPU us",
                "pos/write"));
        for (RouterSummary router : routers) {
            Double positions = router.positionQueriesPerWrite();
            rows.add(List.of(
                    router.router(),
                    number("%.0f", router.throughputPerS()),
                    number("%.3f", router.ratio().median())
                            + number(" [%.3f ..", router.ratio().lower())
                            + number(" %.3f]", router.ratio().upper()),
                    number("%.0f", router.readP50Us()),
                    number("%.0f", router.readP99Us()),
                    number("%.0f", router.writeP50Us()),
                    String.valueOf(router.staleReads()),
                    String.valueOf(router.readsTotal()),
                    number("%.1f", router.replicaShare() * 100),
                    String.valueOf(router.fallbacks()),
                    String.valueOf(router.errors()),
                    number("%.1f", router.clientCpuUsPerStatement()),
                    positions == null ? "" : number("%.3f", positions)));
        }
        return aligned(rows);
    }

    /**
     * Aligns cells: the first column to the left, the others to the right.
     *
     * @param rows rows of equally many cells
     * @return lines, each with its end
     */
    public static String aligned(List<List<String>> rows) {
        int columns = rows.get(0).size();
        int[] widths = IntStream.range(0, columns)
                .map(column -> rows.stream()
                        .mapToInt(row -> row.get(column).length())
                        .max()
                        .orElse(0))
                .toArray();
        return rows.stream()
                .map(row -> IntStream.range(0, columns)
                        .mapToObj(column -> column == 0
                                ? row.get(0) + " ".repeat(widths[0] - row.get(0).length())
                                : " ".repeat(widths[column] - row.get(column).length()) + row.get(column))
                        .collect(Collectors.joining("  ")))
                .map(line -> line.stripTrailing() + "\n")
                .collect(Collectors.joining());
    }

    private static String number(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }
}
