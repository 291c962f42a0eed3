package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.r2dbc.pool.PoolMetrics;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** Whatever is cancelled, at whatever moment, every connection comes back, once, and ready for the next borrower. */
@PostgresClusterTest(replicas = 1)
class CancelStormIT {

    private static final int SUBSCRIPTIONS = 10_000;
    private static final int AT_ONCE = 24;
    private static final int POOL = 4;
    private static final int LEAST_IN_EACH_PHASE = 500;
    private static final long LONGEST_JITTER_MICROS = 400;

    /** The shorter a phase, the more often it is aimed at. */
    private static final List<Phase> TARGETS = List.of(
            Phase.QUEUED,
            Phase.BEGINNING,
            Phase.EXECUTING,
            Phase.EMITTING,
            Phase.EMITTING,
            Phase.EMITTING,
            Phase.COMMITTING,
            Phase.CAPTURING);

    private final PostgresCluster cluster;
    private final AtomicInteger lentTwice = new AtomicInteger();
    private final Map<Phase, AtomicInteger> cancelledIn = new ConcurrentHashMap<>();
    private final AtomicInteger completed = new AtomicInteger();
    private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final Queue<CausalSession> sessions = new ConcurrentLinkedQueue<>();
    private RoutingConnectionFactory factory;

    CancelStormIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    @FailsWithout(Safeguard.SHIELDED_ACQUISITION)
    @Test
    void leavesEveryPoolWithAllItsConnections(Safeguards safeguards) {
        storm(SUBSCRIPTIONS, safeguards, false);

        for (Phase phase : Phase.values()) {
            assertThat(cancelledIn.getOrDefault(phase, new AtomicInteger()))
                    .as("cancelled while " + phase)
                    .hasValueGreaterThanOrEqualTo(LEAST_IN_EACH_PHASE);
        }
    }

    /** Then no phase lies between the begin and the statement. */
    @Test
    void leavesThemAllWhenBeginsAreSentWithTheirFirstStatement() {
        storm(SUBSCRIPTIONS / 4, Safeguards.all(), true);

        assertThat(cancelledIn.get(Phase.EXECUTING)).hasValueGreaterThanOrEqualTo(LEAST_IN_EACH_PHASE / 4);
    }

    private void storm(int subscriptions, Safeguards safeguards, boolean lazyBegin) {
        cluster.primary().execute("CREATE TABLE note (id int, body text)");
        cluster.awaitReplayed();
        RoutingConnectionFactory.Builder builder =
                RoutingConnectionFactory.builder().safeguards(safeguards).lazyBegin(lazyBegin);
        cluster.servers()
                .forEach(server -> builder.server(
                        "db" + server.number(),
                        new PhaseSpy(ConnectionFactories.get(server.r2dbcUrl()), lentTwice),
                        spec -> spec.pool(pool -> {
                            var unused = pool.maxSize(POOL);
                        })));
        factory = Factories.ready(builder);
        long seed = System.nanoTime();
        Random random = new Random(seed);

        Blocking.run(Flux.range(0, subscriptions)
                .map(n -> new Random(random.nextLong()))
                .flatMap(this::subscribeAndCancel, AT_ONCE));

        System.out.println("cancel storm, seed " + seed + ": cancelled while " + cancelledIn + ", completed "
                + completed + ", lent twice " + lentTwice + ", failed " + failures.size());
        assertThat(lentTwice).as("connections in the hands of two borrowers").hasValue(0);
        assertThat(failures)
                .as("subscriptions that failed instead of being cancelled")
                .isEmpty();
        for (String server : Set.of("db0", "db1")) {
            PoolMetrics metrics = factory.pool(server).getMetrics().orElseThrow();
            await(server).untilAsserted(() -> {
                assertThat(metrics.acquiredSize()).as("lent").isZero();
                assertThat(metrics.pendingAcquireSize()).as("waited for").isZero();
            });
        }
        assertThat(backendsOfAllConnectionsAtOnce())
                .as("different connections of the primary")
                .hasSize(POOL);
        assertThat(cluster.primary().query("SELECT count(*)::text FROM pg_stat_activity WHERE state LIKE 'idle in%'"))
                .as("transactions left open")
                .isEqualTo("0");
        Blocking.run(
                Flux.fromIterable(sessions).flatMap(CausalSession::token, 64).timeout(Duration.ofSeconds(20)));
    }

    /** Cancels a moment after the drawn phase was entered; what it was in then is counted. */
    private Mono<Void> subscribeAndCancel(Random random) {
        Phase target = TARGETS.get(random.nextInt(TARGETS.size()));
        // rows of one result arrive so closely that only a cancel at once falls between them
        long jitter = target == Phase.EMITTING ? 0 : random.nextLong(LONGEST_JITTER_MICROS);
        boolean reads = random.nextInt(4) == 0 && target.compareTo(Phase.COMMITTING) < 0;
        return Mono.defer(() -> {
            CompletableFuture<Void> over = new CompletableFuture<>();
            Disposable.Swap subscription = Disposables.swap();
            Entered entered = new Entered(
                    target,
                    phase -> Schedulers.parallel()
                            .schedule(
                                    () -> {
                                        subscription.dispose();
                                        over.complete(null);
                                    },
                                    jitter,
                                    TimeUnit.MICROSECONDS));
            CausalSession session = CausalSession.create();
            sessions.add(session);
            Mono<Void> work = reads ? readInTransaction() : writeInTransaction().then(capture(session, entered));
            subscription.update(work.doOnCancel(() -> count(entered.phase))
                    .contextWrite(reads ? Routing.read() : Routing.write())
                    .contextWrite(Routing.session(session))
                    .contextWrite(context -> context.put(PhaseSpy.Watched.class, entered))
                    .subscribe(
                            ignored -> {},
                            error -> {
                                failures.add(error);
                                over.complete(null);
                            },
                            () -> {
                                completed.incrementAndGet();
                                over.complete(null);
                            }));
            entered.enter(Phase.QUEUED);
            return Mono.fromFuture(over);
        });
    }

    private void count(Phase phase) {
        cancelledIn.computeIfAbsent(phase, p -> new AtomicInteger()).incrementAndGet();
    }

    private Mono<Void> writeInTransaction() {
        return inTransaction(
                false, "INSERT INTO note SELECT n, repeat('x', 200) FROM generate_series(1, 300) AS n RETURNING body");
    }

    private Mono<Void> readInTransaction() {
        return inTransaction(true, "SELECT repeat('x', 200) FROM generate_series(1, 300)");
    }

    private Mono<Void> inTransaction(boolean readOnly, String sql) {
        return Mono.usingWhen(
                factory.create(),
                connection -> Mono.from(connection.beginTransaction(new ReadOnly(readOnly)))
                        .thenMany(Queries.rows(connection, sql))
                        .then(Mono.from(connection.commitTransaction())),
                Connection::close);
    }

    private static Mono<Void> capture(CausalSession session, Entered entered) {
        return Mono.defer(() -> {
            entered.enter(Phase.CAPTURING);
            return session.token().then();
        });
    }

    private Set<String> backendsOfAllConnectionsAtOnce() {
        CompletableFuture<Void> allHaveOne = new CompletableFuture<>();
        Set<String> backends = ConcurrentHashMap.newKeySet();
        Mono<Void> borrow = Mono.usingWhen(
                factory.create(),
                connection -> Queries.rows(connection, "SELECT pg_backend_pid()")
                        .doOnNext(backend -> {
                            backends.add(backend);
                            if (backends.size() == POOL) {
                                allHaveOne.complete(null);
                            }
                        })
                        .then(Mono.fromFuture(allHaveOne, true)),
                Connection::close);
        Blocking.run(Flux.range(0, POOL).flatMap(n -> borrow, POOL).timeout(Duration.ofSeconds(10)));
        return backends.stream().collect(Collectors.toSet());
    }

    /** What phase a subscription is in; rings once, when the drawn one is entered. */
    private static final class Entered implements PhaseSpy.Watched {

        private final Phase target;
        private final Consumer<Phase> bell;
        private volatile Phase phase = Phase.QUEUED;
        private boolean rung;

        Entered(Phase target, Consumer<Phase> bell) {
            this.target = target;
            this.bell = bell;
        }

        @Override
        public synchronized void enter(Phase entered) {
            if (entered.compareTo(phase) >= 0) {
                phase = entered;
            }
            if (entered == target && !rung) {
                rung = true;
                bell.accept(entered);
            }
        }
    }
}
