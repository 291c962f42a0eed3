package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Mono;

/**
 * A captured position can end inside a record that another session has not finished: no replica passes it before the
 * rest of that record is flushed.
 *
 * <p>The log is flushed by whole pages here, every few milliseconds. The capture's way to the primary is made so long
 * that another session writes 150 kB between the commit and the capture, and is then left alone with its transaction
 * open.
 */
@Alone
@PostgresClusterTest(
        replicas = 1,
        settings = {"wal_writer_delay=1ms", "wal_writer_flush_after=0"})
class UnfinishedRecordIT {

    private static final int WRITES = 20;
    private static final Duration ONE_WAY = Duration.ofMillis(6);

    private final PostgresCluster cluster;
    private RoutingConnectionFactory factory;
    private Connection other;
    private int nextId;

    UnfinishedRecordIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void table() {
        cluster.primary().execute("CREATE TABLE note (id int PRIMARY KEY)");
        cluster.awaitReplayed();
        // past the proxy, and so before the capture
        other = Blocking.value(Mono.from(ConnectionFactories.get(directUrl()).create()));
    }

    private String directUrl() {
        PostgresServer primary = cluster.primary();
        return "r2dbc:postgresql://" + primary.user() + ":" + primary.password() + "@127.0.0.1:"
                + primary.query("SELECT current_setting('port')") + "/" + primary.database();
    }

    @AfterEach
    void close() {
        Blocking.run(other.close());
        Blocking.run(factory.close());
        cluster.primary().execute("ALTER ROLE CURRENT_USER RESET synchronous_commit");
    }

    @FailsWithout(Safeguard.NUDGE)
    @ParameterizedTest
    @ValueSource(strings = {"on", "off"})
    void isPassedSoonByTheReplica(String synchronousCommit, Safeguards safeguards) {
        cluster.primary().execute("ALTER ROLE CURRENT_USER SET synchronous_commit = " + synchronousCommit);
        factory = Factories.ready(Factories.over(cluster, safeguards));
        for (int i = 0; i < 3; i++) {
            writeAndWait();
        }
        cluster.primary().latency(ONE_WAY);

        List<Duration> waits = new ArrayList<>();
        for (int i = 0; i < WRITES; i++) {
            waits.add(writeAndWait());
        }

        Waits.assertShort("synchronous_commit " + synchronousCommit + ", unfinished record", waits);
    }

    /** Returns how long after its commit the session's row could be read from the replica. */
    private Duration writeAndWait() {
        int id = nextId++;
        CausalSession session = CausalSession.create();
        Blocking.run(other.beginTransaction());
        Blocking.run(
                Queries.update(factory, "INSERT INTO note VALUES (" + id + ")").contextWrite(Routing.session(session)));
        long committed = System.nanoTime();
        // it arrives, and all whole pages of it are flushed, while the capture is still on its way
        Blocking.run(Queries.rows(other, "SELECT pg_logical_emit_message(true, '', repeat('x', 150000))::text"));
        Duration waited = waitUntilReadFromReplica(id, session, committed);
        Blocking.run(other.rollbackTransaction());
        return waited;
    }

    private Duration waitUntilReadFromReplica(int id, CausalSession session, long since) {
        while (true) {
            List<String> read = Blocking.value(
                    Queries.rows(factory, "SELECT pg_is_in_recovery() || ' ' || count(*) FROM note WHERE id = " + id)
                            .contextWrite(Routing.read())
                            .contextWrite(Routing.session(session)));
            Duration waited = Duration.ofNanos(System.nanoTime() - since);
            assertThat(read).as("what the session reads of its row").isSubsetOf("false 1", "true 1");
            if (read.contains("true 1") || waited.compareTo(Waits.GIVE_UP) > 0) {
                return waited;
            }
        }
    }
}
