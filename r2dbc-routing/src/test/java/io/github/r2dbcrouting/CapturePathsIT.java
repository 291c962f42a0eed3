package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.Result;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.reactivestreams.Publisher;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * However a session writes, it reads its write, and so does whoever resumes its token at another router.
 *
 * <p>Every way of writing leaves the row with the id 1, while the replicas do not replay. So it is read from the primary
 * then, and from a replica once that has it.
 */
@Alone
@PostgresClusterTest(replicas = 1)
class CapturePathsIT {

    private static final String INSERT = "INSERT INTO note VALUES (1, 'body')";

    private final PostgresCluster cluster;
    private RoutingConnectionFactory factory;
    private RoutingConnectionFactory elsewhere;

    CapturePathsIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void table() {
        cluster.primary()
                .execute("CREATE TABLE note (id int PRIMARY KEY, body text, of int REFERENCES note DEFERRABLE"
                        + " INITIALLY DEFERRED)");
        cluster.primary()
                .execute("CREATE FUNCTION written() RETURNS int LANGUAGE sql AS"
                        + " 'INSERT INTO note VALUES (1, ''body'') RETURNING id'");
        cluster.awaitReplayed();
        cluster.replica(0).pauseReplay();
        factory = Factories.ready(Factories.over(cluster));
        elsewhere = Factories.ready(Factories.over(cluster));
    }

    @AfterEach
    void close() {
        cluster.primary().execute("ALTER SYSTEM RESET synchronous_commit");
        cluster.primary().execute("ALTER ROLE CURRENT_USER RESET synchronous_commit");
        cluster.primary().execute("ALTER DATABASE app RESET synchronous_commit");
        cluster.primary().query("SELECT pg_reload_conf()::text");
        Blocking.run(factory.close());
        Blocking.run(elsewhere.close());
    }

    record Way(String name, Function<ConnectionFactory, Publisher<?>> writing) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Way on(String name, Function<Connection, Publisher<?>> work) {
        return new Way(
                name,
                factory -> Flux.usingWhen(
                        factory.create(),
                        connection -> Flux.from(work.apply(connection)).then(),
                        Connection::close));
    }

    private static Mono<Void> run(Connection connection, String sql) {
        return Flux.from(connection.createStatement(sql).execute())
                .concatMap(Result::getRowsUpdated)
                .then();
    }

    static Stream<Arguments> ways() {
        return Stream.of(
                        on("a statement", c -> run(c, INSERT)),
                        on("a bound statement", c -> Queries.rows(c, "INSERT INTO note VALUES ($1)", 1)),
                        on(
                                "several bindings",
                                c -> Flux.from(c.createStatement("INSERT INTO note VALUES ($1)")
                                                .bind(0, 2)
                                                .add()
                                                .bind(0, 1)
                                                .execute())
                                        .concatMap(Result::getRowsUpdated)),
                        on(
                                "a batch",
                                c -> Flux.from(c.createBatch()
                                                .add("INSERT INTO note VALUES (2)")
                                                .add(INSERT)
                                                .add("SELECT 1")
                                                .execute())
                                        .concatMap(Result::getRowsUpdated)),
                        on(
                                "a batch whose last results nobody takes",
                                c -> Flux.from(c.createBatch()
                                                .add(INSERT)
                                                .add("SELECT 1")
                                                .execute())
                                        .take(1)
                                        .concatMap(Result::getRowsUpdated)),
                        on("several statements in a text", c -> run(c, INSERT + "; SELECT 1; SELECT 2")),
                        on(
                                "a transaction",
                                c -> Mono.from(c.beginTransaction())
                                        .then(run(c, INSERT))
                                        .then(Mono.from(c.commitTransaction()))),
                        on(
                                "a savepoint released",
                                c -> Mono.from(c.beginTransaction())
                                        .then(Mono.from(c.createSavepoint("s")))
                                        .then(run(c, INSERT))
                                        .then(Mono.from(c.releaseSavepoint("s")))
                                        .then(Mono.from(c.commitTransaction()))),
                        on(
                                "a savepoint rolled back to",
                                c -> Mono.from(c.beginTransaction())
                                        .then(run(c, INSERT))
                                        .then(Mono.from(c.createSavepoint("s")))
                                        .then(run(c, "INSERT INTO note VALUES (2)"))
                                        .then(Mono.from(c.rollbackTransactionToSavepoint("s")))
                                        .then(Mono.from(c.commitTransaction()))),
                        on(
                                "a savepoint that begins a transaction",
                                c -> Mono.from(c.createSavepoint("s"))
                                        .then(run(c, INSERT))
                                        .then(Mono.from(c.commitTransaction()))),
                        on(
                                "auto-commit switched off and on",
                                c -> Mono.from(c.setAutoCommit(false))
                                        .then(run(c, INSERT))
                                        .then(Mono.from(c.setAutoCommit(true)))),
                        on(
                                "BEGIN and COMMIT as statements",
                                c -> run(c, "BEGIN").then(run(c, INSERT)).then(run(c, "COMMIT"))),
                        on(
                                "BEGIN as a statement, the commit by the API",
                                c -> run(c, "BEGIN").then(run(c, INSERT)).then(Mono.from(c.commitTransaction()))),
                        on(
                                "COMMIT without the session",
                                c -> run(c, "BEGIN")
                                        .then(run(c, INSERT))
                                        .then(run(c, "COMMIT").contextWrite(context -> context.delete(sessionKey())))),
                        on(
                                "a transaction begun without the session",
                                c -> Mono.from(c.beginTransaction())
                                        .contextWrite(context -> context.delete(sessionKey()))
                                        .then(run(c, INSERT))
                                        .then(Mono.from(c.commitTransaction())
                                                .contextWrite(context -> context.delete(sessionKey())))),
                        on("a whole transaction in a text", c -> run(c, "BEGIN; " + INSERT + "; COMMIT")),
                        on("RETURNING", c -> Queries.rows(c, INSERT + " RETURNING id")),
                        on(
                                "RETURNING, cancelled after the first row",
                                c -> Queries.rows(
                                                c,
                                                "INSERT INTO note SELECT n FROM generate_series(1, 500) AS n RETURNING id")
                                        .take(1)),
                        on(
                                "returnGeneratedValues",
                                c -> Flux.from(c.createStatement(INSERT)
                                                .returnGeneratedValues("id")
                                                .execute())
                                        .concatMap(result -> result.map((row, metadata) -> row.get(0)))),
                        on(
                                "a result that nobody consumes",
                                c -> Flux.from(c.createStatement(INSERT).execute())
                                        .then()),
                        on(
                                "the first result only",
                                c -> Mono.from(c.createStatement(INSERT).execute())
                                        .flatMap(result -> Mono.from(result.getRowsUpdated()))),
                        on(
                                "several statements on one connection",
                                c -> run(c, INSERT)
                                        .then(run(c, "UPDATE note SET body = 'other' WHERE id = 1"))
                                        .thenMany(Queries.rows(c, "SELECT 1"))),
                        on(
                                "several statements at once",
                                c -> Flux.range(1, 5)
                                        .flatMap(id -> Queries.rows(c, "INSERT INTO note VALUES ($1)", id))),
                        on(
                                "a read, then a write",
                                c -> Queries.rows(c, "SELECT 1")
                                        .contextWrite(Routing.read())
                                        .then(run(c, INSERT))),
                        on(
                                "a read-write transaction under Routing.read()",
                                c -> Mono.from(c.beginTransaction())
                                        .then(run(c, INSERT))
                                        .then(Mono.from(c.commitTransaction()))
                                        .contextWrite(Routing.read())),
                        on("a function that writes, in a SELECT", c -> Queries.rows(c, "SELECT written()")),
                        on(
                                "a function that writes, in a SELECT of the latest",
                                c -> Queries.rows(c, "SELECT written()")
                                        .contextWrite(Routing.read().freshness(Freshness.latest()))),
                        on(
                                "a function that writes, in a read that fell back",
                                c -> run(c, "INSERT INTO note VALUES (2)")
                                        .thenMany(Queries.rows(c, "SELECT written()")
                                                .contextWrite(Routing.read()))),
                        on(
                                "a data-modifying WITH",
                                c -> Queries.rows(c, "WITH w AS (" + INSERT + " RETURNING id) SELECT * FROM w")),
                        on("a DO block", c -> run(c, "DO $$ BEGIN " + INSERT + "; END $$")),
                        on(
                                "asynchronous commits by SET",
                                c -> run(c, "SET synchronous_commit = off").then(run(c, INSERT))),
                        on(
                                "asynchronous commits by SET LOCAL",
                                c -> Mono.from(c.beginTransaction())
                                        .then(run(c, "SET LOCAL synchronous_commit = off"))
                                        .then(run(c, INSERT))
                                        .then(Mono.from(c.commitTransaction()))),
                        on(
                                "asynchronous commits by set_config",
                                c -> Queries.rows(c, "SELECT set_config('synchronous_commit', 'off', false)")
                                        .then(run(c, INSERT))),
                        on(
                                "asynchronous commits for the role",
                                c -> run(c, "ALTER ROLE CURRENT_USER SET synchronous_commit = off; " + INSERT)),
                        on(
                                "SELECT INTO and a temporary table",
                                c -> run(c, "SELECT 1 AS id INTO TEMPORARY mine")
                                        .then(run(c, "INSERT INTO note SELECT id FROM mine"))))
                .map(Arguments::of);
    }

    private static Object sessionKey() {
        return io.github.r2dbcrouting.internal.session.SessionState.class;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("ways")
    void readsWhatItWrote(Way way) {
        CausalSession session = CausalSession.create();

        Blocking.run(Flux.from(way.writing.apply(factory)).contextWrite(Routing.session(session)));

        assertSeen(factory, session);
        assertResumedElsewhere(session);
    }

    @Test
    void readsWhatItWroteThoughTheChainWasCancelled() {
        CausalSession session = CausalSession.create();
        Mono<Void> chain = Mono.usingWhen(
                factory.create(), connection -> run(connection, INSERT).then(Mono.<Void>never()), Connection::close);

        Disposable running = chain.contextWrite(Routing.session(session)).subscribe();
        await().until(() ->
                cluster.primary().query("SELECT count(*)::text FROM note").equals("1"));
        running.dispose();

        assertSeen(factory, session);
        assertResumedElsewhere(session);
    }

    @Test
    void readsWhatItWroteThoughItWasCancelledWhileItRan() {
        CausalSession session = CausalSession.create();
        Mono<Void> chain =
                Queries.update(factory, "INSERT INTO note SELECT 1, 'body' FROM (SELECT pg_sleep(0.3)) AS slept");

        Disposable running = chain.contextWrite(Routing.session(session)).subscribe();
        await().until(() -> cluster.primary()
                .query("SELECT count(*)::text FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
                .equals("1"));
        running.dispose();
        CausalToken token = Blocking.value(session.token());

        boolean done =
                cluster.primary().query("SELECT count(*)::text FROM note").equals("1");
        List<String> seen = Blocking.value(read(elsewhere, CausalSession.resume(token)));
        assertThat(seen).containsExactly(done ? "1" : "0");
    }

    @Test
    void hasATokenAfterACommitThatFailed() {
        CausalSession session = CausalSession.create();
        Mono<Void> failing = Mono.usingWhen(
                        factory.create(),
                        connection -> Mono.from(connection.beginTransaction())
                                .then(run(connection, "INSERT INTO note VALUES (2, 'body', 99)"))
                                .then(Mono.from(connection.commitTransaction())),
                        Connection::close)
                .contextWrite(Routing.session(session));

        assertThat(failing.materialize().block(Duration.ofSeconds(10)).isOnError())
                .isTrue();

        assertThat(Blocking.value(session.token())).isNotNull();
        Blocking.run(Queries.update(factory, INSERT).contextWrite(Routing.session(session)));
        assertSeen(factory, session);
    }

    @Test
    void readsWhatWasCommittedAsynchronouslyAfterAReload() {
        CausalSession session = CausalSession.create();
        Blocking.run(Queries.update(factory, "INSERT INTO note VALUES (2)").contextWrite(Routing.session(session)));

        cluster.primary().execute("ALTER SYSTEM SET synchronous_commit = off");
        cluster.primary().query("SELECT pg_reload_conf()::text");
        Blocking.run(Queries.update(factory, INSERT).contextWrite(Routing.session(session)));

        assertSeen(factory, session);
        assertResumedElsewhere(session);
    }

    @Test
    void readsWhatWasCommittedAsynchronouslyByTheDatabasesSetting() {
        cluster.primary().execute("ALTER DATABASE app SET synchronous_commit = off");
        CausalSession session = CausalSession.create();

        Blocking.run(Queries.update(factory, INSERT).contextWrite(Routing.session(session)));

        assertSeen(factory, session);
        assertResumedElsewhere(session);
    }

    @Test
    void readsWhatWasWrittenOutsideAndCaptured() {
        cluster.primary().execute("SET synchronous_commit = off; " + INSERT);

        CausalSession session = CausalSession.resume(Blocking.value(factory.capture()));

        assertSeen(factory, session);
        assertResumedElsewhere(session);
    }

    @Test
    void refusesATokenWhileATransactionBegunByATextIsOpen() {
        CausalSession session = CausalSession.create();
        Mono<Boolean> refused = Mono.usingWhen(
                        factory.create(),
                        connection -> run(connection, "BEGIN")
                                .then(run(connection, INSERT))
                                .then(Mono.defer(session::token).hasElement())
                                .onErrorReturn(IllegalStateException.class, true)
                                .flatMap(token -> run(connection, "COMMIT").thenReturn(token)),
                        Connection::close)
                .contextWrite(Routing.session(session));

        assertThat(Blocking.value(refused)).isTrue();
        assertSeen(factory, session);
    }

    private void assertSeen(RoutingConnectionFactory router, CausalSession session) {
        assertThat(Blocking.value(read(router, session))).containsExactly("1");
    }

    private void assertResumedElsewhere(CausalSession session) {
        CausalToken token = CausalToken.parse(Blocking.value(session.token()).encode());
        assertSeen(elsewhere, CausalSession.resume(token));
        assertThat(elsewhere
                        .explain(Routing.read(), CausalSession.resume(token))
                        .server())
                .isEqualTo("db0");

        cluster.replica(0).resumeReplay();

        await().untilAsserted(() -> assertThat(elsewhere
                        .explain(Routing.read(), CausalSession.resume(token))
                        .server())
                .isEqualTo("db1"));
        assertSeen(elsewhere, CausalSession.resume(token));
    }

    private static Mono<List<String>> read(RoutingConnectionFactory router, CausalSession session) {
        return Queries.rows(router, "SELECT count(*) FROM note WHERE id = 1")
                .contextWrite(Routing.read())
                .contextWrite(Routing.session(session));
    }
}
