package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.test.LeakCheck;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.r2dbc.spi.R2dbcTransientException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What becomes of the primary, and of its writers, when no replica can serve many readers. */
@Alone
@PostgresClusterTest(replicas = 2)
class StampedeIT {

    private static final int READERS = 500;
    private static final int WRITERS = 4;
    private static final int POOL = 32;
    private static final int BUDGET = 4;
    private static final Duration DEADLINE = Duration.ofSeconds(2);
    private static final Duration SLICE = Duration.ofMillis(600);

    /** So much longer than without the readers may the slowest hundredth of the writes take beside them. */
    private static final double LONGER = 1.5;

    /**
     * A single percentile tells how the machine distributed its cores meanwhile. So slices beside the readers and without
     * them take turns, and their medians are compared: after so many of each, and after each one more as long as they
     * differ by more than they may.
     */
    private static final int ROUNDS = 5;

    private static final int MOST_ROUNDS = 15;

    /** So many that a hundredth of them is more than one. */
    private static final int WRITES_IN_A_SLICE = 150;

    /** On a machine that does much else a deadline is noticed late. */
    private static final Duration LATE = Duration.ofSeconds(2);

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
    void table() {
        cluster.primary().execute("CREATE TABLE note (id int PRIMARY KEY)");
        cluster.awaitReplayed();
    }

    private void open(Safeguards safeguards) {
        factory = Factories.ready(Factories.over(cluster, safeguards)
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
        open(Safeguards.all());
        CausalToken token = leaveReplicasBehind();
        write(running);

        List<Comparison> comparisons = compare(token, MOST_ROUNDS);
        int most = comparisons.stream().mapToInt(Comparison::atOnce).max().orElseThrow();

        Disposable last = readers(token);
        await().until(() -> factory.waiting() > READERS / 2);
        await().until(() -> !failedAfter.isEmpty());
        long resumed = System.nanoTime();
        cluster.replica(0).resumeReplay();
        cluster.replica(1).resumeReplay();
        await().pollInterval(Duration.ofMillis(5)).until(() -> factory.waiting() == 0);
        Duration drained = Duration.ofNanos(System.nanoTime() - resumed);
        last.dispose();
        running.dispose();

        System.out.println("the writers' p99 beside and without: " + comparisons + ", " + longer(comparisons)
                + " times; at most " + most + " fallback reads at once, "
                + reads
                + " reads served, " + failedAfter.size() + " failed, the slowest after "
                + failedAfter.stream().max(Duration::compareTo).orElseThrow().toMillis()
                + " ms; nobody waited " + drained.toMillis() + " ms after replay was resumed");
        assertThat(most).as("fallback reads at once on the primary").isBetween(1, BUDGET);
        assertThat(longer(comparisons))
                .as("the writers' p99 beside " + READERS + " readers, times that without them")
                .isLessThanOrEqualTo(LONGER);
        assertThat(comparisons)
                .allSatisfy(comparison -> assertThat(comparison.writes()).isGreaterThan(WRITES_IN_A_SLICE));
        assertThat(errors).isEmpty();
        assertThat(reads).hasPositiveValue();
        assertThat(failedAfter)
                .allSatisfy(time -> assertThat(time).isBetween(DEADLINE.minusMillis(50), DEADLINE.plus(LATE)));
        assertThat(drained).isLessThan(Duration.ofSeconds(1));
    }

    /** What the comparisons above would show of a stampede. */
    @Test
    void wouldNotSpareThemWithoutTheBudget() {
        open(Safeguards.without(Safeguard.FALLBACK_BUDGET));
        CausalToken token = leaveReplicasBehind();
        write(running);

        List<Comparison> comparisons = compare(token, ROUNDS);

        System.out.println("the writers' p99 without the budget: " + comparisons);
        assertThat(longer(comparisons)).isGreaterThan(LONGER);
        assertThat(comparisons.stream().mapToInt(Comparison::atOnce).max().orElseThrow())
                .isGreaterThan(BUDGET);
    }

    private CausalToken leaveReplicasBehind() {
        cluster.replica(0).pauseReplay();
        cluster.replica(1).pauseReplay();
        cluster.primary().execute("INSERT INTO note VALUES (0)");
        return Blocking.value(factory.capture());
    }

    /**
     * The slowest hundredth of the writes in two slices of time, next to each other.
     *
     * @param atOnce how many fallback reads the primary saw at once
     * @param writes how many there were in the slice that had fewer
     */
    private record Comparison(double aloneMillis, double besideMillis, int atOnce, int writes) {

        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%.1f/%.1f ms", besideMillis, aloneMillis);
        }
    }

    /** Compares as often as it takes; what comes first in a round alternates. */
    private List<Comparison> compare(CausalToken token, int most) {
        List<Comparison> all = new ArrayList<>();
        // neither is compiled yet
        slice();
        besideReaders(token);
        while (all.size() < ROUNDS || (all.size() < most && longer(all) > LONGER)) {
            boolean readersFirst = all.size() % 2 == 1;
            Slice before = readersFirst ? besideReaders(token) : null;
            Slice alone = slice();
            Slice beside = before == null ? besideReaders(token) : before;
            all.add(new Comparison(
                    percentile99(alone.writeMillis()),
                    percentile99(beside.writeMillis()),
                    beside.atOnce(),
                    Math.min(alone.writeMillis().size(), beside.writeMillis().size())));
        }
        return all;
    }

    private static double longer(List<Comparison> all) {
        return median(all.stream().map(Comparison::besideMillis))
                / median(all.stream().map(Comparison::aloneMillis));
    }

    private static double median(Stream<Double> values) {
        List<Double> sorted = values.sorted().toList();
        return sorted.get(sorted.size() / 2);
    }

    private Slice besideReaders(CausalToken token) {
        Disposable readers = readers(token);
        await().until(() -> atOnce() > 0);
        await().until(() -> factory.waiting()
                        + factory.pool("db0").getMetrics().orElseThrow().pendingAcquireSize()
                > READERS / 2);
        Slice slice = slice();
        readers.dispose();
        await().until(() -> factory.waiting() == 0 && atOnce() == 0);
        return slice;
    }

    private Disposable readers(CausalToken token) {
        Disposable readers = Flux.range(0, READERS)
                .flatMap(i -> timed(token).repeat(), READERS)
                .subscribe(ignored -> {}, errors::add);
        running.add(readers);
        return readers;
    }

    private void write(Disposable.Composite owner) {
        owner.add(Flux.range(0, WRITERS)
                .flatMap(i -> write().delayElement(Duration.ofMillis(2)).repeat(), WRITERS)
                .subscribe(ignored -> {}, errors::add));
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

    /** What was seen while some time passed. */
    private record Slice(Queue<Double> writeMillis, int atOnce) {}

    private Slice slice() {
        Queue<Double> millis = new ConcurrentLinkedQueue<>();
        writeMillis = millis;
        int most = 0;
        long began = System.nanoTime();
        // where writers hardly get on, until there is something to compare
        while (System.nanoTime() - began < SLICE.toNanos() || millis.size() < WRITERS) {
            most = Math.max(most, atOnce());
            var unused = Mono.delay(Duration.ofMillis(10)).block();
        }
        writeMillis = new ConcurrentLinkedQueue<>();
        return new Slice(millis, most);
    }

    private int atOnce() {
        return Integer.parseInt(cluster.primary()
                .query(
                        "SELECT count(*)::text FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%falls back%'"
                                + " AND pid <> pg_backend_pid()"));
    }

    private static double percentile99(Queue<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.get((int) (sorted.size() * 0.99));
    }
}
