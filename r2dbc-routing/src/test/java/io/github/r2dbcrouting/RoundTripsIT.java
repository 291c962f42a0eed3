package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;

/** How often does it go to the server and back? Counted in delays of the proxy, against the bare driver in a pool. */
@Alone
@PostgresClusterTest(replicas = 1)
class RoundTripsIT {

    private static final Duration ONE_WAY = Duration.ofMillis(50);
    private static final int ROUNDS = 7;

    private final PostgresCluster cluster;
    private final List<ConnectionPool> pools = new ArrayList<>();
    private RoutingConnectionFactory factory;

    RoundTripsIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void open() {
        cluster.primary().execute("CREATE TABLE note (id bigserial PRIMARY KEY, body text)");
        cluster.awaitReplayed();
        factory = Factories.ready(Factories.over(cluster));
    }

    @AfterEach
    void close() {
        cluster.servers().forEach(server -> server.latency(Duration.ZERO));
        Blocking.run(factory.close());
        pools.forEach(pool -> Blocking.run(pool.disposeLater()));
    }

    @Test
    void areNoMoreForATransactionUnderASession() {
        ConnectionFactory bare = pool(cluster.primary());

        Trips trips =
                compare(transaction(bare), transaction(factory).contextWrite(Routing.session(CausalSession.create())));

        trips.print("a transaction under a session");
        assertThat(trips.quickestRouted()).isLessThanOrEqualTo(trips.quickestBare() + 0.1);
        // the counting itself: begin, insert, commit
        assertThat(trips.quickestBare()).isBetween(2.9, 3.5);
    }

    @Test
    void areOneLessForATransactionWhoseBeginIsSentWithItsFirstStatement() {
        ConnectionFactory bare = pool(cluster.primary());
        Blocking.run(factory.close());
        factory = Factories.ready(Factories.over(cluster).lazyBegin(true));

        Trips trips =
                compare(transaction(bare), transaction(factory).contextWrite(Routing.session(CausalSession.create())));

        trips.print("a transaction whose begin is held back");
        assertThat(trips.routed()).isLessThanOrEqualTo(trips.bare() - 0.9);
    }

    @Test
    void areNoMoreForACausalReadOfAReplica() {
        ConnectionFactory bare = pool(cluster.replica(0));
        CausalSession session = CausalSession.create();
        Function<Context, Context> causal = Routing.session(session).andThen(Routing.read());
        Blocking.run(Queries.update(factory, "INSERT INTO note (body) VALUES ('here')")
                .contextWrite(causal));
        Blocking.run(session.token());
        await().until(() ->
                "db1".equals(factory.explain(Routing.read(), session).server()));

        Trips trips = compare(read(bare), read(factory).contextWrite(causal));

        trips.print("a causal read of a replica");
        assertThat(trips.quickestRouted()).isLessThanOrEqualTo(trips.quickestBare() + 0.1);
        assertThat(trips.quickestBare()).isBetween(0.9, 1.5);
        assertThat(Blocking.value(
                        Queries.rows(factory, "SELECT pg_is_in_recovery()").contextWrite(causal)))
                .containsExactly("true");
    }

    private static Mono<Void> transaction(ConnectionFactory connections) {
        return Mono.usingWhen(
                connections.create(),
                connection -> Mono.from(connection.beginTransaction())
                        .thenMany(Flux.from(connection
                                        .createStatement("INSERT INTO note (body) VALUES ($1)")
                                        .bind(0, "a body")
                                        .execute())
                                .concatMap(Result::getRowsUpdated))
                        .then(Mono.defer(() -> Mono.from(connection.commitTransaction()))),
                Connection::close);
    }

    private static Mono<Void> read(ConnectionFactory connections) {
        return Queries.rows(connections, "SELECT body FROM note WHERE id = $1", 1L)
                .then();
    }

    /** Turn by turn, so that whatever else the machine does hits both alike. */
    private Trips compare(Mono<Void> bare, Mono<Void> routed) {
        for (int i = 0; i < 10; i++) {
            Blocking.run(bare);
            Blocking.run(routed);
        }
        cluster.servers().forEach(server -> server.latency(ONE_WAY));
        List<Double> ofBare = new ArrayList<>();
        List<Double> ofRouted = new ArrayList<>();
        for (int i = 0; i < ROUNDS; i++) {
            ofBare.add(trips(bare));
            ofRouted.add(trips(routed));
        }
        return new Trips(median(ofBare), median(ofRouted), Collections.min(ofBare), Collections.min(ofRouted));
    }

    private static double trips(Mono<Void> work) {
        long start = System.nanoTime();
        Blocking.run(work);
        return (System.nanoTime() - start) / (2.0 * ONE_WAY.toNanos());
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().skip(values.size() / 2).findFirst().orElseThrow();
    }

    private ConnectionPool pool(PostgresServer server) {
        ConnectionPool pool =
                new ConnectionPool(ConnectionPoolConfiguration.builder(ConnectionFactories.get(server.r2dbcUrl()))
                        .maxSize(1)
                        .build());
        pools.add(pool);
        return pool;
    }

    /** Medians to be told, and the quickest of each to be compared: a busy machine makes them longer, never shorter. */
    private record Trips(double bare, double routed, double quickestBare, double quickestRouted) {

        void print(String what) {
            System.out.printf(Locale.ROOT, "round trips of %s: bare driver %.2f, routed %.2f%n", what, bare, routed);
        }
    }
}
