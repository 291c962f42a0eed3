package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.LeakCheck;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.r2dbc.spi.R2dbcTransientException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What becomes of the primary, and of its writers, when no replica can serve many readers. */
@PostgresClusterTest(replicas = 2)
class StampedeIT {

    private static final int READERS = 500;
    private static final int WRITERS = 4;
    private static final int POOL = 32;
    private static final int BUDGET = 4;
    private static final Duration DEADLINE = Duration.ofSeconds(1);
    private static final Duration SLICE = Duration.ofMillis(600);
    private static final int ROUNDS = 5;

    /** On a machine that does much else a deadline is noticed late. */
    private static final Duration LATE = Duration.ofSeconds(2);

    /** So far a 99th percentile tells how the machine distributes its cores, and not what writers wait for. */
    private static final double NOISE_MILLIS = 10;

    private static final String READ = "SELECT pg_sleep(0.02)::text /* falls back */";

    private final PostgresCluster cluster;
    private final AtomicInteger rows = new AtomicInteger();
    private final AtomicInteger reads = new AtomicInteger();
    private final Queue<Throwable> errors = new ConcurrentLinkedQueue<>();
    private final Queue<Duration> failedAfter = new ConcurrentLinkedQueue<>();
    private volatile Queue<Double> writeMillis = new ConcurrentLinkedQueue<>();
    private final Disposable.Composite running = Disposables.composite();
    private RoutingConnectionFactory factory;

    StampedeIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void open() {
        cluster.primary().execute("CREATE TABLE note (id int PRIMARY KEY)");
        cluster.awaitReplayed();
        factory = Factories.ready(Factories.over(cluster)
                .pool(pool -> {
                    var unused = pool.maxSize(POOL);
                })
                .fallbackBudget(BUDGET)
                .readDeadline(DEADLINE));
    }

    @AfterEach
    void close() {
        // they would go on for ever against a closed router
        running.dispose();
        Blocking.run(factory.close());
    }

    @Test
    void sparesThePrimaryAndItsWriters(LeakCheck leaks) {
        assertThat(leaks).isNotNull();
        cluster.replica(0).pauseReplay();
        cluster.replica(1).pauseReplay();
        cluster.primary().execute("INSERT INTO note VALUES (0)");
        CausalToken token = Blocking.value(factory.capture());
        Disposable writers = Flux.range(0, WRITERS)
                .flatMap(i -> write().delayElement(Duration.ofMillis(2)).repeat(), WRITERS)
                .subscribe(ignored -> {}, errors::add);

        running.add(writers);
        List<Double> alone = new ArrayList<>();
        List<Double> beside = new ArrayList<>();
        int most = 0;
        slice();
        for (int round = 0; round < ROUNDS; round++) {
            writeMillis = new ConcurrentLinkedQueue<>();
            slice();
            alone.add(percentile99(writeMillis));

            Disposable readers = Flux.range(0, READERS)
                    .flatMap(i -> timed(token).repeat(), READERS)
                    .subscribe(ignored -> {}, errors::add);
            running.add(readers);
            await().until(() -> factory.waiting() > READERS / 2);
            writeMillis = new ConcurrentLinkedQueue<>();
            most = Math.max(most, slice());
            beside.add(percentile99(writeMillis));
            readers.dispose();
            await().until(() -> factory.waiting() == 0 && atOnce() == 0);
        }
        Disposable last = Flux.range(0, READERS)
                .flatMap(i -> timed(token).repeat(), READERS)
                .subscribe(ignored -> {}, errors::add);
        running.add(last);
        await().until(() -> factory.waiting() > READERS / 2);
        await().until(() -> !failedAfter.isEmpty());
        long resumed = System.nanoTime();
        cluster.replica(0).resumeReplay();
        cluster.replica(1).resumeReplay();
        await().pollInterval(Duration.ofMillis(5)).until(() -> factory.waiting() == 0);
        Duration drained = Duration.ofNanos(System.nanoTime() - resumed);
        last.dispose();
        writers.dispose();

        System.out.println("writers' p99 in ms: alone " + alone + ", beside " + READERS + " readers " + beside
                + "; at most " + most + " fallback reads at once, " + reads + " reads served, " + failedAfter.size()
                + " failed, the slowest after "
                + failedAfter.stream().max(Duration::compareTo).orElseThrow().toMillis()
                + " ms; nobody waited " + drained.toMillis() + " ms after replay was resumed");
        assertThat(most).as("fallback reads at once on the primary").isBetween(1, BUDGET);
        assertThat(median(beside))
                .as("the writers' p99 beside the readers")
                .isLessThanOrEqualTo(1.5 * median(alone) + NOISE_MILLIS);
        assertThat(errors).isEmpty();
        assertThat(reads).hasPositiveValue();
        assertThat(failedAfter)
                .allSatisfy(time -> assertThat(time).isBetween(DEADLINE.minusMillis(50), DEADLINE.plus(LATE)));
        assertThat(drained).isLessThan(Duration.ofSeconds(1));
    }

    private Mono<List<String>> read(CausalToken token) {
        return Queries.rows(factory, READ)
                .contextWrite(Routing.read())
                .contextWrite(Routing.session(CausalSession.resume(token)));
    }

    /** Each time somebody else, who knows of the write; after the transient error as one does who tries again. */
    private Mono<List<String>> timed(CausalToken token) {
        return Mono.defer(() -> {
            long began = System.nanoTime();
            return read(token).doOnNext(row -> reads.incrementAndGet()).onErrorResume(error -> {
                if (!(error instanceof R2dbcTransientException && error instanceof NoEligibleServerException)) {
                    errors.add(error);
                }
                failedAfter.add(Duration.ofNanos(System.nanoTime() - began));
                return Mono.empty();
            });
        });
    }

    private Mono<Long> write() {
        return Mono.defer(() -> {
            Queue<Double> slice = writeMillis;
            long began = System.nanoTime();
            return Queries.update(factory, "INSERT INTO note VALUES ($1)", rows.incrementAndGet())
                    .then(Mono.fromCallable(() -> {
                        slice.add((System.nanoTime() - began) / 1e6);
                        return 1L;
                    }));
        });
    }

    /** Lets some time pass, and returns how many fallback reads the primary saw at once. */
    private int slice() {
        int most = 0;
        long began = System.nanoTime();
        while (System.nanoTime() - began < SLICE.toNanos()) {
            most = Math.max(most, atOnce());
            var unused = Mono.delay(Duration.ofMillis(10)).block();
        }
        return most;
    }

    private int atOnce() {
        return Integer.parseInt(cluster.primary()
                .query(
                        "SELECT count(*)::text FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%falls back%'"
                                + " AND pid <> pg_backend_pid()"));
    }

    private static double percentile99(Queue<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        assertThat(sorted).as("writes in a slice").hasSizeGreaterThan(20);
        return Math.round(sorted.get((int) (sorted.size() * 0.99)) * 10) / 10.0;
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }
}
