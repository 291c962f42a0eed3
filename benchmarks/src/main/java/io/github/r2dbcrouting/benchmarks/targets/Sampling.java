package io.github.r2dbcrouting.benchmarks.targets;

import static io.github.r2dbcrouting.benchmarks.targets.Measurement.PATIENCE;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.WhenBehind;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;

/**
 * What does it cost a server to be sampled?
 *
 * <p>The CPU time of the backends that answer the router's samples, from {@code /proc}, so only on Linux and where the
 * servers' processes can be seen.
 */
final class Sampling implements Measurement {

    private static final double REST = 0.5;
    private static final double WATCHED = 4;
    private static final Path PROC = Path.of("/proc");

    @Override
    public List<Target> measure(boolean quick) {
        if (!Files.isReadable(PROC.resolve("self").resolve("schedstat"))) {
            return List.of(new Target(
                    "sampling, CPU of a server",
                    "at most " + REST + " % of a core",
                    "not on this system",
                    false,
                    false));
        }
        Duration length = Duration.ofSeconds(quick ? 3 : 20);
        try (PostgresCluster cluster = PostgresCluster.builder().replicas(1).start()) {
            cluster.primary().execute("CREATE TABLE entry (id bigserial PRIMARY KEY, body text NOT NULL)");
            RoutingConnectionFactory router = Measurement.router(
                    cluster, Measurement::directUrl, builder -> builder.readDeadline(length.multipliedBy(3)));
            try {
                double rest = share(cluster.replica(0), length);
                double watched = watched(cluster, router, length);
                return List.of(
                        target("sampling at rest, CPU of a replica", REST, rest),
                        target("sampling while waited for, CPU of a replica", WATCHED, watched));
            } finally {
                cluster.replica(0).resumeReplay();
                var unused = router.close().block(PATIENCE);
            }
        }
    }

    private static double watched(PostgresCluster cluster, RoutingConnectionFactory router, Duration length) {
        cluster.replica(0).pauseReplay();
        CausalSession session = CausalSession.create();
        var token = Measurement.statement(router, "INSERT INTO entry (body) VALUES ('x')")
                .then(session.token())
                .contextWrite(Routing.session(session))
                .block(PATIENCE);
        Disposable waiting = Measurement.statement(router, "SELECT 1")
                .contextWrite(Routing.read().whenBehind(WhenBehind.WAIT).maxWait(length.multipliedBy(2)))
                .contextWrite(Routing.session(session))
                .onErrorResume(ended -> Mono.empty())
                .subscribe();
        try {
            LockSupport.parkNanos(Duration.ofMillis(200).toNanos());
            double share = share(cluster.replica(0), length);
            if (waiting.isDisposed() || token == null) {
                throw new IllegalStateException("nobody waited for the replica");
            }
            return share;
        } finally {
            waiting.dispose();
        }
    }

    /** Returns percents of a core. */
    private static double share(PostgresServer server, Duration length) {
        List<Long> backends = backends(server);
        long before = cpu(backends);
        long start = System.nanoTime();
        LockSupport.parkNanos(length.toNanos());
        return 100.0 * (cpu(backends) - before) / (System.nanoTime() - start);
    }

    private static List<Long> backends(PostgresServer server) {
        List<Long> pids = new ArrayList<>();
        String found = server.query("SELECT coalesce(string_agg(pid::text, ' '), '') FROM pg_stat_activity"
                + " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                + " AND query LIKE '%pg_last_wal_replay_lsn%'");
        for (String pid : found.split(" ", -1)) {
            if (!pid.isEmpty()) {
                pids.add(Long.parseLong(pid));
            }
        }
        if (pids.isEmpty()) {
            throw new IllegalStateException("no backend of " + server + " answers samples");
        }
        return pids;
    }

    private static long cpu(List<Long> pids) {
        long nanos = 0;
        for (long pid : pids) {
            try {
                nanos += Long.parseLong(
                        Files.readString(PROC.resolve(String.valueOf(pid)).resolve("schedstat"))
                                .split(" ", 2)[0]);
            } catch (IOException gone) {
                throw new UncheckedIOException("a sampled backend has ended", gone);
            }
        }
        return nanos;
    }

    private static Target target(String name, double limit, double share) {
        return new Target(
                name,
                String.format(Locale.ROOT, "at most %.1f %% of a core", limit),
                String.format(Locale.ROOT, "%.2f %%", share),
                share <= limit,
                false);
    }
}
