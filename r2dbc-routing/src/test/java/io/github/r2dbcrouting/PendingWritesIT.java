package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.r2dbc.spi.Connection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A write counts as pending from before it is sent until its position is known, however it ends. */
@PostgresClusterTest(replicas = 1)
class PendingWritesIT {

    private final PostgresCluster cluster;
    private RoutingConnectionFactory factory;

    PendingWritesIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void table() {
        cluster.primary().execute("CREATE TABLE note (id int PRIMARY KEY, body text NOT NULL)");
        cluster.awaitReplayed();
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    @FailsWithout(Safeguard.PENDING_WRITES)
    @Test
    void readsWhatWasInsertedThoughItsResultWasCancelled(Safeguards safeguards) {
        factory = Factories.ready(Factories.over(cluster, safeguards));
        // what is replayed at once cannot be missed
        cluster.replica(0).applyDelay(Duration.ofMillis(300));
        AtomicInteger unseen = new AtomicInteger();

        Blocking.run(Flux.range(0, 300).flatMap(id -> writeCancelAndRead(id, unseen), 8));

        assertThat(unseen).as("reads that did not see their session's insert").hasValue(0);
    }

    private Mono<Void> writeCancelAndRead(int id, AtomicInteger unseen) {
        Mono<String> firstRowOnly = Mono.usingWhen(
                factory.create(),
                connection -> Queries.rows(
                                connection,
                                "INSERT INTO note SELECT n, 'body' FROM generate_series($1::int, $1::int + 9) AS n"
                                        + " RETURNING id",
                                id * 10)
                        .take(1)
                        .single(),
                Connection::close);
        return firstRowOnly
                .then(Queries.rows(factory, "SELECT count(*) FROM note WHERE id / 10 = $1", id)
                        .contextWrite(Routing.read()))
                .doOnNext(seen -> {
                    if (!seen.equals(List.of("10"))) {
                        unseen.incrementAndGet();
                    }
                })
                .then()
                .contextWrite(Routing.session(CausalSession.create()));
    }

    @Test
    void sendsReadsOfOtherSessionsToTheReplicaMeanwhile() {
        factory = Factories.ready(Factories.over(cluster));
        await().until(() ->
                factory.explain(Routing.read(), CausalSession.create()).server().equals("db1"));
        cluster.replica(0).applyDelay(Duration.ofMillis(300));

        Blocking.run(Queries.update(factory, "INSERT INTO note VALUES (1, 'body')")
                .contextWrite(Routing.session(CausalSession.create())));
        List<String> replica = Blocking.value(Queries.rows(factory, "SELECT pg_is_in_recovery()")
                .contextWrite(Routing.read())
                .contextWrite(Routing.session(CausalSession.create())));

        assertThat(replica).containsExactly("true");
    }

    @Test
    void givesATokenAfterACommitAndAfterAReadAndNoneToASessionThatDidNothing() {
        factory = Factories.ready(Factories.over(cluster));
        CausalSession writer = CausalSession.create();
        CausalSession reader = CausalSession.create();

        Blocking.run(
                Queries.update(factory, "INSERT INTO note VALUES (1, 'body')").contextWrite(Routing.session(writer)));
        Blocking.run(
                Queries.rows(factory, "SELECT 1").contextWrite(Routing.read()).contextWrite(Routing.session(reader)));

        assertThat(CausalToken.parse(Blocking.value(writer.token()).encode()))
                .isEqualTo(Blocking.value(writer.token()));
        assertThat(reader.token().blockOptional(Duration.ofSeconds(5))).isPresent();
        assertThat(CausalSession.create().token().blockOptional(Duration.ofSeconds(5)))
                .isEmpty();
    }

    @Test
    void refusesATokenInsideAnOpenWriteTransactionAtOnce() {
        factory = Factories.ready(Factories.over(cluster));
        CausalSession session = CausalSession.create();

        Mono<CausalToken> inside = Queries.inTransaction(
                        factory,
                        connection -> Queries.rows(connection, "INSERT INTO note VALUES (1, 'body') RETURNING id")
                                .then(session.token()))
                .contextWrite(Routing.session(session));

        assertThatThrownBy(() -> Blocking.value(inside)).hasMessageContaining("open write transaction");
        // the failed transaction has ended, so a token can be had again
        await().untilAsserted(() ->
                assertThat(session.token().blockOptional(Duration.ofSeconds(5))).isPresent());
    }

    @Test
    void givesATokenAfterAWriteThatFailedOnTheServer() {
        factory = Factories.ready(Factories.over(cluster));
        CausalSession session = CausalSession.create();
        Mono<Void> insert =
                Queries.update(factory, "INSERT INTO note VALUES (1, NULL)").contextWrite(Routing.session(session));

        assertThatThrownBy(() -> Blocking.run(insert)).hasMessageContaining("null value");

        assertThat(session.token().blockOptional(Duration.ofSeconds(5))).isPresent();
    }

    @Test
    void givesATokenAfterTheWritersBackendWasLost() {
        factory = Factories.ready(Factories.over(cluster));
        CausalSession session = CausalSession.create();
        Mono<Void> insert = Queries.update(
                        factory, "INSERT INTO note SELECT 1, pg_terminate_backend(pg_backend_pid())::text")
                .contextWrite(Routing.session(session));

        assertThatThrownBy(() -> Blocking.run(insert)).isNotNull();

        assertThat(session.token().blockOptional(Duration.ofSeconds(10))).isPresent();
    }

    @Test
    void capturesForWritesMadeOutside() {
        factory = Factories.ready(Factories.over(cluster));
        cluster.replica(0).pauseReplay();
        cluster.primary().execute("INSERT INTO note VALUES (7, 'made elsewhere')");

        CausalToken token = Blocking.value(factory.capture());

        CausalSession session = CausalSession.resume(token);
        Mono<List<String>> read = Queries.rows(factory, "SELECT id FROM note")
                .contextWrite(Routing.read())
                .contextWrite(Routing.session(session));
        assertThat(Blocking.value(read)).containsExactly("7");
        assertThat(factory.explain(Routing.read(), session).server()).isEqualTo("db0");
        cluster.replica(0).resumeReplay();
        await().untilAsserted(() ->
                assertThat(factory.explain(Routing.read(), session).server()).isEqualTo("db1"));
        assertThat(Blocking.value(read)).containsExactly("7");
    }
}
