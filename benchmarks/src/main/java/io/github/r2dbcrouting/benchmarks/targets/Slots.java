package io.github.r2dbcrouting.benchmarks.targets;

import static io.github.r2dbcrouting.benchmarks.targets.Measurement.PATIENCE;

import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.benchmarks.Quartiles;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.spi.ConnectionFactories;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Does the choice of a replica leave slots empty while requests wait for others?
 *
 * <p>Each replica has a few connections, and each query takes the same time and no CPU ({@code pg_sleep}), so that
 * throughput is bound by slots, and two cores do for any number of replicas. The limit is round robin straight to the
 * pools, which is perfect for queries that all take equally long; it is run twice.
 */
final class Slots implements Measurement {

    private static final int CONNECTIONS = 4;
    private static final double BUSY = 1.5;
    private static final Duration SLICE = Duration.ofMillis(300);
    private static final double REACH = 0.97;
    private static final double SLOWER = 1.1;
    private static final String QUERY = "SELECT pg_sleep(0.01)";

    /** One way to choose. */
    private static final class Arm {

        private final Supplier<Mono<Void>> query;
        private final List<Double> rates = new ArrayList<>();
        private final Histogram latencies = new ConcurrentHistogram(TimeUnit.MINUTES.toMicros(1), 3);

        Arm(Supplier<Mono<Void>> query) {
            this.query = query;
        }
    }

    @Override
    public List<Target> measure(boolean quick) {
        List<Target> targets = new ArrayList<>();
        for (int replicas : quick ? new int[] {1, 2, 4} : new int[] {1, 2, 4, 8}) {
            try (PostgresCluster cluster =
                    PostgresCluster.builder().replicas(replicas).start()) {
                targets.addAll(measure(cluster, replicas, quick ? 8 : 60));
            }
        }
        return targets;
    }

    private static List<Target> measure(PostgresCluster cluster, int replicas, int rounds) {
        List<ConnectionPool> pools = IntStream.range(0, replicas)
                .mapToObj(replica -> Measurement.directUrl(cluster.replica(replica)))
                .map(url -> new ConnectionPool(ConnectionPoolConfiguration.builder(ConnectionFactories.get(url))
                        .initialSize(0)
                        .maxSize(CONNECTIONS)
                        .build()))
                .toList();
        RoutingConnectionFactory router = Measurement.router(
                cluster,
                Measurement::directUrl,
                builder -> builder.pool(configuration -> {
                    var unused = configuration.maxSize(CONNECTIONS);
                }));
        AtomicInteger next = new AtomicInteger();
        Supplier<Mono<Void>> roundRobin =
                () -> Measurement.statement(pools.get(Math.floorMod(next.getAndIncrement(), replicas)), QUERY);
        Arm limit = new Arm(roundRobin);
        Arm again = new Arm(roundRobin);
        Arm ours = new Arm(() -> Measurement.statement(router, QUERY).contextWrite(Routing.read()));
        try {
            List<Arm> turns = new ArrayList<>(List.of(limit, again, ours));
            Random order = new Random(1);
            turns.forEach(arm -> run(arm, replicas, SLICE.multipliedBy(3)));
            turns.forEach(arm -> {
                arm.rates.clear();
                arm.latencies.reset();
            });
            for (int round = 0; round < rounds; round++) {
                Collections.shuffle(turns, order);
                turns.forEach(arm -> run(arm, replicas, SLICE));
            }
        } finally {
            var unused = Flux.concat(router.close(), Flux.fromIterable(pools).concatMap(ConnectionPool::disposeLater))
                    .then()
                    .block(PATIENCE);
        }
        return targets(replicas, limit, again, ours);
    }

    private static void run(Arm arm, int replicas, Duration length) {
        int busy = (int) (replicas * CONNECTIONS * BUSY);
        long start = System.nanoTime();
        long end = start + length.toNanos();
        long before = arm.latencies.getTotalCount();
        Mono<Void> one = Mono.defer(() -> {
            long sent = System.nanoTime();
            return arm.query
                    .get()
                    .doOnSuccess(ignored -> arm.latencies.recordValue((System.nanoTime() - sent) / 1_000));
        });
        var unused = Flux.merge(Flux.range(0, busy).map(user -> one.repeat(() -> System.nanoTime() - end < 0)), busy)
                .then()
                .block(PATIENCE);
        arm.rates.add((arm.latencies.getTotalCount() - before) * 1e9 / (System.nanoTime() - start));
    }

    private static List<Target> targets(int replicas, Arm limit, Arm again, Arm ours) {
        double slower = ours.latencies.getValueAtPercentile(99) / (double) limit.latencies.getValueAtPercentile(99);
        double noise = again.latencies.getValueAtPercentile(99) / (double) limit.latencies.getValueAtPercentile(99);
        Quartiles ratio = ratio(ours, limit, again);
        return List.of(
                new Target(
                        "slots, " + replicas + " replicas: throughput to round robin",
                        String.format(Locale.ROOT, "at least %.2f", REACH),
                        ratio + "; round robin to itself " + ratio(again, limit, limit),
                        ratio.median() >= REACH,
                        false),
                new Target(
                        "slots, " + replicas + " replicas: p99 to round robin",
                        String.format(Locale.ROOT, "at most %.1f", SLOWER),
                        String.format(Locale.ROOT, "%.2f; round robin to itself %.2f", slower, noise),
                        slower <= SLOWER,
                        false));
    }

    private static Quartiles ratio(Arm arm, Arm one, Arm other) {
        Function<Integer, Double> ratio =
                round -> arm.rates.get(round) / Math.sqrt(one.rates.get(round) * other.rates.get(round));
        return Quartiles.of(
                IntStream.range(0, arm.rates.size()).boxed().map(ratio).toList());
    }
}
