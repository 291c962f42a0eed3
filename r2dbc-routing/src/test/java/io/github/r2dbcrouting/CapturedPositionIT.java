package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import reactor.core.publisher.Mono;

/**
 * A captured position is behind its write, and a replica reaches it soon, whatever else is, or is not, written.
 *
 * <p>The writer's session reads its row from the replica as soon as the replica covers its token. The wait until then
 * is bounded, and what it reads then is its row.
 */
@Alone
@PostgresClusterTest(replicas = 1)
class CapturedPositionIT {

    private static final int WRITES = 20;
    private static final int PAGE = 8192;

    private final PostgresCluster cluster;
    private final List<Connection> others = new ArrayList<>();
    private RoutingConnectionFactory factory;

    CapturedPositionIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    /** How the writes commit. */
    enum Commits {
        SYNCHRONOUS("on"),
        ASYNCHRONOUS("off");

        private final String setting;

        Commits(String setting) {
            this.setting = setting;
        }
    }

    @BeforeEach
    void table() {
        cluster.primary().execute("CREATE TABLE note (id int PRIMARY KEY)");
        cluster.primary().execute("CREATE TABLE other (filler text)");
        cluster.awaitReplayed();
    }

    @AfterEach
    void close() {
        others.forEach(connection -> Blocking.run(connection.close()));
        Blocking.run(factory.close());
    }

    @ParameterizedTest
    @EnumSource
    void reachedWithNothingElseGoingOn(Commits commits) {
        start(commits, Safeguards.all());

        Waits.assertShort(commits + " commits alone", waits(() -> {}));
    }

    @ParameterizedTest
    @EnumSource
    void reachedBesideAnOpenWriterThatGoesOnWriting(Commits commits) {
        start(commits, Safeguards.all());
        Connection writer = openWriter();

        Waits.assertShort(commits + " commits beside an open writer", waits(() -> writeOn(writer, 300)));
    }

    @ParameterizedTest
    @EnumSource
    void reachedWhereTheLogEndsAtAPageEnd(Commits commits) {
        start(commits, Safeguards.all());
        List<Duration> waits = new ArrayList<>();
        int atPageEnd = 0;

        for (int i = 0; i < WRITES; i++) {
            long size = sizeOfOneWrite();
            CausalSession session = CausalSession.create();
            fillPageUpTo(size);
            int id = writeAndCapture(session);
            WalPosition position =
                    (WalPosition) Blocking.value(session.token()).positions().get(0);
            waits.add(waitFor(id, session));
            atPageEnd += position.lsn() % PAGE == 0 ? 1 : 0;
        }

        Waits.assertShort(commits + " commits at page ends", waits);
        assertThat(atPageEnd).as("positions that were exactly at a page end").isPositive();
    }

    @FailsWithout(Safeguard.NUDGE)
    @Test
    void behindACommitThatDidNotWaitForTheDisk(Safeguards safeguards) {
        start(Commits.ASYNCHRONOUS, safeguards);

        Waits.assertShort("asynchronous commits", waits(() -> {}));
    }

    @Test
    void behindACommitWhoseDurabilityWasChangedInTheServersConfiguration() {
        start(Commits.SYNCHRONOUS, Safeguards.all());
        assertThat(waits(() -> {})).isNotEmpty();

        cluster.primary().execute("ALTER SYSTEM SET synchronous_commit = off");
        cluster.primary().reload();
        try {
            Waits.assertShort("commits made asynchronous by the configuration", waits(() -> {}));
        } finally {
            cluster.primary().execute("ALTER SYSTEM RESET synchronous_commit");
            cluster.primary().reload();
        }
    }

    @Test
    void behindACommitWhoseDurabilityWasChangedByAStatement() {
        start(Commits.SYNCHRONOUS, Safeguards.all());

        List<Duration> waits = new ArrayList<>();
        for (int i = 0; i < WRITES; i++) {
            int id = nextId++;
            CausalSession session = CausalSession.create();
            String insert = "INSERT INTO note VALUES (" + id + ")";
            Blocking.run(Queries.inTransaction(
                            factory,
                            connection -> Queries.rows(connection, "SET LOCAL synchronous_commit = off")
                                    .then(Queries.rows(connection, insert + " RETURNING id")
                                            .then(Mono.just(true))))
                    .contextWrite(Routing.session(session)));
            waits.add(waitFor(id, session));
        }
        Waits.assertShort("commits made asynchronous by a statement", waits);
    }

    private void start(Commits commits, Safeguards safeguards) {
        // one connection to the primary whose commits are as asked, by the role's own setting
        cluster.primary().execute("ALTER ROLE CURRENT_USER SET synchronous_commit = " + commits.setting);
        RoutingConnectionFactory.Builder builder = Factories.over(cluster, safeguards);
        factory = Factories.ready(builder);
        // the first of everything loads classes and opens connections
        for (int i = 0; i < 3; i++) {
            write(() -> {});
        }
    }

    @AfterEach
    void resetRole() {
        cluster.primary().execute("ALTER ROLE CURRENT_USER RESET synchronous_commit");
    }

    private int nextId;

    /** Writes rows one after the other, each after the disturbance, and waits for the replica to have each. */
    private List<Duration> waits(Runnable disturbance) {
        List<Duration> waits = new ArrayList<>();
        for (int i = 0; i < WRITES; i++) {
            waits.add(write(disturbance));
        }
        return waits;
    }

    private Duration write(Runnable disturbance) {
        return write(disturbance, CausalSession.create());
    }

    private Duration write(Runnable disturbance, CausalSession session) {
        int id = nextId++;
        disturbance.run();
        Blocking.run(
                Queries.update(factory, "INSERT INTO note VALUES (" + id + ")").contextWrite(Routing.session(session)));
        return waitFor(id, session);
    }

    private Duration waitFor(int id, CausalSession session) {
        long start = System.nanoTime();
        while (true) {
            List<String> read = Blocking.value(
                    Queries.rows(factory, "SELECT pg_is_in_recovery() || ' ' || count(*) FROM note WHERE id = " + id)
                            .contextWrite(Routing.read())
                            .contextWrite(Routing.session(session)));
            Duration waited = Duration.ofNanos(System.nanoTime() - start);
            assertThat(read).as("what the session reads of its row").isSubsetOf("false 1", "true 1");
            if (read.contains("true 1") || waited.compareTo(Waits.GIVE_UP) > 0) {
                return waited;
            }
        }
    }

    private Connection openWriter() {
        Connection writer = Blocking.value(
                Mono.from(ConnectionFactories.get(cluster.primary().r2dbcUrl()).create()));
        others.add(writer);
        Blocking.run(writer.beginTransaction());
        return writer;
    }

    private static void writeOn(Connection writer, int bytes) {
        Blocking.run(Queries.rows(
                writer,
                "INSERT INTO other SELECT string_agg(md5(random()::text), '') FROM generate_series(1, "
                        + Math.max(bytes / 32, 1) + ")"));
    }

    /** Without reads, whose capture may take some log, too. */
    private int writeAndCapture(CausalSession session) {
        int id = nextId++;
        Blocking.run(
                Queries.update(factory, "INSERT INTO note VALUES (" + id + ")").contextWrite(Routing.session(session)));
        assertThat(Blocking.value(session.token())).isNotNull();
        return id;
    }

    /** How much log one write of these tests takes, with its capture; the pages' headers are not counted. */
    private long sizeOfOneWrite() {
        while (true) {
            long before = insertPosition();
            assertThat(writeAndCapture(CausalSession.create())).isPositive();
            long after = insertPosition();
            if (before / PAGE == after / PAGE) {
                return after - before;
            }
        }
    }

    private long insertPosition() {
        return Long.parseLong(cluster.primary().query("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint::text"));
    }

    /** Leaves exactly so much room in the page; the message's own size depends on how its length is written. */
    private void fillPageUpTo(long room) {
        cluster.primary().execute("""
                DO $$ DECLARE fill int; BEGIN
                  fill := 8192 - (pg_current_wal_insert_lsn() - '0/0')::bigint % 8192 - %d;
                  IF fill < 64 THEN
                    PERFORM pg_logical_emit_message(false, '', repeat('x', 600));
                    fill := 8192 - (pg_current_wal_insert_lsn() - '0/0')::bigint % 8192 - %d;
                  END IF;
                  PERFORM pg_logical_emit_message(false, '', repeat('x', fill - CASE WHEN fill < 285 THEN 51 ELSE 54 END));
                END $$""".replace("%d", String.valueOf(room)));
    }
}
