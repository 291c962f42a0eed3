package io.github.r2dbcrouting.benchmarks.targets;

import static io.github.r2dbcrouting.benchmarks.targets.Measurement.PATIENCE;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.WhenBehind;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Function;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Does a replica ever seem to be behind for good although nothing moves?
 *
 * <p>One client writes, and reads from a replica whatever it takes. Beside it the primary is idle but for a transaction
 * that has written and stays open; rows are of many sizes, so that records end everywhere in a page.
 */
final class Liveness implements Measurement {

    private static final double LIMIT_MILLIS = 50;
    private static final int SIZES = 400;

    @Override
    public List<Target> measure(boolean quick) {
        int commits = quick ? 500 : 10_000;
        try (PostgresCluster cluster =
                PostgresCluster.builder().replicas(1).fsync(true).start()) {
            cluster.primary().execute("CREATE TABLE entry (id bigserial PRIMARY KEY, body text NOT NULL)");
            cluster.awaitReplayed();
            RoutingConnectionFactory router = Measurement.router(cluster, Measurement::directUrl, Function.identity());
            Connection open = Objects.requireNonNull(
                    Mono.<Connection>from(ConnectionFactories.get(Measurement.directUrl(cluster.primary()))
                                    .create())
                            .block(PATIENCE));
            List<Double> waits = new ArrayList<>();
            try {
                var unusedBegin = Mono.from(open.beginTransaction())
                        .thenMany(Measurement.on(open, "INSERT INTO entry (body) VALUES ('open')"))
                        .then()
                        .block(PATIENCE);
                for (int commit = 0; commit < commits; commit++) {
                    waits.add(once(router, commit % SIZES));
                }
            } finally {
                var unused = Flux.concat(Mono.from(open.close()), router.close())
                        .then()
                        .block(PATIENCE);
            }
            return List.of(target(waits));
        }
    }

    private static double once(RoutingConnectionFactory router, int size) {
        CausalSession session = CausalSession.create();
        Function<reactor.util.context.Context, reactor.util.context.Context> both = Routing.session(session);
        var unused = Measurement.statement(router, "INSERT INTO entry (body) VALUES (repeat('x', " + size + "))")
                .contextWrite(both)
                .block(PATIENCE);
        return Measurement.micros(
                        Measurement.statement(router, "SELECT 1")
                                .contextWrite(Routing.read()
                                        .whenBehind(WhenBehind.WAIT)
                                        .maxWait(Duration.ofSeconds(4))),
                        both)
                / 1e3;
    }

    private static Target target(List<Double> waits) {
        double longest = Measurement.percentile(waits, 1);
        long late = waits.stream().filter(wait -> wait > LIMIT_MILLIS).count();
        return new Target(
                "liveness: an open writer, page ends; a replica reads each commit back",
                String.format(Locale.ROOT, "none waits more than %.0f ms", LIMIT_MILLIS),
                String.format(
                        Locale.ROOT,
                        "%d of %d did; p50 %.2f ms, p99 %.2f ms, longest %.1f ms",
                        late,
                        waits.size(),
                        Measurement.percentile(waits, 0.5),
                        Measurement.percentile(waits, 0.99),
                        longest),
                late == 0,
                false);
    }
}
