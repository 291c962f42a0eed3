package io.github.r2dbcrouting.benchmarks.report;

import io.github.r2dbcrouting.benchmarks.report.RouterSummary.Spread;
import io.github.r2dbcrouting.benchmarks.report.WorkloadReport.Course;
import io.github.r2dbcrouting.benchmarks.report.WorkloadReport.LagPoint;
import io.github.r2dbcrouting.benchmarks.report.WorkloadReport.Percentile;
import io.github.r2dbcrouting.benchmarks.report.WorkloadReport.Round;
import java.util.List;
import java.util.Map;

/** Runs as they might have been measured. */
final class Runs {

    private Runs() {}

    static RouterSummary router(String name, long stale, Double positions) {
        return new RouterSummary(
                "read-back",
                name,
                "a router <called> " + name + " & \"so on\"",
                "",
                1234.5,
                new Spread(0.9, 1.0, 1.1),
                100,
                900,
                200,
                2000,
                stale,
                1000,
                1000,
                0.95,
                50,
                2,
                Map.of("IllegalStateException", 2L),
                31.5,
                positions,
                Map.of("db1", 500L, "db2", 450L, "db0", 50L),
                Map.of("COVERS_TOKEN", 950L, "WRITE_PENDING", 50L));
    }

    static Summary summary(RouterSummary... routers) {
        return new Summary(
                Summary.SCHEMA,
                Map.of("cores", "2"),
                Map.of("users", "10"),
                "round-robin",
                List.of(routers),
                List.of(new Summary.Gate("stale <reads>", "read-back", "0", "0", true)));
    }

    static WorkloadReport report(RouterSummary... routers) {
        return new WorkloadReport(
                "read-back",
                "each write is followed by a read",
                List.of(routers).stream()
                        .map(router -> new Course(
                                router,
                                List.of(new Round(0, 1000, 0), new Round(1, 1200, 1)),
                                List.of(new Percentile(50, 100), new Percentile(99, 900))))
                        .toList(),
                List.of(new LagPoint("db1", 0, 0), new LagPoint("db1", 1, 30)));
    }
}
