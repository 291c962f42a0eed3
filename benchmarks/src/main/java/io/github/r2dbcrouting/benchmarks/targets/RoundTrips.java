package io.github.r2dbcrouting.benchmarks.targets;

import static io.github.r2dbcrouting.benchmarks.targets.Measurement.PATIENCE;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.benchmarks.Quartiles;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.ConnectionFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * How many round trips does it take to be routed?
 *
 * <p>Each way through the proxy takes a millisecond, so that round trips, which loopback hides, are nearly all that
 * there is. A round trip is what a bare {@code SELECT 1} takes in the same round.
 */
final class RoundTrips implements Measurement {

    private static final Duration ONE_WAY = Duration.ofMillis(1);
    private static final double READ_LIMIT = 0.1;
    private static final double TRANSACTION_LIMIT = 0.2;

    @Override
    public List<Target> measure(boolean quick) {
        int rounds = quick ? 60 : 600;
        try (PostgresCluster cluster = PostgresCluster.builder().replicas(1).start()) {
            cluster.primary().execute("CREATE TABLE entry (id bigserial PRIMARY KEY, body text NOT NULL)");
            cluster.awaitReplayed();
            ConnectionPool primary = pool(cluster.primary().r2dbcUrl());
            ConnectionPool replica = pool(cluster.replica(0).r2dbcUrl());
            RoutingConnectionFactory router =
                    Measurement.router(cluster, server -> server.r2dbcUrl(), Function.identity());
            try {
                cluster.servers().forEach(server -> server.latency(ONE_WAY));
                return List.of(reads(router, replica, rounds), transactions(router, primary, rounds));
            } finally {
                cluster.servers().forEach(server -> server.latency(Duration.ZERO));
                var unused = Flux.concat(router.close(), primary.disposeLater(), replica.disposeLater())
                        .then()
                        .block(PATIENCE);
            }
        }
    }

    private static ConnectionPool pool(String url) {
        return new ConnectionPool(ConnectionPoolConfiguration.builder(ConnectionFactories.get(url))
                .initialSize(0)
                .build());
    }

    private static Target reads(RoutingConnectionFactory router, ConnectionPool replica, int rounds) {
        CausalSession session = CausalSession.create();
        var written = Measurement.statement(router, "INSERT INTO entry (body) VALUES ('x')")
                .then(session.token())
                .contextWrite(Routing.session(session))
                .block(PATIENCE);
        Function<reactor.util.context.Context, reactor.util.context.Context> causal =
                Routing.read().andThen(Routing.session(session));
        Mono<Void> bare = Measurement.statement(replica, "SELECT 1");
        Mono<Void> routed = Measurement.statement(router, "SELECT 1");
        List<Double> more = new ArrayList<>();
        for (int round = -rounds / 5; round < rounds; round++) {
            double trip = Measurement.micros(bare, Function.identity());
            double with = Measurement.micros(routed, causal);
            double again = Measurement.micros(bare, Function.identity());
            if (round >= 0) {
                more.add(with / Math.sqrt(trip * again) - 1);
            }
        }
        return target(
                "round trips of a causal replica read, over a bare one",
                READ_LIMIT,
                Quartiles.of(more),
                written == null ? "; no token" : "");
    }

    private static Target transactions(RoutingConnectionFactory router, ConnectionPool primary, int rounds) {
        Mono<Void> trip = Measurement.statement(primary, "SELECT 1");
        Mono<Void> plain = transaction(primary);
        List<Double> more = new ArrayList<>();
        for (int round = -rounds / 5; round < rounds; round++) {
            CausalSession session = CausalSession.create();
            double one = Measurement.micros(trip, Function.identity());
            double without = Measurement.micros(plain, Function.identity());
            double with = Measurement.micros(transaction(router).then(session.token()), Routing.session(session));
            if (round >= 0) {
                more.add((with - without) / one);
            }
        }
        return target(
                "round trips of a transaction with its token, over a plain one",
                TRANSACTION_LIMIT,
                Quartiles.of(more),
                "");
    }

    private static Mono<Void> transaction(ConnectionFactory factory) {
        return Flux.usingWhen(
                        factory.create(),
                        connection -> Mono.from(connection.beginTransaction())
                                .thenMany(Measurement.on(connection, "INSERT INTO entry (body) VALUES ('x')"))
                                .then(Mono.defer(() -> Mono.from(connection.commitTransaction())))
                                .thenMany(Flux.<Integer>empty()),
                        Connection::close)
                .then();
    }

    private static Target target(String name, double limit, Quartiles more, String note) {
        return new Target(
                name,
                String.format(Locale.ROOT, "at most %.1f more", limit),
                more + note,
                more.median() <= limit,
                true);
    }
}
