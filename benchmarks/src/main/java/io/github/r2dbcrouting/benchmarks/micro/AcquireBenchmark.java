package io.github.r2dbcrouting.benchmarks.micro;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.Result;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;

/**
 * What does a statement through the router cost over one on a pool, when the server takes no time?
 *
 * <p>The decision that it serves: what may happen for each connection that is borrowed, and for each statement. The
 * reach is 1.10 times the pool's time and 256 bytes more. The router adds three things to the pool, which the rows tell
 * apart: a connection that is never used (lazy), a statement without a session, and one under a causal session.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class AcquireBenchmark {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int CONNECTIONS = 10;

    private @Nullable PostgresCluster cluster;
    private @Nullable ConnectionPool pool;
    private @Nullable RoutingConnectionFactory router;
    private Function<Context, Context> reading = Function.identity();
    private Function<Context, Context> causal = Function.identity();

    /** Starts servers, and lets everybody connect. */
    @Setup
    public void start() {
        PostgresCluster servers = PostgresCluster.builder().replicas(1).start();
        cluster = servers;
        pool = new ConnectionPool(ConnectionPoolConfiguration.builder(instant(servers.replica(0)))
                .initialSize(0)
                .maxSize(CONNECTIONS)
                .build());
        router = RoutingConnectionFactory.builder()
                .server("db0", instant(servers.primary()))
                .server("db1", instant(servers.replica(0)))
                .pool(configuration -> {
                    var unused = configuration.maxSize(CONNECTIONS);
                })
                .build();
        reading = Routing.read();
        var unused = router.ready(PATIENCE).block();
        CausalToken token = router.capture().block(PATIENCE);
        servers.awaitReplayed();
        CausalSession session = CausalSession.resume(Objects.requireNonNull(token));
        causal = Routing.read().andThen(Routing.session(session));
    }

    private static ConnectionFactory instant(PostgresServer server) {
        return new InstantAnswers(ConnectionFactories.get(server.r2dbcUrl()));
    }

    /** Ends the servers. */
    @TearDown
    public void stop() {
        if (router != null) {
            var unused = router.close().block(PATIENCE);
        }
        if (pool != null) {
            pool.dispose();
        }
        if (cluster != null) {
            cluster.close();
        }
    }

    /**
     * A statement on a connection of a pool.
     *
     * @return one row changed
     */
    @Benchmark
    public @Nullable Long pool() {
        return statement(pool, Function.identity());
    }

    /**
     * A statement that any replica may serve.
     *
     * @return one row changed
     */
    @Benchmark
    public @Nullable Long routedRead() {
        return statement(router, reading);
    }

    /**
     * A statement that a replica may serve that covers the session's token.
     *
     * @return one row changed
     */
    @Benchmark
    public @Nullable Long causalRead() {
        return statement(router, causal);
    }

    /**
     * A connection of a pool that nobody uses.
     *
     * @return nothing
     */
    @Benchmark
    public @Nullable Void neverUsedOfPool() {
        return neverUsed(pool);
    }

    /**
     * A connection of the router that nobody uses.
     *
     * @return nothing
     */
    @Benchmark
    public @Nullable Void neverUsed() {
        return neverUsed(router);
    }

    private static @Nullable Void neverUsed(@Nullable ConnectionFactory factory) {
        return factory == null
                ? null
                : Mono.from(factory.create())
                        .flatMap(connection -> Mono.from(connection.close()))
                        .block();
    }

    private static @Nullable Long statement(@Nullable ConnectionFactory factory, Function<Context, Context> context) {
        if (factory == null) {
            return null;
        }
        return Flux.usingWhen(
                        factory.create(),
                        connection -> Flux.from(connection
                                        .createStatement(InstantAnswers.SQL)
                                        .execute())
                                .concatMap(Result::getRowsUpdated),
                        Connection::close)
                .contextWrite(context)
                .blockLast();
    }
}
