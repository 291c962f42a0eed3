package io.github.r2dbcrouting.benchmarks.targets;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;

/** How is one of the targets measured? Each starts a cluster of its own, and blocks until it is done. */
@FunctionalInterface
interface Measurement {

    /** How long anything may take. */
    Duration PATIENCE = Duration.ofSeconds(60);

    /**
     * Measures.
     *
     * @param quick whether a tenth of the rounds has to do
     * @return what came out
     */
    List<Target> measure(boolean quick);

    /** Builds a router over all servers, and waits until it is ready. */
    static RoutingConnectionFactory router(
            PostgresCluster cluster,
            Function<PostgresServer, String> url,
            Function<RoutingConnectionFactory.Builder, RoutingConnectionFactory.Builder> settings) {
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder();
        for (PostgresServer server : cluster.servers()) {
            var unused = builder.server("db" + server.number(), url.apply(server));
        }
        RoutingConnectionFactory factory = settings.apply(builder).build();
        try {
            var unused = factory.ready(PATIENCE).block();
            return factory;
        } catch (RuntimeException notReady) {
            var unused = factory.close().block(PATIENCE);
            throw notReady;
        }
    }

    /** Past the fault proxy: its way through the client's own process would cost more than what is measured. */
    static String directUrl(PostgresServer server) {
        return "r2dbc:postgresql://" + server.user() + ":" + server.password() + "@127.0.0.1:"
                + server.query("SELECT current_setting('port')") + "/" + server.database();
    }

    /** Runs one statement on a connection of its own from a factory, and discards what it returns. */
    static Mono<Void> statement(ConnectionFactory factory, String sql) {
        return Flux.usingWhen(factory.create(), connection -> on(connection, sql), Connection::close)
                .then();
    }

    /** Runs one statement, and discards what it returns. */
    static Flux<Integer> on(Connection connection, String sql) {
        return Flux.from(connection.createStatement(sql).execute())
                .concatMap(result -> Flux.from(result.flatMap(segment ->
                        segment instanceof Result.Message message ? Mono.error(message.exception()) : Mono.just(1))));
    }

    /** Runs something under a Context, and returns the microseconds that it took. */
    static double micros(Mono<?> work, Function<Context, Context> context) {
        long start = System.nanoTime();
        var unused = work.contextWrite(context).block(PATIENCE);
        return (System.nanoTime() - start) / 1e3;
    }

    /** Returns the value below which a part of all lies. */
    static double percentile(List<Double> values, double part) {
        List<Double> sorted = new ArrayList<>(values);
        sorted.sort(null);
        return sorted.get((int) Math.min(sorted.size() - 1L, Math.round(part * (sorted.size() - 1))));
    }
}
