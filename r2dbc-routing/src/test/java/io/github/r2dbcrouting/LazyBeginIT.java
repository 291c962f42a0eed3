package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A transaction whose begin is sent with its first statement is what it would have been otherwise. */
@PostgresClusterTest(replicas = 1)
class LazyBeginIT {

    private static final String INSERT = "INSERT INTO note VALUES (1)";

    private final PostgresCluster cluster;
    private final List<RoutingConnectionFactory> factories = new ArrayList<>();
    private RoutingConnectionFactory factory;
    private Connection connection;

    LazyBeginIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void open() {
        cluster.primary().execute("CREATE TABLE note (id int PRIMARY KEY)");
        cluster.awaitReplayed();
        factory = lazy(true);
        connection = connection(factory);
    }

    @AfterEach
    void close() {
        cluster.servers().forEach(server -> server.latency(Duration.ZERO));
        Blocking.run(connection.close());
        for (RoutingConnectionFactory each : factories) {
            await().untilAsserted(() -> assertThat(
                            each.pool("db0").getMetrics().orElseThrow().acquiredSize())
                    .isZero());
            Blocking.run(each.close());
        }
    }

    private RoutingConnectionFactory lazy(boolean heldBack) {
        RoutingConnectionFactory made =
                Factories.ready(Factories.over(cluster).lazyBegin(heldBack).pool(pool -> {
                    var unused = pool.maxSize(1);
                }));
        factories.add(made);
        return made;
    }

    private static Connection connection(RoutingConnectionFactory of) {
        return Blocking.value(of.create());
    }

    record First(String name, Function<Connection, Publisher<?>> statement) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Flux<Long> updated(Publisher<? extends Result> execution) {
        return Flux.from(execution).concatMap(Result::getRowsUpdated);
    }

    static Stream<First> firsts() {
        String bound = "INSERT INTO note VALUES ($1)";
        return Stream.of(
                new First(
                        "a simple statement",
                        c -> updated(c.createStatement(INSERT).execute())),
                new First(
                        "a bound statement",
                        c -> updated(c.createStatement(bound).bind(0, 1).execute())),
                new First(
                        "a bound statement with generated values",
                        c -> Flux.from(c.createStatement(bound)
                                        .bind(0, 1)
                                        .returnGeneratedValues("id")
                                        .execute())
                                .concatMap(result -> result.map(row -> row.get(0)))),
                new First(
                        "a statement by segments",
                        c -> Flux.from(c.createStatement(INSERT).execute())
                                .concatMap(result -> result.flatMap(Mono::just))),
                new First(
                        "a simple statement with a fetch size",
                        c -> Flux.from(c.createStatement(INSERT + " RETURNING id")
                                        .fetchSize(10)
                                        .execute())
                                .concatMap(result -> result.map(row -> row.get(0)))),
                new First(
                        "a bound statement with a fetch size",
                        c -> Flux.from(c.createStatement(bound + " RETURNING id")
                                        .bind(0, 1)
                                        .fetchSize(10)
                                        .execute())
                                .concatMap(result -> result.map(row -> row.get(0)))),
                new First(
                        "several bindings",
                        c -> updated(c.createStatement(bound)
                                .bind(0, 1)
                                .add()
                                .bind(0, 2)
                                .execute())),
                new First(
                        "several statements in a text",
                        c -> updated(c.createStatement(INSERT + "; INSERT INTO note VALUES (2)")
                                .execute())),
                new First(
                        "a batch",
                        c -> updated(c.createBatch()
                                .add(INSERT)
                                .add("INSERT INTO note VALUES (2)")
                                .execute())),
                new First(
                        "statements at once",
                        c -> Flux.merge(
                                updated(c.createStatement(INSERT).execute()),
                                updated(c.createStatement("INSERT INTO note VALUES (2)")
                                        .execute()))),
                new First(
                        "a result that is consumed behind another statement",
                        c -> Flux.from(c.createStatement(bound).bind(0, 1).execute())
                                .concatMap(result -> updated(c.createStatement("INSERT INTO note VALUES (2)")
                                                .execute())
                                        .thenMany(result.getRowsUpdated()))),
                new First(
                        "a savepoint",
                        c -> Flux.concat(
                                Flux.from(c.createSavepoint("a")).cast(Object.class),
                                updated(c.createStatement(INSERT).execute()),
                                c.releaseSavepoint("a"))),
                new First(
                        "a setting",
                        c -> Flux.concat(
                                Flux.from(c.setTransactionIsolationLevel(IsolationLevel.REPEATABLE_READ))
                                        .cast(Object.class),
                                updated(c.createStatement(INSERT).execute()))));
    }

    @ParameterizedTest
    @MethodSource("firsts")
    void isRolledBackWithWhateverComesFirst(First first) {
        Blocking.run(connection.beginTransaction());
        Blocking.run(first.statement().apply(connection));
        assertThat(connection.isAutoCommit()).isFalse();
        Blocking.run(connection.rollbackTransaction());

        assertThat(connection.isAutoCommit()).isTrue();
        assertThat(notes()).isZero();

        Blocking.run(connection.beginTransaction());
        Blocking.run(first.statement().apply(connection));
        assertThat(notes()).isZero();
        Blocking.run(connection.commitTransaction());

        assertThat(notes()).isPositive();
    }

    @Test
    void neverReachesTheServerWithoutAStatement() {
        assertThat(openTransactionsAfterBegin(connection)).isZero();
        assertThat(connection.isAutoCommit()).isFalse();
        Blocking.run(connection.commitTransaction());
        assertThat(connection.isAutoCommit()).isTrue();

        Blocking.run(connection.beginTransaction());
        Blocking.run(connection.rollbackTransaction());
        assertThat(connection.isAutoCommit()).isTrue();

        Blocking.run(updated(connection.createStatement(INSERT).execute()));
        assertThat(notes()).isEqualTo(1);
    }

    @Test
    void reachesTheServerAtOnceWhenItIsNotAskedFor() {
        Connection eager = connection(lazy(false));

        assertThat(openTransactionsAfterBegin(eager)).isEqualTo(1);

        Blocking.run(eager.close());
    }

    private int openTransactionsAfterBegin(Connection on) {
        Blocking.run(on.beginTransaction());
        return Integer.parseInt(cluster.primary()
                .query("SELECT count(*)::text FROM pg_stat_activity WHERE state = 'idle in transaction'"));
    }

    @Test
    void isWhatItsDefinitionAsksFor() {
        Blocking.run(connection.beginTransaction(IsolationLevel.SERIALIZABLE));

        assertThat(connection.getTransactionIsolationLevel()).isEqualTo(IsolationLevel.SERIALIZABLE);
        assertThat(shown("transaction_isolation")).containsExactly("serializable");
        Blocking.run(connection.commitTransaction());
        assertThat(connection.getTransactionIsolationLevel()).isEqualTo(IsolationLevel.READ_COMMITTED);

        Blocking.run(connection.beginTransaction(new ReadOnly(true)));
        assertThat(shown("transaction_read_only")).containsExactly("on");
    }

    private List<String> shown(String setting) {
        return Blocking.value(Queries.rows(connection, "SELECT current_setting('" + setting + "')")
                .collectList());
    }

    @Test
    void failsAtItsFirstStatementAndIsOverWithTheRollback() {
        Blocking.run(connection.beginTransaction());
        cluster.primary()
                .query("SELECT count(pg_terminate_backend(pid, 5000))::text FROM pg_stat_activity"
                        + " WHERE application_name = 'r2dbc-postgresql'");

        assertThatThrownBy(() ->
                        Blocking.run(updated(connection.createStatement(INSERT).execute())))
                .isInstanceOf(R2dbcException.class);
        assertThatThrownBy(() ->
                        Blocking.run(updated(connection.createStatement(INSERT).execute())))
                .isInstanceOf(R2dbcException.class);
        assertThatThrownBy(() -> Blocking.run(connection.commitTransaction())).isInstanceOf(R2dbcException.class);

        Blocking.run(connection.rollbackTransaction());
        assertThat(connection.isAutoCommit()).isTrue();
        assertThat(notes()).isZero();
    }

    @Test
    void isRolledBackAfterAFirstStatementThatTheServerRefused() {
        Blocking.run(connection.beginTransaction());
        assertThatThrownBy(() -> Blocking.run(updated(connection
                        .createStatement("INSERT INTO nowhere VALUES (1)")
                        .execute())))
                .isInstanceOf(R2dbcException.class)
                .extracting(error -> ((R2dbcException) error).getSqlState())
                .isEqualTo("42P01");
        assertThat(connection.isAutoCommit()).isFalse();

        Blocking.run(connection.rollbackTransaction());
        Blocking.run(updated(connection.createStatement(INSERT).execute()));

        assertThat(notes()).isEqualTo(1);
    }

    @Test
    void isRolledBackWhenItsConnectionIsClosedAfterACancelledFirstStatement() {
        cluster.primary().latency(Duration.ofMillis(30));
        for (int i = 0; i < 5; i++) {
            Connection cancelled = connection(factory);
            Blocking.run(cancelled.beginTransaction());
            updated(cancelled.createStatement(INSERT).execute()).subscribe().dispose();
            Blocking.run(cancelled.close());

            Connection next = connection(factory);
            assertThat(Blocking.value(Queries.rows(next, "SELECT transaction_timestamp() = statement_timestamp()")
                            .collectList()))
                    .containsExactly("true");
            assertThat(next.isAutoCommit()).isTrue();
            Blocking.run(next.close());
        }
        assertThat(notes()).isZero();
    }

    @Test
    void isRolledBackByWhoeverCancelledItsFirstStatement() {
        cluster.primary().latency(Duration.ofMillis(30));
        Blocking.run(connection.beginTransaction());
        updated(connection.createStatement(INSERT).execute()).subscribe().dispose();

        Blocking.run(connection.rollbackTransaction());

        assertThat(connection.isAutoCommit()).isTrue();
        Blocking.run(updated(connection.createStatement(INSERT).execute()));
        assertThat(notes()).isEqualTo(1);
    }

    @Test
    void leavesNothingPendingWithoutAStatement() {
        CausalSession session = CausalSession.create();

        Blocking.run(Flux.concat(connection.beginTransaction(), connection.commitTransaction())
                .contextWrite(Routing.session(session)));

        assertThat(factory.explain(Routing.read(), session).server()).isEqualTo("db1");
    }

    @Test
    void isPendingFromItsFirstStatementOn() {
        CausalSession session = CausalSession.create();
        Blocking.run(Mono.from(connection.beginTransaction()).contextWrite(Routing.session(session)));
        assertThat(factory.explain(Routing.read(), session).server()).isEqualTo("db1");

        // the session of the begin, although the statement has none
        Blocking.run(updated(connection.createStatement(INSERT).execute()));

        assertThat(factory.explain(Routing.read(), session).server()).isEqualTo("db0");
        Blocking.run(connection.commitTransaction());
        assertThat(Blocking.value(session.token())).isNotNull();
    }

    @Test
    void readsFromAReplicaWhenItIsReadOnly() {
        CausalSession session = CausalSession.create();

        List<String> recovering = Blocking.value(Mono.from(connection.beginTransaction(new ReadOnly(true)))
                .thenMany(Flux.defer(() -> Queries.rows(connection, "SELECT pg_is_in_recovery(), $1", 1)))
                .collectList()
                .contextWrite(Routing.session(session)));

        assertThat(recovering).containsExactly("true");
        assertThat(connection.isAutoCommit()).isFalse();
        Blocking.run(connection.commitTransaction());
        assertThat(connection.isAutoCommit()).isTrue();
    }

    private int notes() {
        return Integer.parseInt(cluster.primary().query("SELECT count(*)::text FROM note"));
    }
}
