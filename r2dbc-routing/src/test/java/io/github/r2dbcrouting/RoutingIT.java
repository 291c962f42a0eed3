package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.LeakCheck;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.ValidationDepth;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;

/** Where statements and transactions go, told by the servers themselves. */
@PostgresClusterTest(replicas = 2)
class RoutingIT {

    private static final String ROLE = "SELECT CASE WHEN pg_is_in_recovery() THEN 'replica' ELSE 'primary' END";

    private final PostgresCluster cluster;
    private final Queue<RouteDecision> decisions = new ConcurrentLinkedQueue<>();
    private RoutingConnectionFactory factory;

    RoutingIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void open() {
        cluster.primary().execute("CREATE TABLE note (id int PRIMARY KEY)");
        cluster.awaitReplayed();
        factory = Factories.ready(Factories.over(cluster).listener(decisions::add));
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    @Test
    void goesToThePrimaryWithoutAWord() {
        assertThat(role(Function.identity())).isEqualTo("primary");
        assertThat(roleInTransaction(Function.identity(), true)).isEqualTo("primary");
    }

    @Test
    void goesToAReplicaWhereReadsAreAskedFor() {
        assertThat(role(Routing.read())).isEqualTo("replica");
        assertThat(role(Routing.session(CausalSession.create()))).isEqualTo("replica");
        assertThat(roleInTransaction(Routing.read(), true)).isEqualTo("replica");
        assertThat(roleInTransaction(Routing.session(CausalSession.create()), true))
                .isEqualTo("replica");
    }

    @Test
    void goesToThePrimaryWhereAnythingNearerToItIsSaid() {
        assertThat(role(Routing.write())).isEqualTo("primary");
        assertThat(role(Routing.write().andThen(Routing.session(CausalSession.create()))))
                .isEqualTo("primary");
        assertThat(role(Routing.read().freshness(Freshness.latest()))).isEqualTo("primary");
        assertThat(Blocking.value(Queries.rows(factory, "INSERT INTO note VALUES (9) RETURNING id")
                        .contextWrite(Routing.read())))
                .containsExactly("9");
        assertThat(roleInTransaction(Routing.read(), false)).isEqualTo("primary");
        assertThat(roleInTransaction(Routing.write().andThen(Routing.session(CausalSession.create())), true))
                .isEqualTo("primary");
    }

    @Test
    void goesToAReplicaWithAFunctionThatIsNamedAsReading() {
        for (String name : List.of("reads", "unnamed")) {
            cluster.primary()
                    .execute("CREATE FUNCTION " + name + "(text) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1'");
        }
        cluster.awaitReplayed();
        RoutingConnectionFactory naming =
                Factories.ready(Factories.over(cluster).readOnlyFunctions("Reads"));
        String reads = ROLE.replace("SELECT CASE", "SELECT reads(CASE") + ")";
        String unnamed = ROLE.replace("SELECT CASE", "SELECT unnamed(CASE") + ")";

        assertThat(underSession(naming, reads)).isEqualTo("replica");
        assertThat(underSession(naming, unnamed)).isEqualTo("primary");
        assertThat(underSession(factory, reads)).isEqualTo("primary");
        assertThat(Blocking.value(Queries.rows(factory, reads).contextWrite(Routing.read())))
                .containsExactly("replica");
        Blocking.run(naming.close());
    }

    @Test
    void goesToAReplicaWithAFunctionThatTheCatalogueCallsStable() {
        String function = "FUNCTION looked_up(text) RETURNS text LANGUAGE sql %s AS 'SELECT $1'";
        cluster.primary().execute("CREATE " + String.format(function, "STABLE"));
        cluster.awaitReplayed();
        RoutingConnectionFactory looking = Factories.ready(
                Factories.over(cluster).readOnlyFunctionsFromCatalog(true).functionsPeriod(Duration.ofMillis(200)));
        String calls = ROLE.replace("SELECT CASE", "SELECT looked_up(CASE") + ")";
        String withSchema = ROLE.replace("SELECT CASE", "SELECT public.looked_up(CASE") + ")";

        await().untilAsserted(() -> assertThat(underSession(looking, calls)).isEqualTo("replica"));
        assertThat(underSession(looking, withSchema)).isEqualTo("replica");
        assertThat(underSession(factory, calls)).isEqualTo("primary");
        cluster.primary().execute("CREATE OR REPLACE " + String.format(function, "VOLATILE"));
        await().untilAsserted(() -> assertThat(underSession(looking, calls)).isEqualTo("primary"));
        assertThat(underSession(looking, withSchema)).isEqualTo("primary");
        Blocking.run(looking.close());
    }

    private static String underSession(RoutingConnectionFactory factory, String sql) {
        return Blocking.value(Queries.rows(factory, sql).contextWrite(Routing.session(CausalSession.create())))
                .get(0);
    }

    @Test
    void goesToThePrimaryWhereAReplicaWouldRefuseTheIsolationLevel() {
        Mono<String> serializable = Mono.usingWhen(
                factory.create(),
                connection -> Mono.from(connection.setTransactionIsolationLevel(IsolationLevel.SERIALIZABLE))
                        .then(Mono.from(connection.beginTransaction(new ReadOnly(true))))
                        .thenMany(Queries.rows(connection, ROLE))
                        .single(),
                Connection::close);

        assertThat(Blocking.value(serializable.contextWrite(Routing.read()))).isEqualTo("primary");
        // and the next borrower of that connection has its own level again
        assertThat(Blocking.value(Queries.rows(factory, "SHOW transaction_isolation")))
                .containsExactly("read committed");
    }

    @Test
    void readsAndThenWritesOnOneConnection() {
        Mono<List<String>> roles = Mono.usingWhen(
                factory.create(),
                connection -> Queries.rows(connection, ROLE)
                        .contextWrite(Routing.read())
                        .concatWith(Queries.rows(connection, "INSERT INTO note VALUES (1) RETURNING id"))
                        .concatWith(Queries.rows(connection, ROLE).contextWrite(Routing.read()))
                        .collectList(),
                Connection::close);

        assertThat(Blocking.value(roles)).containsExactly("replica", "1", "replica");
        assertEverythingIsBack();
    }

    @Test
    void keepsATransactionWhereItBegan() {
        List<String> seen = Blocking.value(Queries.inTransaction(
                        factory,
                        connection -> Queries.rows(connection, "INSERT INTO note VALUES (2) RETURNING id")
                                .concatWith(Queries.rows(connection, ROLE).contextWrite(Routing.read()))
                                .collectList())
                .contextWrite(Routing.session(CausalSession.create())));

        assertThat(seen).containsExactly("2", "primary");
    }

    @Test
    void rollsBackWhatWasNotCommitted() {
        Mono<String> left = Mono.usingWhen(
                factory.create(),
                connection -> Mono.from(connection.beginTransaction())
                        .thenMany(Queries.rows(connection, "INSERT INTO note VALUES (3) RETURNING id"))
                        .single(),
                Connection::close);

        assertThat(Blocking.value(left)).isEqualTo("3");

        assertThat(Blocking.value(Queries.rows(factory, "SELECT count(*) FROM note")))
                .containsExactly("0");
        assertEverythingIsBack();
    }

    @Test
    void spreadsReadsOverTheReplicas() {
        Blocking.run(Flux.range(0, 200).flatMap(n -> Queries.rows(factory, ROLE).contextWrite(Routing.read()), 4));

        assertThat(decisions.stream().map(RouteDecision::server).distinct()).containsExactlyInAnyOrder("db1", "db2");
    }

    @Test
    void readsFromTheReplicaThatHasTheWriteAndNotFromTheOneThatLags() {
        cluster.replica(1).pauseReplay();
        CausalSession session = CausalSession.create();
        Blocking.run(Queries.update(factory, "INSERT INTO note VALUES (4)").contextWrite(Routing.session(session)));
        await().untilAsserted(() ->
                assertThat(factory.explain(Routing.read(), session).server()).isEqualTo("db1"));

        for (int i = 0; i < 30; i++) {
            assertThat(Blocking.value(Queries.rows(factory, "SELECT id FROM note")
                            .contextWrite(Routing.read())
                            .contextWrite(Routing.session(session))))
                    .containsExactly("4");
        }

        RouteDecision decision = factory.explain(Routing.read(), session);
        assertThat(decision.reason()).isEqualTo(RouteDecision.Reason.COVERS_TOKEN);
        assertThat(decision.candidates())
                .contains(new RouteDecision.Candidate("db2", RouteDecision.Refusal.BEHIND_TOKEN))
                .contains(new RouteDecision.Candidate("db1", null));
    }

    @Test
    void carriesASessionToAnotherRouterByItsToken() {
        cluster.replica(1).pauseReplay();
        CausalSession session = CausalSession.create();
        Blocking.run(Queries.update(factory, "INSERT INTO note VALUES (5)").contextWrite(Routing.session(session)));
        String text = Blocking.value(session.token()).encode();
        RoutingConnectionFactory other = Factories.ready(Factories.over(cluster));

        CausalSession there = CausalSession.resume(CausalToken.parse(text));
        for (int i = 0; i < 30; i++) {
            assertThat(Blocking.value(Queries.rows(other, "SELECT id FROM note")
                            .contextWrite(Routing.read())
                            .contextWrite(Routing.session(there))))
                    .containsExactly("5");
        }
        Blocking.run(other.close());
    }

    @Test
    void leavesNoConnectionToAServerThatWasNotNeeded() {
        Connection unused = Blocking.value(factory.create());

        assertThat(unused.isAutoCommit()).isTrue();
        assertThat(unused.getMetadata().getDatabaseProductName()).isEqualTo("PostgreSQL");
        assertThat(unused.getTransactionIsolationLevel()).isEqualTo(IsolationLevel.READ_COMMITTED);
        assertThat(unused.toString()).contains("primary=none", "replica=none");
        assertThat(Blocking.value(Mono.from(unused.validate(ValidationDepth.REMOTE))))
                .isTrue();
        Blocking.run(unused.close());
        Blocking.run(unused.close());

        assertThat(Blocking.value(Mono.from(unused.validate(ValidationDepth.LOCAL))))
                .isFalse();
        assertThatThrownBy(() -> unused.createStatement("SELECT 1")).isInstanceOf(IllegalStateException.class);
        assertEverythingIsBack();
    }

    @Test
    void takesTimeoutsBackBeforeTheNextBorrower() {
        Mono<List<String>> first = Mono.usingWhen(
                factory.create(),
                connection -> Mono.from(connection.setStatementTimeout(Duration.ofMillis(1234)))
                        .then(Mono.from(connection.setLockWaitTimeout(Duration.ofMillis(567))))
                        .thenMany(Queries.rows(connection, "SHOW statement_timeout"))
                        .concatWith(Queries.rows(connection, "SHOW lock_timeout"))
                        .collectList(),
                Connection::close);

        assertThat(Blocking.value(first)).containsExactly("1234ms", "567ms");
        assertThat(Blocking.value(Queries.rows(factory, "SHOW statement_timeout")))
                .containsExactly("0");
        assertThat(Blocking.value(Queries.rows(factory, "SHOW lock_timeout"))).containsExactly("0");
    }

    @Test
    void leavesNothingBehindWhenItIsClosed() {
        try (LeakCheck check = LeakCheck.start().watch(cluster).watchThreads("r2dbc-routing-monitor")) {
            RoutingConnectionFactory another = Factories.ready(Factories.over(cluster));
            Blocking.run(Queries.rows(another, ROLE).contextWrite(Routing.read()));
            Blocking.run(Queries.update(another, "INSERT INTO note VALUES (6)")
                    .contextWrite(Routing.session(CausalSession.create())));

            Blocking.run(another.close());
            Blocking.run(another.close());

            assertThatThrownBy(() -> Blocking.value(another.create())).isInstanceOf(IllegalStateException.class);
            check.verify();
        }
    }

    private String role(Function<Context, Context> entry) {
        return Blocking.value(Queries.rows(factory, ROLE).contextWrite(entry)).get(0);
    }

    private String roleInTransaction(Function<Context, Context> entry, boolean readOnly) {
        Mono<String> role = Mono.usingWhen(
                factory.create(),
                connection -> Mono.from(connection.beginTransaction(new ReadOnly(readOnly)))
                        .thenMany(Queries.rows(connection, ROLE))
                        .single()
                        .flatMap(value ->
                                Mono.from(connection.commitTransaction()).thenReturn(value)),
                Connection::close);
        return Blocking.value(role.contextWrite(entry));
    }

    private void assertEverythingIsBack() {
        for (String server : List.of("db0", "db1", "db2")) {
            await().untilAsserted(() -> assertThat(
                            factory.pool(server).getMetrics().orElseThrow().acquiredSize())
                    .as(server)
                    .isZero());
        }
    }
}
