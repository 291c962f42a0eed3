package io.github.r2dbcrouting.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.benchmarks.report.Gates;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Result;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;

/**
 * Do writes wait for their positions to be captured?
 *
 * <p>Slices of three arms take turns, in an order drawn for each round, on one cluster: writes without a session, the same once more for the noise, and
 * writes under one session for each writer. What is reported are ratios of neighbouring slices, and how many position
 * queries the server counted for each write. The decision that it serves: when, and on which connection, to capture.
 */
@Command(
        name = "capture",
        description = "Throughput of writes under a session against writes without, and position queries per write.",
        mixinStandardHelpOptions = true)
final class CaptureOverhead implements Callable<Integer> {

    @Option(names = "--writers", split = ",", description = "numbers of concurrent writers (${DEFAULT-VALUE})")
    private List<Integer> writers = List.of(1, 16, 64);

    @Option(names = "--rounds", description = "rounds of one slice of each arm (${DEFAULT-VALUE})")
    private int rounds = 40;

    @Option(names = "--slice", description = "length of a slice in milliseconds (${DEFAULT-VALUE})")
    private int slice = 250;

    @Option(names = "--warm-up", description = "seconds of warm-up for each arm (${DEFAULT-VALUE})")
    private int warmUp = 4;

    @Option(names = "--replicas", description = "replicas beside the primary (${DEFAULT-VALUE})")
    private int replicas = 2;

    @Option(
            names = "--fsync",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "whether the servers wait for the disk (${DEFAULT-VALUE})")
    private boolean fsync = true;

    @Option(
            names = "--reader",
            description =
                    "also lets one session write and read back ten times a second, in every arm, so that writes are"
                            + " captured as promptly as for readers (${DEFAULT-VALUE})")
    private boolean reader;

    private static final OperatingSystemMXBean OS =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private enum Arm {
        PLAIN,
        PLAIN_AGAIN,
        SESSION
    }

    private final PrintStream out = System.out;
    private final Random order = new Random(1);

    @Override
    public Integer call() {
        out.printf(
                Locale.ROOT,
                "capture overhead: %d cores, Java %s, fsync %s, 1 primary and %d replicas, slices of %d ms, %d rounds%s%n",
                Runtime.getRuntime().availableProcessors(),
                Runtime.version(),
                fsync ? "on" : "off",
                replicas,
                slice,
                rounds,
                reader ? ", with a reader" : "");
        try (PostgresCluster cluster = PostgresCluster.builder()
                .replicas(replicas)
                .fsync(fsync)
                .setting("shared_preload_libraries", "pg_stat_statements")
                .setting("pg_stat_statements.track", "all")
                .start()) {
            cluster.primary().execute("CREATE EXTENSION pg_stat_statements");
            cluster.primary().execute("CREATE TABLE entry (id bigserial PRIMARY KEY, body text NOT NULL)");
            RoutingConnectionFactory factory = factory(cluster);
            try {
                run(factory.ready(Duration.ofSeconds(20)));
                Disposable reading = reader ? readNowAndThen(factory) : Disposables.disposed();
                boolean kept = true;
                for (int count : writers) {
                    kept &= measure(cluster.primary(), factory, count);
                }
                reading.dispose();
                return kept ? 0 : 1;
            } finally {
                run(factory.close());
            }
        }
    }

    private RoutingConnectionFactory factory(PostgresCluster cluster) {
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder();
        for (PostgresServer server : cluster.servers()) {
            builder.server("db" + server.number(), directUrl(server), spec -> spec.pool(CaptureOverhead::size));
        }
        return builder.build();
    }

    /** Past the fault proxy: its way through the client's own process would cost more than what is measured. */
    private static String directUrl(PostgresServer server) {
        return "r2dbc:postgresql://" + server.user() + ":" + server.password() + "@127.0.0.1:"
                + server.query("SELECT current_setting('port')") + "/" + server.database();
    }

    private static void size(ConnectionPoolConfiguration.Builder pool) {
        var unused = pool.maxSize(64);
    }

    /** Whether no more position queries were sent than may be. */
    private boolean measure(PostgresServer primary, RoutingConnectionFactory factory, int count) {
        for (Arm arm : Arm.values()) {
            write(factory, arm, count, Duration.ofSeconds(warmUp));
        }
        List<Double> noise = new ArrayList<>();
        List<Double> ratio = new ArrayList<>();
        List<Double> queries = new ArrayList<>();
        List<Double> plainRate = new ArrayList<>();
        Map<Arm, List<Double>> cpu = new EnumMap<>(Arm.class);
        // a fixed order, even one that rotates, lets one arm always take over what the same other left behind
        List<Arm> turns = new ArrayList<>(List.of(Arm.values()));
        for (int round = 0; round < rounds; round++) {
            Map<Arm, Double> rates = new EnumMap<>(Arm.class);
            Collections.shuffle(turns, order);
            for (Arm arm : turns) {
                long before = positionQueries(primary);
                long start = System.nanoTime();
                long cpuStart = OS.getProcessCpuTime();
                long written = write(factory, arm, count, Duration.ofMillis(slice));
                rates.put(arm, written * 1e9 / (System.nanoTime() - start));
                cpu.computeIfAbsent(arm, ignored -> new ArrayList<>())
                        .add((OS.getProcessCpuTime() - cpuStart) / 1e3 / written);
                if (arm == Arm.SESSION) {
                    queries.add((positionQueries(primary) - before) / (double) written);
                }
            }
            double plain = rates.getOrDefault(Arm.PLAIN, Double.NaN);
            double again = rates.getOrDefault(Arm.PLAIN_AGAIN, Double.NaN);
            noise.add(again / plain);
            // the geometric mean: the arithmetic one of two noisy rates lies above what either of them is in the middle
            ratio.add(rates.getOrDefault(Arm.SESSION, Double.NaN) / Math.sqrt(plain * again));
            plainRate.add(plain);
        }
        out.printf(
                Locale.ROOT,
                "%3d writers: session/plain %s   plain/plain %s   position queries per write %s   plain writes/s %.0f"
                        + "   client CPU us per write: plain %s, session %s%n",
                count,
                Quartiles.of(ratio),
                Quartiles.of(noise),
                Quartiles.of(queries),
                Quartiles.of(plainRate).median(),
                Quartiles.of(cpu.getOrDefault(Arm.PLAIN, List.of())),
                Quartiles.of(cpu.getOrDefault(Arm.SESSION, List.of())));
        double most = Gates.positionQueries(count);
        boolean kept = Quartiles.of(queries).median() <= most;
        if (!kept) {
            out.printf(Locale.ROOT, "    more than %.2f position queries per write%n", most);
        }
        return kept;
    }

    private long write(RoutingConnectionFactory factory, Arm arm, int count, Duration length) {
        LongAdder written = new LongAdder();
        long end = System.nanoTime() + length.toNanos();
        run(Flux.merge(IntStream.range(0, count)
                .mapToObj(writer -> insert(factory)
                        .doOnSuccess(ignored -> written.increment())
                        .repeat(() -> System.nanoTime() - end < 0)
                        .contextWrite(context(arm)))
                .toList()));
        return written.sum();
    }

    private static Function<Context, Context> context(Arm arm) {
        return arm == Arm.SESSION ? Routing.session(CausalSession.create()) : Function.identity();
    }

    private static Mono<Void> insert(RoutingConnectionFactory factory) {
        return Mono.usingWhen(
                factory.create(),
                connection -> Flux.from(connection
                                .createStatement("INSERT INTO entry (body) VALUES ($1)")
                                .bind(0, "a body of about thirty characters")
                                .execute())
                        .concatMap(Result::getRowsUpdated)
                        .then(),
                connection -> connection.close());
    }

    private static Disposable readNowAndThen(RoutingConnectionFactory factory) {
        return Flux.interval(Duration.ofMillis(100))
                .onBackpressureDrop()
                .concatMap(n -> insert(factory)
                        .then(Mono.usingWhen(
                                factory.create(),
                                connection -> Flux.from(connection
                                                .createStatement("SELECT max(id) FROM entry")
                                                .execute())
                                        .concatMap(result -> result.map((row, metadata) -> row))
                                        .then(),
                                Connection::close))
                        .contextWrite(Routing.read())
                        .contextWrite(Routing.session(CausalSession.create())))
                .subscribe(ignored -> {}, error -> System.err.println("the reader failed: " + error));
    }

    private static long positionQueries(PostgresServer primary) {
        return Long.parseLong(primary.query("SELECT coalesce(sum(calls), 0)::text FROM pg_stat_statements"
                + " WHERE query LIKE '%pg_current_wal_flush_lsn%' OR query LIKE '%pg_logical_emit_message%'"));
    }

    private static void run(org.reactivestreams.Publisher<?> publisher) {
        var unused = Flux.from(publisher).then().block(Duration.ofMinutes(5));
    }
}
