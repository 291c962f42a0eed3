package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.LeakCheck;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.github.r2dbcrouting.test.Side;
import io.r2dbc.spi.R2dbcException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A failover under load, in which acknowledged writes are lost, and the old primary comes back with them. */
@Alone
@PostgresClusterTest(replicas = 2)
class FailoverDrillIT {

    private static final int WORKERS = 8;
    private static final int LOOKED_AT = 20;
    private static final Duration SOON = Duration.ofSeconds(2);
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final String STARTED = "SELECT pg_postmaster_start_time()::text";

    private final PostgresCluster cluster;
    private final PostgresServer old;
    private RoutingConnectionFactory factory;
    private final AtomicInteger ids = new AtomicInteger();
    private final ConcurrentLinkedQueue<Acknowledged> acknowledged = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Unseen> unseen = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Throwable> unexpected = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Told> told = new ConcurrentLinkedQueue<>();
    private final Map<String, AtomicInteger> reads = new ConcurrentHashMap<>();
    private final Map<String, AtomicInteger> failures = new ConcurrentHashMap<>();
    private volatile boolean over;

    FailoverDrillIT(PostgresCluster cluster) {
        this.cluster = cluster;
        this.old = cluster.primary();
    }

    /** A write that was answered. */
    private record Acknowledged(int id, int worker, long at) {}

    /** A write that its session did not see in a read that began after its answer. */
    private record Unseen(int id, int worker, String server) {}

    private record Told(int worker, long at) {}

    @AfterEach
    void close() {
        over = true;
        Blocking.run(factory.close());
    }

    @Test
    void losesNothingWithoutTellingAndNeverReadsTheOldBranch(LeakCheck leaks) {
        assertThat(leaks).isNotNull();
        old.execute("CREATE TABLE drill (id int PRIMARY KEY, worker int NOT NULL)");
        old.execute("CREATE INDEX ON drill (worker, id)");
        cluster.awaitReplayed();
        factory = Factories.ready(Factories.over(cluster).strictLostWrites(true));
        CompletableFuture<Void> load =
                Flux.range(0, WORKERS).flatMap(this::worker, WORKERS).then().toFuture();
        await().atMost(LONG).until(() -> acknowledged.size() > 200);

        // from here on what is acknowledged is lost
        old.isolate(Side.UPSTREAM);
        int before = acknowledged.size();
        await().atMost(LONG).until(() -> acknowledged.size() > before + 50);
        old.kill();
        long killed = System.nanoTime();
        PostgresServer promoted = furthest();
        PostgresServer other = cluster.server(3 - promoted.number());
        promoted.promote();
        long accepted = System.nanoTime();
        await().atMost(LONG).until(() -> firstAfter(killed) != null);
        long late = firstAfter(killed).at - accepted;
        other.follow(promoted);

        old.isolate(Side.BOTH);
        old.restart();
        String oldBranch = old.query(STARTED);
        old.reconnect();
        await().atMost(LONG).until(() -> factory.table().servers().get(0).status() == ServerStatus.REFUSED);
        int soFar = acknowledged.size();
        await().atMost(LONG).until(() -> acknowledged.size() > soFar + 200);
        old.rejoin();
        String rejoined = old.query(STARTED);
        await().atMost(LONG).until(() -> reads.containsKey(rejoined) || newSessionReads(rejoined));
        over = true;
        load.orTimeout(LONG.toSeconds(), TimeUnit.SECONDS).join();

        Set<Integer> surviving = ids(promoted.query("SELECT coalesce(string_agg(id::text, ','), '') FROM drill"));
        List<Acknowledged> lost = acknowledged.stream()
                .filter(write -> !surviving.contains(write.id))
                .toList();
        Set<Integer> losers = lost.stream().map(Acknowledged::worker).collect(Collectors.toSet());
        long alarms = told.stream().filter(one -> !losers.contains(one.worker)).count();
        System.out.println("failover drill: " + failures);
        System.out.printf(
                "failover drill: %d writes acknowledged, %d of them, of %d sessions, lost; a write succeeded %d ms after the"
                        + " promotion had returned; %d requests failed; %d times told, %d of them false alarms; %d"
                        + " reads of %d servers%n",
                acknowledged.size(),
                lost.size(),
                losers.size(),
                late / 1_000_000,
                failures.values().stream().mapToInt(AtomicInteger::get).sum(),
                told.size(),
                alarms,
                reads.values().stream().mapToInt(AtomicInteger::get).sum(),
                reads.size());
        assertThat(unexpected).isEmpty();
        assertThat(Duration.ofNanos(late)).isLessThan(SOON);
        assertThat(lost).as("the drill is one in which writes are lost").isNotEmpty();
        assertThat(lost)
                .as("lost writes of which their session was not told")
                .allMatch(write -> told.stream().anyMatch(one -> one.worker == write.worker && one.at - write.at > 0));
        assertThat(unseen)
                .as("acknowledged writes that survived, and that their session did not see")
                .noneMatch(write -> surviving.contains(write.id));
        assertThat(reads).doesNotContainKey(oldBranch);
        for (ServerState server : factory.table().servers()) {
            await().untilAsserted(() -> assertThat(factory.pool(server.name())
                            .getMetrics()
                            .orElseThrow()
                            .acquiredSize())
                    .isZero());
        }
    }

    private PostgresServer furthest() {
        PostgresServer one = cluster.server(1);
        PostgresServer two = cluster.server(2);
        String further = one.query(
                "SELECT pg_last_wal_receive_lsn() >= '" + two.query("SELECT pg_last_wal_receive_lsn()") + "'::pg_lsn");
        return further.startsWith("t") ? one : two;
    }

    private Acknowledged firstAfter(long time) {
        return acknowledged.stream()
                .filter(write -> write.at - time > 0)
                .findFirst()
                .orElse(null);
    }

    private Mono<Void> worker(int number) {
        CausalSession session = CausalSession.create();
        ConcurrentLinkedDeque<Integer> own = new ConcurrentLinkedDeque<>();
        return Mono.defer(() -> step(number, own))
                .contextWrite(Routing.session(session))
                .onErrorResume(error -> note(number, error))
                .then(Mono.delay(Duration.ofMillis(5)))
                .repeat(() -> !over)
                .then();
    }

    private Mono<Void> step(int number, ConcurrentLinkedDeque<Integer> own) {
        int id = ids.incrementAndGet();
        return Queries.update(factory, "INSERT INTO drill VALUES ($1, $2)", id, number)
                .then(Mono.defer(() -> {
                    acknowledged.add(new Acknowledged(id, number, System.nanoTime()));
                    own.add(id);
                    if (own.size() > LOOKED_AT) {
                        own.poll();
                    }
                    return look(number, Set.copyOf(own));
                }));
    }

    private Mono<Void> look(int number, Set<Integer> own) {
        int from = own.stream().min(Integer::compare).orElseThrow();
        return Queries.rows(
                        factory,
                        "SELECT pg_postmaster_start_time()::text || ';' || coalesce(string_agg(id::text, ','), '')"
                                + " FROM drill WHERE worker = $1 AND id >= $2",
                        number,
                        from)
                .contextWrite(Routing.read())
                .doOnNext(rows -> {
                    String[] answer = rows.get(0).split(";", 2);
                    reads.computeIfAbsent(answer[0], server -> new AtomicInteger())
                            .incrementAndGet();
                    Set<Integer> seen = ids(answer[1]);
                    own.stream()
                            .filter(id -> !seen.contains(id))
                            .forEach(id -> unseen.add(new Unseen(id, number, answer[0])));
                })
                .then();
    }

    private Mono<Void> note(int number, Throwable error) {
        if (error instanceof PossiblyLostWriteException) {
            told.add(new Told(number, System.nanoTime()));
        } else {
            failures.computeIfAbsent(
                            error.getClass().getSimpleName() + " " + error.getMessage(), message -> new AtomicInteger())
                    .incrementAndGet();
            if (!(error instanceof R2dbcException)) {
                unexpected.add(error);
            }
        }
        return Mono.delay(Duration.ofMillis(20)).then();
    }

    /** Sessions stay with their replica: whether the server serves again is seen by a new one. */
    private boolean newSessionReads(String started) {
        return Blocking.value(Queries.rows(factory, STARTED).contextWrite(Routing.read()))
                .contains(started);
    }

    private static Set<Integer> ids(String text) {
        return Arrays.stream(text.split(",", -1))
                .filter(id -> !id.isEmpty())
                .map(Integer::valueOf)
                .collect(Collectors.toSet());
    }
}
