package io.github.r2dbcrouting.benchmarks.load;

import io.github.r2dbcrouting.benchmarks.report.HtmlReport;
import io.github.r2dbcrouting.benchmarks.report.Machine;
import io.github.r2dbcrouting.benchmarks.report.RouterSummary;
import io.github.r2dbcrouting.benchmarks.report.Summary;
import io.github.r2dbcrouting.benchmarks.report.Summary.Gate;
import io.github.r2dbcrouting.benchmarks.report.TextTable;
import io.github.r2dbcrouting.benchmarks.report.WorkloadReport;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What is routing worth under load, against other ways of choosing a server? */
@Command(
        name = "load",
        description = "Compares ways of choosing a server under the same load, in turns, and leaves a report.",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {
            "0:measured, and what had to hold held",
            "1:something that had to hold did not",
            "2:wrong options"
        })
public final class Load implements Callable<Integer> {

    private static final Duration CLOSING = Duration.ofSeconds(20);

    @Spec
    private @Nullable CommandSpec spec;

    @Option(names = "--quick", description = "three workloads in about three minutes; other options still count")
    private boolean quick;

    @Option(
            names = "--url",
            description =
                    "one of the servers, r2dbc:postgresql://user:password@host:port/database; given for each. A"
                            + " table routing_load_item is made and dropped there. Without any, servers are started for the run")
    private List<String> urls = new ArrayList<>();

    @Option(names = "--replicas", description = "replicas that are started beside the primary (${DEFAULT-VALUE})")
    private int replicas = 2;

    @Option(
            names = "--fsync",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "whether started servers wait for the disk (${DEFAULT-VALUE})")
    private boolean fsync = true;

    @Option(
            names = "--routers",
            split = ",",
            description = "what is compared: primary, round-robin, pinned, causal, bounded, spring, multi-host, and,"
                    + " where installed, haproxy, pgbouncer, pgpool (${DEFAULT-VALUE})")
    private List<String> routers =
            List.of("primary", "round-robin", "pinned", "causal", "bounded", "spring", "multi-host");

    @Option(names = "--proxies", description = "compares haproxy, pgbouncer and pgpool, too, where installed")
    private boolean proxies;

    @Option(
            names = "--baseline",
            description = "what ratios are against; it runs twice, for the noise (${DEFAULT-VALUE})")
    private String baseline = "round-robin";

    @Option(
            names = "--workload",
            split = ",",
            description = "select-1, read-only, read-90, read-50, read-back, read-back:<think time in ms>, listing;"
                    + " read-back if none is given")
    private List<String> workloads = new ArrayList<>();

    @Option(names = "--concurrency", description = "users that are busy at a time (${DEFAULT-VALUE})")
    private int concurrency = 16;

    @Option(
            names = "--rate",
            description = "begins so many things per second, however long they take (open loop); latencies count from"
                    + " the intended beginning. 0: each user begins when it has finished (closed loop)")
    private double rate;

    @Option(names = "--users", description = "users, each with a session (${DEFAULT-VALUE})")
    private int users = 200;

    @Option(names = "--keys", description = "rows (${DEFAULT-VALUE})")
    private int keys = 10_000;

    @Option(
            names = "--literal",
            description = "writes keys into the statements, which are then simple queries, instead of binding them")
    private boolean literal;

    @Option(names = "--skew", description = "of Zipf's distribution of the rows; 0: all alike (${DEFAULT-VALUE})")
    private double skew = 0.9;

    @Option(
            names = "--slice",
            description = "milliseconds for which a router is under load at a time (${DEFAULT-VALUE})")
    private int slice = 250;

    @Option(names = "--duration", description = "seconds for each workload, over all routers (120; quick: 40)")
    private int duration;

    @Option(names = "--warm-up", description = "seconds of warm-up for each router and workload (4; quick: 1)")
    private int warmUp = -1;

    @Option(
            names = "--lag",
            split = ",",
            description = "what keeps the first, second, ... replica behind: none, delay=<ms>, spikes=<ms>/<every ms>,"
                    + " paused, killed. Only of started servers")
    private List<String> lags = new ArrayList<>();

    @Option(names = "--pool", description = "connections to each server, for each router (as --concurrency)")
    private int pool;

    @Option(names = "--seed", description = "draws the order of the slices (${DEFAULT-VALUE})")
    private long seed = 1;

    @Option(names = "--out", description = "directory for summary.json and report.html (${DEFAULT-VALUE})")
    private Path directory = Path.of("benchmarks", "target", "load");

    private final PrintStream out = System.out;
    private final PrintStream err = System.err;

    @Override
    public Integer call() throws IOException {
        Plan plan = checked();
        List<WorkloadReport> reports = new ArrayList<>();
        List<Gate> gates;
        Map<String, String> machine = Machine.here();
        try (Cluster cluster = urls.isEmpty() ? Cluster.start(replicas, fsync) : Cluster.at(urls)) {
            machine.put("postgresql", cluster.version());
            machine.put(
                    "servers",
                    "1 primary, " + cluster.replicas().size() + " replicas"
                            + (urls.isEmpty() ? " on this machine, fsync " + (fsync ? "on" : "off") : ""));
            machine.forEach((name, value) -> out.printf("%s: %s%n", name, value));
            settings(plan).forEach((name, value) -> out.printf("%s: %s%n", name, value));
            Statements.create(cluster, plan.keys());
            try (Proxies programs = new Proxies(cluster)) {
                gates = run(plan, cluster, programs, reports);
            } finally {
                Statements.drop(cluster);
            }
        }
        Summary summary = new Summary(
                Summary.SCHEMA,
                machine,
                settings(plan),
                plan.baseline().toString(),
                reports.stream()
                        .flatMap(report -> report.routers().stream())
                        .map(WorkloadReport.Course::summary)
                        .toList(),
                gates);
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("summary.json"), summary.toJson());
        Files.writeString(directory.resolve("report.html"), HtmlReport.of(summary, reports));
        out.printf("%nwritten: %s and report.html beside it%n", directory.resolve("summary.json"));
        return tell(gates);
    }

    private List<Gate> run(Plan plan, Cluster cluster, Proxies programs, List<WorkloadReport> reports) {
        List<Contender> contenders = contenders(plan, cluster, programs);
        try {
            LoadRun run = new LoadRun(plan, cluster, contenders, line -> err.printf("\r%-60s", line));
            for (Plan.Task task : plan.tasks()) {
                WorkloadReport report = run.run(task);
                reports.add(report);
                err.printf("\r%-60s\r", "");
                List<RouterSummary> summaries = report.routers().stream()
                        .map(WorkloadReport.Course::summary)
                        .toList();
                out.printf(
                        "%n%s: %s%n%s",
                        report.name(),
                        report.description(),
                        TextTable.of(summaries, plan.baseline().toString()));
            }
            return run.gates();
        } finally {
            contenders.forEach(contender -> {
                var unused = contender.close().block(CLOSING);
            });
        }
    }

    private List<Contender> contenders(Plan plan, Cluster cluster, Proxies programs) {
        int size = pool > 0 ? pool : concurrency;
        Contenders made = new Contenders(cluster, size);
        List<Contender> contenders = new ArrayList<>();
        for (Kind kind : plan.routers()) {
            if (kind.proxy()) {
                programs.start(kind, made, size, reason -> out.printf("%s is left out: %s%n", kind, reason))
                        .ifPresent(contenders::add);
            } else {
                contenders.add(made.of(kind, false));
            }
            if (kind == plan.baseline()) {
                contenders.add(made.of(kind, true));
            }
        }
        return contenders;
    }

    private int tell(List<Gate> gates) {
        out.println();
        gates.forEach(gate -> out.printf(
                "%s  %s, %s: expected %s, measured %s%n",
                gate.passed() ? "ok    " : "FAILED", gate.workload(), gate.name(), gate.expected(), gate.measured()));
        return gates.stream().allMatch(Gate::passed) ? 0 : 1;
    }

    private Map<String, String> settings(Plan plan) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("loop", plan.loop());
        settings.put("users", String.valueOf(plan.users()));
        settings.put("pool", (pool > 0 ? pool : concurrency) + " connections to each server");
        settings.put("keys", plan.keys() + ", Zipf " + plan.skew());
        settings.put("statements", plan.literal() ? "keys written into them" : "keys bound");
        settings.put(
                "slices",
                plan.slice().toMillis() + " ms, " + plan.rounds() + " for each router, order drawn with "
                        + plan.seed());
        settings.put("warm-up", plan.warmUp().toSeconds() + " s for each router and workload");
        settings.put("lag", lags.isEmpty() ? "none" : String.join(", ", lags));
        return settings;
    }

    private Plan checked() {
        try {
            return plan();
        } catch (IllegalArgumentException wrong) {
            if (spec == null) {
                throw wrong;
            }
            throw new ParameterException(spec.commandLine(), wrong.getMessage(), wrong);
        }
    }

    private Plan plan() {
        require(concurrency > 0 && users >= concurrency, "--concurrency must be at least 1, and --users at least that");
        require(
                slice > 0 && keys > 0 && rate >= 0 && skew >= 0 && replicas >= 0,
                "times, rates and counts are not negative");
        require(lags.isEmpty() || urls.isEmpty(), "--lag is only for started servers, not for those of --url");
        List<String> wanted = workloads.isEmpty()
                ? quick ? List.of("read-back", "read-back:5", "read-90") : List.of("read-back")
                : workloads;
        List<Kind> kinds =
                new ArrayList<>(routers.stream().map(Kind::of).distinct().toList());
        if (proxies) {
            kinds.addAll(List.of(Kind.HAPROXY, Kind.PGBOUNCER, Kind.PGPOOL));
        }
        Kind against = Kind.of(baseline);
        require(kinds.contains(against), "--baseline " + against + " is not one of --routers");
        require(!against.proxy(), "--baseline must be a router of this process, not " + against);
        return new Plan(
                kinds.stream().distinct().toList(),
                against,
                wanted.stream().map(Plan.Task::parse).toList(),
                users,
                concurrency,
                rate,
                keys,
                literal,
                skew,
                Duration.ofMillis(slice),
                Duration.ofSeconds(duration > 0 ? duration : quick ? 40 : 120),
                Duration.ofSeconds(warmUp >= 0 ? warmUp : quick ? 1 : 4),
                lags.stream().map(Lag::parse).collect(Collectors.toList()),
                seed);
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new IllegalArgumentException(message);
        }
    }
}
