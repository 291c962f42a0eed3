package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;

/** How often a replica is asked where it is while many wait for it, counted by the replica itself. */
@Alone
@PostgresClusterTest(replicas = 1, settings = "shared_preload_libraries=pg_stat_statements")
class WatchIT {

    private static final int WAITERS = 2_000;
    /** So slow that also a busy machine could probe far more often. */
    private static final Duration WATCHED = Duration.ofMillis(100);

    /** The pause between two probes varies by a fifth. */
    private static final Duration SHORTEST_PAUSE = WATCHED.multipliedBy(4).dividedBy(5);

    /** For what is asked once: when somebody begins to wait, and when the primary is nudged. */
    private static final int OTHERWISE = 10;

    private final PostgresCluster cluster;
    private RoutingConnectionFactory factory;

    WatchIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void table() {
        cluster.primary().execute("CREATE EXTENSION pg_stat_statements");
        cluster.primary().execute("CREATE TABLE note (id int PRIMARY KEY)");
        cluster.awaitReplayed();
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    @FailsWithout(Safeguard.SHARED_WATCH)
    @Test
    void probesAReplicaNoMoreOftenForManyWaitersThanForOne(Safeguards safeguards) {
        factory = Factories.ready(Factories.over(cluster, safeguards)
                .sampling(WATCHED.multipliedBy(2), WATCHED)
                .whenBehind(WhenBehind.WAIT)
                .readDeadline(Duration.ofSeconds(60)));
        cluster.replica(0).pauseReplay();
        cluster.primary().execute("INSERT INTO note VALUES (1)");
        CausalSession session = CausalSession.resume(Blocking.value(factory.capture()));

        Watched one = watch(session, 1);
        Watched many = watch(session, WAITERS);

        System.out.println("probes of a replica: for one waiter " + one + ", for " + WAITERS + " waiters " + many);
        assertThat(one.probes()).isBetween(1L, most(one.time()));
        assertThat(many.probes()).isBetween(1L, most(many.time()));
    }

    private record Watched(long probes, Duration time) {
        @Override
        public String toString() {
            return probes + " in " + time.toMillis() + " ms";
        }
    }

    private static long most(Duration time) {
        return time.dividedBy(SHORTEST_PAUSE) + OTHERWISE;
    }

    /** The waiters come one after another, for about a second. */
    private Watched watch(CausalSession session, int waiters) {
        long before = probes();
        long began = System.nanoTime();
        Disposable readers = Flux.interval(Duration.ofNanos(TimeUnit.SECONDS.toNanos(1) / waiters))
                .onBackpressureBuffer()
                .take(waiters)
                .flatMap(
                        i -> Queries.rows(factory, "SELECT count(*) FROM note")
                                .contextWrite(Routing.read())
                                .contextWrite(Routing.session(session)),
                        waiters)
                .subscribe(ignored -> {}, error -> {});
        await().until(() -> factory.waiting() == waiters);
        await().until(() -> System.nanoTime() - began > TimeUnit.MILLISECONDS.toNanos(1_500));
        long after = probes();
        Duration time = Duration.ofNanos(System.nanoTime() - began);

        readers.dispose();
        await().until(() -> factory.waiting() == 0);
        return new Watched(after - before, time);
    }

    private long probes() {
        return Long.parseLong(cluster.replica(0)
                .query("SELECT coalesce(sum(calls), 0)::text FROM pg_stat_statements"
                        + " WHERE query LIKE '%pg_last_wal_replay_lsn%'"));
    }
}
