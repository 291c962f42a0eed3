package io.github.r2dbcrouting.benchmarks.targets;

import static io.github.r2dbcrouting.benchmarks.targets.Measurement.PATIENCE;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.WhenBehind;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * How long after a replica has replayed what a read waits for is the read sent to it?
 *
 * <p>The replica is asked over and over by somebody else. It had not replayed it when the last question that was answered
 * with no was sent, so what is measured from there is never too short.
 */
final class WakeUp implements Measurement {

    private static final double LIMIT_MILLIS = 5;
    private static final Duration LONG = Duration.ofSeconds(10);

    @Override
    public List<Target> measure(boolean quick) {
        int rounds = quick ? 20 : 300;
        AtomicLong decidedAt = new AtomicLong();
        try (PostgresCluster cluster = PostgresCluster.builder().replicas(1).start()) {
            cluster.primary().execute("CREATE TABLE entry (id bigserial PRIMARY KEY, body text NOT NULL)");
            cluster.awaitReplayed();
            RoutingConnectionFactory router = Measurement.router(
                    cluster,
                    Measurement::directUrl,
                    builder -> builder.readDeadline(LONG.multipliedBy(2)).listener(decision -> {
                        if (decision.role() == ServerRole.REPLICA) {
                            decidedAt.set(System.nanoTime());
                        }
                    }));
            Connection watch = Objects.requireNonNull(
                    Mono.<Connection>from(ConnectionFactories.get(Measurement.directUrl(cluster.replica(0)))
                                    .create())
                            .block(PATIENCE));
            List<Double> millis = new ArrayList<>();
            try {
                for (int round = -rounds / 5; round < rounds; round++) {
                    double took = once(cluster, router, watch, decidedAt);
                    if (round >= 0) {
                        millis.add(took);
                    }
                }
            } finally {
                var unused = Flux.concat(Mono.from(watch.close()), router.close())
                        .then()
                        .block(PATIENCE);
            }
            double worst = Measurement.percentile(millis, 0.99);
            return List.of(new Target(
                    "wake-up: replay passes the token, the read is sent",
                    String.format(Locale.ROOT, "p99 at most %.0f ms", LIMIT_MILLIS),
                    String.format(
                            Locale.ROOT,
                            "p50 %.2f ms, p99 %.2f ms, %d rounds",
                            Measurement.percentile(millis, 0.5),
                            worst,
                            rounds),
                    worst <= LIMIT_MILLIS,
                    false));
        }
    }

    private static double once(
            PostgresCluster cluster, RoutingConnectionFactory router, Connection watch, AtomicLong decidedAt) {
        cluster.replica(0).pauseReplay();
        CausalSession session = CausalSession.create();
        CausalToken token =
                Objects.requireNonNull(Measurement.statement(router, "INSERT INTO entry (body) VALUES ('x')")
                        .then(session.token())
                        .contextWrite(Routing.session(session))
                        .block(PATIENCE));
        String position = Objects.requireNonNull(cluster.primary().query("SELECT pg_current_wal_flush_lsn()::text"));
        CompletableFuture<Void> read = Measurement.statement(router, "SELECT 1")
                .contextWrite(Routing.read().whenBehind(WhenBehind.WAIT).maxWait(LONG))
                .contextWrite(Routing.session(session))
                .toFuture();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(30));
        if (read.isDone()) {
            throw new IllegalStateException("the read did not wait for " + token);
        }
        long lastNo = System.nanoTime();
        // resuming takes as long as the read takes to wake up: the questions must have begun by then
        CompletableFuture<Void> resumed =
                CompletableFuture.runAsync(() -> cluster.replica(0).resumeReplay());
        while (true) {
            long sent = System.nanoTime();
            boolean replayed = Boolean.TRUE.equals(Flux.from(
                            watch.createStatement("SELECT pg_last_wal_replay_lsn() >= '" + position + "'::pg_lsn")
                                    .execute())
                    .concatMap(result -> result.map((row, metadata) -> row.get(0, Boolean.class)))
                    .blockLast(PATIENCE));
            if (replayed) {
                break;
            }
            lastNo = sent;
        }
        resumed.join();
        read.join();
        return (decidedAt.get() - lastNo) / 1e6;
    }
}
