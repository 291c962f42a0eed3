package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.spi.LoadBalancer;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What a session saw from one server it never un-sees at the next. */
@PostgresClusterTest(replicas = 2)
class MonotonicReadsIT {

    private final PostgresCluster cluster;
    private RoutingConnectionFactory factory;

    MonotonicReadsIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    /**
     * The second replica lacks the row that the first one has. It was seen to be near before that, or it would be taken
     * for too far behind to serve anything.
     */
    private void oneReplicaBehind(Safeguards safeguards) {
        cluster.primary().execute("CREATE TABLE note (id int PRIMARY KEY)");
        factory = Factories.ready(Factories.over(cluster, safeguards).loadBalancer(LoadBalancer.random()));
        cluster.primary().execute("CHECKPOINT");
        cluster.awaitReplayed();
        cluster.replica(1).pauseReplay();
        cluster.primary().execute("INSERT INTO note VALUES (1)");
        await().until(() ->
                cluster.replica(0).query("SELECT count(*)::text FROM note").equals("1"));
        await().until(() -> factory.table().replicas().size() == 2);
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    @FailsWithout(Safeguard.MONOTONIC_READS)
    @Test
    void neverReadsOlderRowsFromTheOtherReplica(Safeguards safeguards) {
        oneReplicaBehind(safeguards);

        for (int i = 0; i < 20; i++) {
            CausalSession session = CausalSession.create();
            long seen = 0;
            for (int read = 0; read < 10; read++) {
                long now = count(session);
                assertThat(now).as("rows seen after %s were", seen).isGreaterThanOrEqualTo(seen);
                seen = now;
            }
        }
    }

    @FailsWithout(Safeguard.MONOTONIC_READS)
    @Test
    void neverReadsOlderRowsAfterTheReplicaThatItReadFromCrashed(Safeguards safeguards) {
        oneReplicaBehind(safeguards);
        CausalSession session = sessionThatHasSeenTheRow();

        cluster.replica(0).kill();

        for (int read = 0; read < 20; read++) {
            assertThat(count(session)).as("rows that were seen before").isEqualTo(1);
        }
    }

    @FailsWithout(Safeguard.MONOTONIC_READS)
    @Test
    void neverReadsOlderRowsAfterOneBackendOfTheReplicaCrashed(Safeguards safeguards) {
        oneReplicaBehind(safeguards);
        CausalSession session = sessionThatHasSeenTheRow();

        cluster.replica(0).killBackend();

        for (int read = 0; read < 20; read++) {
            List<String> seen = Blocking.value(
                    read(session, Routing.read(), "SELECT count(*) FROM note").retry(50));
            assertThat(seen).as("rows that were seen before").containsExactly("1");
        }
    }

    @FailsWithout(Safeguard.MONOTONIC_READS)
    @Test
    void neverReadsOlderRowsAfterTheLatestFromThePrimary(Safeguards safeguards) {
        oneReplicaBehind(safeguards);
        cluster.replica(0).pauseReplay();
        cluster.primary().execute("INSERT INTO note VALUES (2)");
        CausalSession session = CausalSession.create();
        Routing latest = Routing.read().freshness(Freshness.latest());

        assertThat(Blocking.value(read(session, latest, "SELECT count(*) FROM note")))
                .containsExactly("2");

        for (int read = 0; read < 20; read++) {
            assertThat(count(session)).isEqualTo(2);
        }
    }

    @FailsWithout(Safeguard.MONOTONIC_READS)
    @Test
    void requiresWhatItSawOnThePrimaryWhenItFellBack(Safeguards safeguards) {
        oneReplicaBehind(safeguards);
        cluster.replica(0).pauseReplay();
        cluster.primary().execute("INSERT INTO note VALUES (2)");
        CausalSession session = CausalSession.resume(Blocking.value(factory.capture()));
        cluster.primary().execute("INSERT INTO note VALUES (3)");
        CausalToken ofThree = Blocking.value(factory.capture());

        assertThat(count(session)).isEqualTo(3);

        assertThat(Blocking.value(session.token()).positions().get(0))
                .as("what the session requires after it has seen three rows")
                .matches(position -> position.covers(ofThree.positions().get(0)));
    }

    @FailsWithout(Safeguard.MONOTONIC_READS)
    @Test
    void neverReadsOlderRowsWhenItsStatementsRunAtOnce(Safeguards safeguards) {
        oneReplicaBehind(safeguards);
        CausalSession session = CausalSession.create();
        AtomicLong seen = new AtomicLong();
        AtomicInteger older = new AtomicInteger();

        Blocking.run(Flux.range(0, 300)
                .flatMap(
                        n -> Mono.defer(() -> {
                            long before = seen.get();
                            return read(session, Routing.read(), "SELECT count(*) FROM note")
                                    .doOnNext(rows -> {
                                        long now = Long.parseLong(rows.get(0));
                                        seen.accumulateAndGet(now, Math::max);
                                        if (now < before) {
                                            older.incrementAndGet();
                                        }
                                    });
                        }),
                        8));

        assertThat(older).as("reads of less than was seen before they began").hasValue(0);
    }

    @Test
    void hasATokenAfterItHasOnlyRead() {
        oneReplicaBehind(Safeguards.all());
        CausalToken token = CausalToken.parse(
                Blocking.value(sessionThatHasSeenTheRow().token()).encode());

        CausalSession elsewhere = CausalSession.resume(token);
        RoutingConnectionFactory other = Factories.ready(Factories.over(cluster));
        try {
            for (int read = 0; read < 20; read++) {
                assertThat(Blocking.value(Queries.rows(other, "SELECT count(*) FROM note")
                                .contextWrite(Routing.read())
                                .contextWrite(Routing.session(elsewhere))))
                        .containsExactly("1");
            }
        } finally {
            Blocking.run(other.close());
        }
    }

    @Test
    void givesItsTokenWhileAReadOfItIsUnderWay() {
        oneReplicaBehind(Safeguards.all());
        CausalSession session = CausalSession.create();
        Mono<Long> tokens = Mono.usingWhen(
                        factory.create(),
                        connection -> Queries.rows(connection, "SELECT n FROM generate_series(1, 3) AS n")
                                .concatMap(row -> session.token())
                                .count(),
                        io.r2dbc.spi.Connection::close)
                .contextWrite(Routing.session(session));

        assertThat(Blocking.value(tokens.contextWrite(Routing.read()))).isEqualTo(3);
        assertThat(Blocking.value(tokens.contextWrite(Routing.read().freshness(Freshness.latest()))))
                .isEqualTo(3);
    }

    @Test
    void givesItsTokenInsideAReadOnlyTransactionOnThePrimary() {
        oneReplicaBehind(Safeguards.all());
        CausalSession session = CausalSession.create();
        Mono<CausalToken> inside = Mono.usingWhen(
                factory.create(),
                connection -> Mono.from(connection.beginTransaction(new ReadOnly(true)))
                        .then(Queries.rows(connection, "SELECT count(*) FROM note")
                                .then(session.token()))
                        .flatMap(token ->
                                Mono.from(connection.commitTransaction()).thenReturn(token)),
                io.r2dbc.spi.Connection::close);

        assertThat(Blocking.value(inside.contextWrite(Routing.read().freshness(Freshness.latest()))
                        .contextWrite(Routing.session(session))))
                .isNotNull();
    }

    @Test
    void staysWithOneReplicaWhileReadsWithoutASessionUseBoth() {
        oneReplicaBehind(Safeguards.all());
        cluster.replica(1).resumeReplay();
        cluster.awaitReplayed();
        CausalSession session = CausalSession.create();
        Set<String> ofTheSession = new HashSet<>();
        Set<String> ofNobody = new HashSet<>();

        for (int read = 0; read < 40; read++) {
            ofTheSession.addAll(Blocking.value(read(session, Routing.read(), "SELECT current_setting('port')")));
            ofNobody.addAll(Blocking.value(
                    Queries.rows(factory, "SELECT current_setting('port')").contextWrite(Routing.read())));
        }

        assertThat(ofTheSession).hasSize(1);
        assertThat(ofNobody).hasSize(2);
    }

    @Test
    void movesToTheOtherReplicaOnceThatHasWhatWasSeen() {
        oneReplicaBehind(Safeguards.all());
        CausalSession session = sessionThatHasSeenTheRow();
        cluster.replica(1).resumeReplay();
        cluster.awaitReplayed();

        cluster.replica(0).kill();

        await().untilAsserted(() -> {
            assertThat(count(session)).isEqualTo(1);
            assertThat(factory.explain(Routing.read(), session).server()).isEqualTo("db2");
        });
    }

    private CausalSession sessionThatHasSeenTheRow() {
        while (true) {
            CausalSession session = CausalSession.create();
            if (count(session) == 1) {
                return session;
            }
        }
    }

    private long count(CausalSession session) {
        return Long.parseLong(Blocking.value(read(session, Routing.read(), "SELECT count(*) FROM note"))
                .get(0));
    }

    private Mono<List<String>> read(CausalSession session, Routing entry, String sql) {
        return Queries.rows(factory, sql).contextWrite(entry).contextWrite(Routing.session(session));
    }
}
