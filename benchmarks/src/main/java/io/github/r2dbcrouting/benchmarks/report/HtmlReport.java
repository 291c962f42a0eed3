package io.github.r2dbcrouting.benchmarks.report;

import io.github.r2dbcrouting.benchmarks.report.WorkloadReport.Course;
import io.github.r2dbcrouting.benchmarks.report.WorkloadReport.LagPoint;
import io.github.r2dbcrouting.benchmarks.report.WorkloadReport.Round;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * How does a run look on a page?
 *
 * <p>One file that needs nothing else, in the light or the dark of whoever looks at it.
 */
public final class HtmlReport {

    private static final int COLOURS = 12;
    private static final double[] PERCENTILES = {0, 50, 90, 99, 99.9, 99.99};

    private HtmlReport() {}

    /**
     * Draws a run.
     *
     * @param summary what was measured
     * @param workloads the course of each workload
     * @return the page
     */
    public static String of(Summary summary, List<WorkloadReport> workloads) {
        StringBuilder html = new StringBuilder();
        html.append("<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'/>")
                .append("<meta name='viewport' content='width=device-width, initial-scale=1'/>")
                .append("<title>r2dbc-routing under load</title><style>")
                .append(STYLE)
                .append("</style></head><body><h1>r2dbc-routing under load</h1>");
        html.append("<dl>");
        facts(html, summary.machine());
        facts(html, summary.settings());
        html.append("</dl>");
        gates(html, summary.gates());
        workloads.forEach(workload -> workload(html, workload, summary.baseline()));
        return html.append("</body></html>\n").toString();
    }

    private static void facts(StringBuilder html, Map<String, String> facts) {
        facts.forEach((name, value) -> html.append("<div><dt>")
                .append(Svg.escape(name))
                .append("</dt><dd>")
                .append(Svg.escape(value))
                .append("</dd></div>"));
    }

    private static void gates(StringBuilder html, List<Summary.Gate> gates) {
        if (gates.isEmpty()) {
            return;
        }
        html.append(
                        "<h2>What had to hold</h2><table><thead><tr><th></th><th>workload</th><th>what</th><th>expected</th>")
                .append("<th>measured</th></tr></thead><tbody>");
        gates.forEach(gate -> html.append("<tr><td class='")
                .append(gate.passed() ? "ok'>held" : "failed'>did not hold")
                .append("</td>")
                .append(cells(gate.workload(), gate.name(), gate.expected(), gate.measured()))
                .append("</tr>"));
        html.append("</tbody></table>");
    }

    private static String cells(String... texts) {
        StringBuilder cells = new StringBuilder();
        for (String text : texts) {
            cells.append("<td>").append(Svg.escape(text)).append("</td>");
        }
        return cells.toString();
    }

    private static void workload(StringBuilder html, WorkloadReport workload, String baseline) {
        html.append("<section><h2>")
                .append(Svg.escape(workload.name()))
                .append("</h2><p>")
                .append(Svg.escape(workload.description()))
                .append("</p>");
        table(html, workload.routers(), baseline);
        html.append("<div class='charts'>");
        chart(html, "Throughput, statements per second; whiskers: the middle half of the slices", throughput(workload));
        chart(html, "Stale reads, of all reads", stale(workload));
        chart(html, "Throughput over time, statements per second", overTime(workload));
        chart(html, "Latency of reads by percentile, µs", latencies(workload));
        chart(
                html,
                "Reads by the server that served them",
                Svg.stacks(workload.routers().stream()
                        .map(course -> new Svg.Stack(
                                course.summary().title(), course.summary().servers()))
                        .toList()));
        List<Svg.Stack> reasons = workload.routers().stream()
                .filter(course -> !course.summary().reasons().isEmpty())
                .map(course ->
                        new Svg.Stack(course.summary().title(), course.summary().reasons()))
                .toList();
        if (!reasons.isEmpty()) {
            chart(html, "Reads by the reason, for routers that say so (a sample)", Svg.stacks(reasons));
        }
        chart(html, "How far behind the replicas were, ms, seen from outside", lag(workload));
        html.append("</div></section>");
    }

    private static void chart(StringBuilder html, String title, String svg) {
        html.append("<figure><figcaption>")
                .append(Svg.escape(title))
                .append("</figcaption>")
                .append(svg)
                .append("</figure>");
    }

    private static void table(StringBuilder html, List<Course> courses, String baseline) {
        html.append("<div class='wide'><table><thead><tr><th>router</th><th>per s</th><th>to ")
                .append(Svg.escape(baseline))
                .append(
                        "</th><th>read p50 µs</th><th>p99</th><th>write p50 µs</th><th>p99</th><th>stale</th><th>of reads</th>")
                .append("<th>on replicas</th><th>fallbacks</th><th>errors</th><th>CPU µs</th></tr></thead><tbody>");
        for (Course course : courses) {
            RouterSummary router = course.summary();
            html.append("<tr>")
                    .append(cells(
                            router.note().isEmpty() ? router.title() : router.title() + ", " + router.note(),
                            format("%.0f", router.throughputPerS()),
                            format("%.3f", router.ratio().median())
                                    + format(" [%.3f ..", router.ratio().lower())
                                    + format(" %.3f]", router.ratio().upper()),
                            format("%.0f", router.readP50Us()),
                            format("%.0f", router.readP99Us()),
                            format("%.0f", router.writeP50Us()),
                            format("%.0f", router.writeP99Us()),
                            String.valueOf(router.staleReads()),
                            String.valueOf(router.readsTotal()),
                            format("%.1f %%", router.replicaShare() * 100),
                            String.valueOf(router.fallbacks()),
                            String.valueOf(router.errors()),
                            format("%.1f", router.clientCpuUsPerStatement())))
                    .append("</tr>");
        }
        html.append("</tbody></table></div>");
    }

    private static String throughput(WorkloadReport workload) {
        List<Svg.Bar> bars = new ArrayList<>();
        for (int i = 0; i < workload.routers().size(); i++) {
            Course course = workload.routers().get(i);
            double[] sorted = course.rounds().stream()
                    .mapToDouble(Round::throughputPerS)
                    .sorted()
                    .toArray();
            bars.add(new Svg.Bar(
                    course.summary().title(),
                    course.summary().throughputPerS(),
                    at(sorted, 0.25),
                    at(sorted, 0.75),
                    format("%.0f", course.summary().throughputPerS()),
                    i % COLOURS));
        }
        return Svg.bars(bars);
    }

    private static String stale(WorkloadReport workload) {
        List<Svg.Bar> bars = new ArrayList<>();
        for (int i = 0; i < workload.routers().size(); i++) {
            RouterSummary router = workload.routers().get(i).summary();
            bars.add(new Svg.Bar(
                    router.title(),
                    router.staleShare(),
                    0,
                    0,
                    format("%.2f %%", router.staleShare() * 100),
                    i % COLOURS));
        }
        return Svg.bars(bars);
    }

    private static String overTime(WorkloadReport workload) {
        return Svg.lines(
                lines(workload, course -> smooth(course.rounds())),
                false,
                "",
                List.of(),
                x -> Svg.number(x) + " s",
                x -> x);
    }

    /** The middle of five neighbours, so that ten lines can be told apart. */
    private static List<double[]> smooth(List<Round> rounds) {
        List<double[]> points = new ArrayList<>();
        for (int i = 0; i < rounds.size(); i++) {
            double[] near = rounds.subList(Math.max(0, i - 2), Math.min(rounds.size(), i + 3)).stream()
                    .mapToDouble(Round::throughputPerS)
                    .sorted()
                    .toArray();
            points.add(new double[] {rounds.get(i).atSeconds(), at(near, 0.5)});
        }
        return points;
    }

    private static String latencies(WorkloadReport workload) {
        return Svg.lines(
                lines(
                        workload,
                        course -> course.percentiles().stream()
                                .map(point -> new double[] {point.percentile(), point.micros()})
                                .toList()),
                true,
                "",
                Arrays.stream(PERCENTILES)
                        .mapToObj(percentile -> new double[] {percentile})
                        .toList(),
                percentile ->
                        percentile == 0 ? "fastest" : String.valueOf(percentile).replaceAll("\\.0$", "") + " %",
                percentile -> -Math.log10(1 - percentile / 100));
    }

    private static List<Svg.Line> lines(
            WorkloadReport workload, java.util.function.Function<Course, List<double[]>> points) {
        List<Svg.Line> lines = new ArrayList<>();
        for (int i = 0; i < workload.routers().size(); i++) {
            Course course = workload.routers().get(i);
            lines.add(new Svg.Line(
                    course.summary().title(),
                    points.apply(course),
                    i % COLOURS,
                    course.summary().router().equals("causal")));
        }
        return lines;
    }

    private static String lag(WorkloadReport workload) {
        Map<String, List<double[]>> byServer = new LinkedHashMap<>();
        ToDoubleFunction<LagPoint> visible = point -> Math.max(point.millis(), 0.1);
        workload.lag()
                .forEach(point -> byServer.computeIfAbsent(point.server(), ignored -> new ArrayList<>())
                        .add(new double[] {point.atSeconds(), visible.applyAsDouble(point)}));
        List<Svg.Line> lines = new ArrayList<>();
        byServer.forEach((server, points) -> lines.add(new Svg.Line(server, points, lines.size() + 1, false)));
        return Svg.lines(lines, true, "", List.of(), x -> Svg.number(x) + " s", x -> x);
    }

    private static double at(double[] sorted, double part) {
        return sorted.length == 0 ? 0 : sorted[(int) Math.round(part * (sorted.length - 1))];
    }

    private static String format(String pattern, double value) {
        return String.format(Locale.ROOT, pattern, value);
    }

    private static String colours(String[] values) {
        StringBuilder css = new StringBuilder();
        for (int i = 0; i < values.length; i++) {
            css.append("--c").append(i).append(':').append(values[i]).append(';');
        }
        return css.toString();
    }

    private static String classes() {
        StringBuilder css = new StringBuilder();
        for (int i = 0; i < COLOURS; i++) {
            css.append(".f%d{fill:var(--c%d)}.s%d{stroke:var(--c%d)}.b%d{background:var(--c%d)}"
                    .formatted(i, i, i, i, i, i));
        }
        return css.toString();
    }

    private static final String[] LIGHT = {
        "#6b7280", "#2563c9", "#86a8e0", "#c2671a", "#0f8a5f", "#7a4fd0", "#b83280", "#8a6d1f", "#0e8494", "#d14343",
        "#5b7f1d", "#474f9f"
    };
    private static final String[] DARK = {
        "#9aa3b2", "#6aa5ff", "#3f6fb8", "#f0a35a", "#3ddc97", "#b79bff", "#f07fbf", "#d9bb5f", "#4fd0e0", "#ff8080",
        "#a9d25c", "#8f9bff"
    };

    private static final String STYLE = """
            :root{color-scheme:light dark;--page:#fbfbfa;--card:#fff;--ink:#1c1f24;--soft:#5c6470;--rule:#e3e5e8;\
            --ok:#0f8a5f;--bad:#c02f2f;%s}
            @media(prefers-color-scheme:dark){:root{--page:#14161a;--card:#1c1f25;--ink:#e8eaed;--soft:#a2a9b4;\
            --rule:#33383f;--ok:#3ddc97;--bad:#ff8080;%s}}
            body{font:15px/1.5 system-ui,sans-serif;background:var(--page);color:var(--ink);margin:0 auto;max-width:1560px;\
            padding:24px}
            h1{font-size:24px;margin:0 0 12px}h2{font-size:19px;margin:32px 0 4px}p{margin:4px 0 12px;color:var(--soft)}
            dl{display:flex;flex-wrap:wrap;gap:6px 28px;margin:0}dt{color:var(--soft);font-size:12px}dd{margin:0}
            table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px}.wide{overflow-x:auto}
            th,td{padding:4px 12px 4px 0;text-align:left;border-bottom:1px solid var(--rule);white-space:nowrap}
            th{color:var(--soft);font-weight:500}section td:not(:first-child),section th:not(:first-child){text-align:right}
            .ok{color:var(--ok)}.failed{color:var(--bad);font-weight:600}
            .charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%%,560px),1fr));gap:16px;margin-top:16px}
            figure{background:var(--card);border:1px solid var(--rule);border-radius:8px;margin:0;padding:14px}
            figcaption{font-weight:600;font-size:14px;margin-bottom:8px}svg{width:100%%;display:block}
            svg text{fill:var(--ink);font-size:12px}.grid{stroke:var(--rule)}.whisker{stroke:var(--ink);stroke-width:1.5}
            polyline{fill:none;stroke-width:1.4}polyline.strong{stroke-width:3}
            .legend{font-size:12px;margin:8px 0 0}.legend span{margin-right:14px;display:inline-block}
            .legend i{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:5px}
            %s
            """.formatted(colours(LIGHT), colours(DARK), classes());
}
