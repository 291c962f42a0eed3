package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import io.r2dbc.spi.Result;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What was taken for a read, and is refused by a replica, runs on the primary. */
@PostgresClusterTest(replicas = 1)
class RefusedReadsIT {

    private final PostgresCluster cluster;
    private final Queue<RouteDecision> decisions = new ConcurrentLinkedQueue<>();
    private RoutingConnectionFactory factory;

    RefusedReadsIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void open() {
        cluster.primary().execute("CREATE TABLE note (id int)");
        cluster.primary()
                .execute("CREATE FUNCTION f_w(n int) RETURNS int LANGUAGE sql"
                        + " AS 'INSERT INTO note VALUES (n) RETURNING id'");
        cluster.awaitReplayed();
        factory = Factories.ready(Factories.over(cluster).listener(decisions::add));
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    @Test
    void runsAgainOnThePrimaryAndIsSeenByItsSession() {
        for (int n = 1; n <= 10; n++) {
            CausalSession session = CausalSession.create();
            // a text of its own each time, so that none is known as a write; simple and with a parameter
            String sql = "SELECT f_w(" + (n % 2 == 0 ? "$1" : n) + ") AS n" + n;
            Object[] values = n % 2 == 0 ? new Object[] {n} : new Object[0];

            assertThat(Blocking.value(Queries.rows(factory, sql, values)
                            .contextWrite(Routing.read())
                            .contextWrite(Routing.session(session))))
                    .containsExactly(String.valueOf(n));

            assertThat(Blocking.value(Queries.rows(factory, "SELECT count(*) FROM note")
                            .contextWrite(Routing.read())
                            .contextWrite(Routing.session(session))))
                    .containsExactly(String.valueOf(n));
            assertThat(Blocking.value(session.token())).isNotNull();
        }
        assertEverythingIsBack();
    }

    @Test
    void goesToThePrimaryAtOnceWhenItsTextIsKnown() {
        for (int n = 0; n < 2; n++) {
            Blocking.run(Queries.rows(factory, "SELECT f_w($1)", 1).contextWrite(Routing.read()));
        }

        assertThat(decisions.stream().map(RouteDecision::server)).containsExactly("db1", "db0", "db0");
    }

    @Test
    void runsAgainWhicheverWayItsResultIsConsumed() {
        assertThat(consumed(1, Result::getRowsUpdated)).containsExactly(1L);
        assertThat(consumed(2, result -> result.map(row -> row.get(0)))).containsExactly(2);
        assertThat(consumed(3, result -> result.map((row, metadata) -> row.get(0))))
                .containsExactly(3);
        assertThat(consumed(
                        4,
                        result -> result.flatMap(segment -> segment instanceof Result.RowSegment row
                                ? Mono.just(row.row().get(0))
                                : Mono.empty())))
                .containsExactly(4);
        assertThat(consumed(
                        5,
                        result -> result.filter(segment -> segment instanceof Result.RowSegment)
                                .map(row -> row.get(0))))
                .containsExactly(5);

        assertThat(cluster.primary().query("SELECT string_agg(id::text, ',' ORDER BY id) FROM note"))
                .isEqualTo("1,1,2,2,3,3,4,4,5,5");
        assertEverythingIsBack();
    }

    private List<Object> consumed(int n, Function<Result, Publisher<?>> consumption) {
        Mono<List<Object>> simple = Flux.usingWhen(
                        factory.create(),
                        connection -> Flux.from(connection
                                        .createStatement("SELECT f_w(" + n + ")")
                                        .execute())
                                .<Object>concatMap(consumption),
                        Connection::close)
                .collectList();
        Mono<List<Object>> bound = Flux.usingWhen(
                        factory.create(),
                        connection -> Flux.from(connection
                                        .createStatement("SELECT f_w($1) AS n" + n)
                                        .bind(0, n)
                                        .execute())
                                .<Object>concatMap(consumption),
                        Connection::close)
                .collectList();
        List<Object> first = Blocking.value(simple.contextWrite(Routing.read()));
        assertThat(Blocking.value(bound.contextWrite(Routing.read()))).isEqualTo(first);
        return first;
    }

    @Test
    void saysWhyAReadOnlyTransactionCannotWrite() {
        Mono<List<String>> write = Mono.usingWhen(
                factory.create(),
                connection -> Mono.from(connection.beginTransaction(new ReadOnly(true)))
                        .thenMany(Queries.rows(connection, "SELECT f_w(1)"))
                        .collectList(),
                Connection::close);

        assertThatThrownBy(() -> Blocking.value(write.contextWrite(Routing.read())))
                .isInstanceOf(R2dbcNonTransientResourceException.class)
                .hasMessageContainingAll("cannot execute INSERT", "replica db1", "read-only")
                .satisfies(error ->
                        assertThat(((R2dbcException) error).getSqlState()).isEqualTo("25006"));
        assertThat(cluster.primary().query("SELECT count(*)::text FROM note")).isEqualTo("0");
        assertEverythingIsBack();
    }

    @Test
    void doesNotRunSeveralStatementsAgain() {
        assertThatThrownBy(() -> Blocking.value(
                        Queries.rows(factory, "SELECT 1; SELECT f_w(1)").contextWrite(Routing.read())))
                .isInstanceOf(R2dbcNonTransientResourceException.class)
                .hasMessageContainingAll("replica db1", "Routing.write()");
        assertThat(cluster.primary().query("SELECT count(*)::text FROM note")).isEqualTo("0");
        assertEverythingIsBack();
    }

    @Test
    void passesOtherErrorsOn() {
        assertThatThrownBy(() ->
                        Blocking.value(Queries.rows(factory, "SELECT 1 / 0").contextWrite(Routing.read())))
                .isInstanceOf(R2dbcException.class)
                .satisfies(error ->
                        assertThat(((R2dbcException) error).getSqlState()).isEqualTo("22012"));
        assertThat(decisions).hasSize(1);
    }

    private void assertEverythingIsBack() {
        for (String server : List.of("db0", "db1")) {
            await().untilAsserted(() -> assertThat(
                            factory.pool(server).getMetrics().orElseThrow().acquiredSize())
                    .as(server)
                    .isZero());
        }
    }
}
