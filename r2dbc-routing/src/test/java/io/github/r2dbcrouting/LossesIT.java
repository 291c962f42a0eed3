package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.github.r2dbcrouting.test.Side;
import io.r2dbc.spi.R2dbcException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.util.retry.Retry;

/**
 * What had no position yet when the primary went, or crashed, is told before a session is served without it.
 *
 * <p>Whether something is lost is a matter of milliseconds. So these tests judge every round, whatever it brings, and go on
 * until one has brought a loss.
 */
@PostgresClusterTest(replicas = 2)
class LossesIT {

    private static final String TOLD = "told";
    private static final int MOST_ROUNDS = 20;

    private final PostgresCluster cluster;
    private final PostgresServer primary;
    private RoutingConnectionFactory factory;

    LossesIT(PostgresCluster cluster) {
        this.cluster = cluster;
        this.primary = cluster.server(0);
    }

    @BeforeEach
    void start() {
        primary.execute("CREATE TABLE note (id int PRIMARY KEY)");
        cluster.awaitReplayed();
        factory = Factories.ready(Factories.over(cluster).strictLostWrites(true));
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    @Test
    void isToldOfWhatACrashOfThePrimaryTookThatDidNotWaitForTheDisk() {
        boolean lost = false;
        for (int id = 1; id <= MOST_ROUNDS && !lost; id++) {
            CausalSession writer = CausalSession.create();
            CausalSession reader = CausalSession.create();
            int backend = Integer.parseInt(primary.query("SELECT pg_backend_pid()"));
            commitWithoutWaiting(id, writer);
            boolean seen = latest(id, reader).equals("1");
            primary.killBackend(backend);

            String written = next(id, writer);
            String read = next(id, reader);

            lost = written.equals(TOLD) && primary.query(count(id)).equals("0");
            assertThat(written).as("to the writer, round %d", id).isIn(TOLD, "1");
            assertThat(read).as("to the reader, round %d", id).isIn(TOLD, seen ? "1" : "0");
            // what it tried while the primary crashed may be told of as well
            assertThat(next(id, writer)).isIn(TOLD, primary.query(count(id)));
        }
        assertThat(lost).as("a crash has taken something").isTrue();
    }

    /** The application that the token comes to was not there when it was written, and finds a primary that is up. */
    @Test
    void isToldOfWhatACrashTookAlsoWhereItsTokenCameUnresolved() {
        RoutingConnectionFactory other = Factories.ready(Factories.over(cluster).strictLostWrites(true));
        try {
            boolean lost = false;
            for (int id = 1; id <= MOST_ROUNDS && !lost; id++) {
                CausalSession writer = CausalSession.create();
                int backend = Integer.parseInt(primary.query("SELECT pg_backend_pid()"));
                commitWithoutWaiting(id, writer);
                CausalToken token = Blocking.value(writer.token(Duration.ZERO));
                primary.killBackend(backend);
                CausalSession resumed = CausalSession.resume(CausalToken.parse(token.encode()));
                String row = count(id);
                await().atMost(Duration.ofMinutes(1))
                        .ignoreExceptions()
                        .until(() -> List.of("0", "1").contains(primary.query(row)));

                String written = next(other, id, resumed);

                lost = written.equals(TOLD) && primary.query(row).equals("0");
                assertThat(written).as("round %d, by %s", id, token).isIn(TOLD, "1");
                // what it tried while the primary crashed may be told of as well
                assertThat(next(other, id, resumed)).isIn(TOLD, primary.query(row));
            }
            assertThat(lost).as("a crash has taken something").isTrue();
        } finally {
            Blocking.run(other.close());
        }
    }

    @Test
    void isToldOfNothingWhereACrashTookNothing() {
        for (int id = 1; id <= 3; id++) {
            CausalSession writer = CausalSession.create();
            Blocking.run(
                    Queries.update(factory, "INSERT INTO note VALUES ($1)", id).contextWrite(Routing.session(writer)));
            Blocking.value(writer.token());
            assertThat(next(id, writer)).isEqualTo("1");
            Blocking.value(writer.token());
            primary.killBackend();
            // what is under way while it crashes, or before the monitor has noticed, may be lost for all that is known
            String row = count(id);
            await().atMost(Duration.ofMinutes(1))
                    .ignoreExceptions()
                    .until(() -> primary.query(row).equals("1"));
            Blocking.value(factory.capture());

            assertThat(next(id, writer)).isEqualTo("1");
        }
    }

    @Test
    void isToldOfWhatAPromotionTookBeforeAnythingElse() {
        CausalSession writer = CausalSession.create();
        CausalSession reader = CausalSession.create();
        cluster.awaitReplayed();
        primary.isolate(Side.UPSTREAM);
        Blocking.run(Queries.update(factory, "INSERT INTO note VALUES (1)").contextWrite(Routing.session(writer)));
        assertThat(latest(1, reader)).isEqualTo("1");
        primary.kill();
        cluster.server(1).promote();

        assertThat(next(1, writer)).isEqualTo(TOLD);
        assertThat(next(1, reader)).isEqualTo(TOLD);
        assertThat(next(1, writer)).isEqualTo("0");
        assertThat(next(1, reader)).isEqualTo("0");
        assertThat(next(1, CausalSession.create())).isEqualTo("0");
    }

    /** Nobody looks again, within a transaction, whether its replica still is on the line of history that is followed. */
    @Test
    void isToldOfWhatATransactionOnAReplicaSawAfterAPromotion() {
        Blocking.run(factory.close());
        // so that what the replica has received since is not noticed before it is read
        Duration seldom = Duration.ofSeconds(5);
        factory = Factories.ready(Factories.over(cluster).strictLostWrites(true).sampling(seldom, seldom));
        CausalSession reader = CausalSession.create();
        AtomicReference<PostgresServer> replica = new AtomicReference<>();

        String seen = Blocking.value(Mono.usingWhen(
                        factory.create(),
                        connection -> Mono.from(connection.beginTransaction(new ReadOnly(true)))
                                .thenMany(Queries.rows(connection, "SELECT current_setting('cluster_name')"))
                                .last()
                                .flatMap(name -> Mono.fromRunnable(() -> replica.set(promoteTheOther(name)))
                                        .subscribeOn(Schedulers.boundedElastic()))
                                .thenMany(Flux.defer(() -> Queries.rows(connection, count(1))))
                                .last()
                                .flatMap(rows -> Mono.from(connection.commitTransaction())
                                        .thenReturn(rows)),
                        connection -> connection.close())
                .contextWrite(Routing.read())
                .contextWrite(Routing.session(reader)));
        assertThat(seen).as("a row of the primary that was left").isEqualTo("1");
        // nobody is left who could say where it was
        replica.get().kill();
        primary.kill();

        assertThat(next(1, reader)).isEqualTo(TOLD);
        assertThat(next(1, reader)).isEqualTo("0");
    }

    /** Returns the one that goes on receiving what the primary writes, which is lost from here on. */
    private PostgresServer promoteTheOther(String name) {
        PostgresServer left = cluster.replicas().stream()
                .filter(server ->
                        server.query("SELECT current_setting('cluster_name')").equals(name))
                .findFirst()
                .orElseThrow();
        PostgresServer promoted = cluster.replicas().stream()
                .filter(server -> server != left)
                .findFirst()
                .orElseThrow();
        promoted.promote();
        await().atMost(Duration.ofSeconds(30))
                .until(() -> factory.table()
                        .primary()
                        .map(ServerState::name)
                        .filter(("db" + promoted.number())::equals)
                        .isPresent());
        primary.execute("INSERT INTO note VALUES (1)");
        await().until(() -> left.query(count(1)).equals("1"));
        return left;
    }

    private void commitWithoutWaiting(int id, CausalSession session) {
        Blocking.run(Queries.inTransaction(
                        factory,
                        connection -> Flux.concat(
                                        Queries.rows(connection, "SET LOCAL synchronous_commit = off"),
                                        Queries.rows(connection, "INSERT INTO note VALUES ($1) RETURNING id", id))
                                .then(Mono.just(true)))
                .contextWrite(Routing.session(session)));
    }

    private String latest(int id, CausalSession session) {
        return Blocking.value(Queries.rows(factory, count(id))
                .contextWrite(Routing.read().freshness(Freshness.latest()))
                .contextWrite(Routing.session(session))
                .map(rows -> rows.get(0)));
    }

    /** What a causal read brings once it brings something: errors that pass are the crash itself. */
    private String next(int id, CausalSession session) {
        return next(factory, id, session);
    }

    private static String next(RoutingConnectionFactory router, int id, CausalSession session) {
        return Blocking.value(Queries.rows(router, count(id))
                .map(rows -> rows.get(0))
                .contextWrite(Routing.read())
                .contextWrite(Routing.session(session))
                .onErrorResume(PossiblyLostWriteException.class, lost -> Mono.just(TOLD))
                .retryWhen(Retry.fixedDelay(2_000, Duration.ofMillis(10)).filter(R2dbcException.class::isInstance)));
    }

    private static String count(int id) {
        return "SELECT count(*)::text FROM note WHERE id = " + id;
    }
}
