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
import reactor.util.context.Context;

/**
 * How many round trips does it take to be routed?
 *
 * <p>Each way through the proxy takes two milliseconds, so that round trips, which loopback hides, are nearly all that
 * there is. A round trip is what a bare {@code SELECT 1} takes in the same round.
 */
final class RoundTrips implements Measurement {

    private static final Duration ONE_WAY = Duration.ofMillis(2);
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
            RoutingConnectionFactory router = router(cluster, false);
            RoutingConnectionFactory holdingBegins = router(cluster, true);
            try {
                // without delay: by the time that round trips are counted, the code is compiled
                int warmUp = quick ? 500 : 4000;
                var unused = List.of(
                        reads(router, replica, warmUp),
                        transactions(router, primary, warmUp),
                        transactions(holdingBegins, primary, warmUp));
                cluster.servers().forEach(server -> server.latency(ONE_WAY));
                Quartiles read = reads(router, replica, rounds);
                Quartiles transaction = transactions(router, primary, rounds);
                Quartiles begunLate = transactions(holdingBegins, primary, rounds);
                return List.of(
                        target("round trips of a causal replica read, over a bare one", READ_LIMIT, read, true),
                        target(
                                "round trips of a transaction with its token, over a plain one",
                                TRANSACTION_LIMIT,
                                transaction,
                                false),
                        target("the same with lazyBegin", TRANSACTION_LIMIT, begunLate, true));
            } finally {
                cluster.servers().forEach(server -> server.latency(Duration.ZERO));
                var unused = Flux.concat(
                                router.close(), holdingBegins.close(), primary.disposeLater(), replica.disposeLater())
                        .then()
                        .block(PATIENCE);
            }
        }
    }

    private static RoutingConnectionFactory router(PostgresCluster cluster, boolean lazyBegin) {
        return Measurement.router(cluster, server -> server.r2dbcUrl(), builder -> builder.lazyBegin(lazyBegin));
    }

    private static ConnectionPool pool(String url) {
        return new ConnectionPool(ConnectionPoolConfiguration.builder(ConnectionFactories.get(url))
                .initialSize(0)
                .build());
    }

    private static Quartiles reads(RoutingConnectionFactory router, ConnectionPool replica, int rounds) {
        CausalSession session = CausalSession.create();
        var written = Measurement.statement(router, "INSERT INTO entry (body) VALUES ('x')")
                .then(session.token())
                .contextWrite(Routing.session(session))
                .block(PATIENCE);
        if (written == null) {
            throw new IllegalStateException("a write has left no token, so no read would be causal");
        }
        Function<Context, Context> causal = Routing.read().andThen(Routing.session(session));
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
        return Quartiles.of(more);
    }

    private static Quartiles transactions(RoutingConnectionFactory router, ConnectionPool primary, int rounds) {
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
        return Quartiles.of(more);
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

    private static Target target(String name, double limit, Quartiles more, boolean gate) {
        return new Target(
                name,
                String.format(Locale.ROOT, "at most %.1f more", limit),
                more.toString(),
                more.median() <= limit,
                gate);
    }
}
