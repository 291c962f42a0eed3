package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.Side;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;

/**
 * How old is what a read with a bound of age brings, judged by the test's own clock alone?
 *
 * <p>One row holds a number that grows. For each number the test remembers when it knew it to be written: a read that may
 * be at most so old must bring the last one that was known so long before it, or a later one.
 */
@Alone
@PostgresClusterTest(replicas = 1)
class AgeIT {

    private static final Duration BOUND = Duration.ofMillis(250);
    private static final Duration WATCHED_FOR = Duration.ofMillis(1_500);

    private final PostgresCluster cluster;
    private final NavigableMap<Long, Integer> writtenAt = new ConcurrentSkipListMap<>();
    private final AtomicInteger number = new AtomicInteger();
    private final AtomicInteger fromReplica = new AtomicInteger();
    private final AtomicInteger fromPrimary = new AtomicInteger();
    private final AtomicInteger unserved = new AtomicInteger();
    private final long origin = System.nanoTime();
    private RoutingConnectionFactory factory;

    AgeIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void open() {
        cluster.primary().execute("CREATE TABLE tick (n int)");
        cluster.primary().execute("INSERT INTO tick VALUES (0)");
        cluster.awaitReplayed();
        factory = Factories.ready(Factories.over(cluster).readDeadline(Duration.ofMillis(400)));
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    @Test
    void bringsNothingOlderFromAReplicaThatAppliesLate() {
        Disposable writing = writing();
        cluster.replica(0).applyDelay(BOUND.multipliedBy(2));

        readFor(WATCHED_FOR);
        int late = fromPrimary.get();
        writing.dispose();

        report("a replica that applies late");
        assertThat(late).as("reads that the primary served").isPositive();
    }

    @Test
    void bringsNothingOlderFromAReplicaThatIsCutOff() {
        Disposable writing = writing();
        readFor(BOUND);
        cluster.replica(0).isolate(Side.UPSTREAM);

        readFor(WATCHED_FOR);
        fromReplica.set(0);
        readFor(BOUND);
        writing.dispose();

        report("a replica that is cut off");
        assertThat(fromReplica).as("reads that it served after the bound").hasValue(0);
        assertThat(fromPrimary).hasPositiveValue();
    }

    @Test
    void holdsAReplicaForTooOldWhileNothingIsHeardOfThePrimary() {
        readFor(BOUND);
        cluster.primary().freeze();
        try {
            long frozen = now();
            await().until(() -> now() - frozen > 2 * BOUND.toNanos());
            fromReplica.set(0);
            readFor(BOUND.multipliedBy(2));
            assertThat(fromReplica).as("reads that the replica served").hasValue(0);
            assertThat(unserved).hasPositiveValue();
        } finally {
            cluster.primary().thaw();
        }

        await().untilAsserted(() -> {
            read();
            assertThat(fromReplica).hasPositiveValue();
        });
        report("a silent primary");
    }

    @Test
    void doesNotTakeAnIdlePrimaryForAge() {
        Disposable writing = writing();
        readFor(BOUND);
        writing.dispose();
        cluster.awaitReplayed();
        long idle = now();
        await().until(() -> now() - idle > 4 * BOUND.toNanos());
        fromReplica.set(0);
        fromPrimary.set(0);

        readFor(WATCHED_FOR);

        report("an idle primary");
        // a busy machine may keep the monitor from asking in time, now and then
        assertThat(fromReplica.get()).as("reads from the replica").isGreaterThan(4 * fromPrimary.get());
        assertThat(unserved).hasValue(0);
    }

    private Disposable writing() {
        return Mono.defer(() -> {
                    int next = number.incrementAndGet();
                    return Queries.update(factory, "UPDATE tick SET n = $1", next)
                            .then(Mono.fromRunnable(() -> writtenAt.put(now(), next)));
                })
                .then(Mono.delay(Duration.ofMillis(5)))
                .repeat()
                .subscribe(ignored -> {}, error -> {});
    }

    private void readFor(Duration time) {
        long began = now();
        while (now() - began < time.toNanos()) {
            read();
        }
    }

    private void read() {
        long asked = now();
        List<String> answer = Blocking.value(Queries.rows(factory, "SELECT n || ' ' || pg_is_in_recovery() FROM tick")
                .contextWrite(Routing.read().freshness(Freshness.atMost(BOUND)))
                .timeout(Duration.ofSeconds(1))
                .onErrorReturn(List.of()));
        if (answer.isEmpty()) {
            unserved.incrementAndGet();
            return;
        }
        String[] parts = answer.get(0).split(" ", 2);
        Map.Entry<Long, Integer> known = writtenAt.floorEntry(asked - BOUND.toNanos());
        if (known != null) {
            assertThat(Integer.parseInt(parts[0]))
                    .as("a number that was not older than %d ms, %s in recovery", BOUND.toMillis(), parts[1])
                    .isGreaterThanOrEqualTo(known.getValue());
        }
        (parts[1].equals("true") ? fromReplica : fromPrimary).incrementAndGet();
    }

    private long now() {
        return System.nanoTime() - origin;
    }

    private void report(String what) {
        System.out.println("reads at most " + BOUND.toMillis() + " ms old, " + what + ": " + fromReplica
                + " by the replica, " + fromPrimary + " by the primary, " + unserved + " by nobody; " + number
                + " numbers written");
    }
}
