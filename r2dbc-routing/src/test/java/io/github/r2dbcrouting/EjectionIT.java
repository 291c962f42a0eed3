package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.spi.LoadBalancer;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.R2dbcException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/**
 * Others have taken all connections that a replica has for ordinary users. The monitor has its own and finds nothing wrong
 * with it: only requests fail.
 */
@PostgresClusterTest(replicas = 2, settings = "superuser_reserved_connections=85")
class EjectionIT {

    private static final Duration LONG = Duration.ofSeconds(20);

    private final PostgresCluster cluster;
    private final PostgresServer first;
    private final PostgresServer second;
    private final Queue<String> asked = new ConcurrentLinkedQueue<>();
    private final List<Connection> others = new ArrayList<>();
    private RoutingConnectionFactory factory;

    EjectionIT(PostgresCluster cluster) {
        this.cluster = cluster;
        this.first = cluster.replica(0);
        this.second = cluster.replica(1);
    }

    @BeforeEach
    void open() {
        cluster.primary().execute("CREATE ROLE plain LOGIN PASSWORD 'plain'");
        cluster.primary().execute("CREATE TABLE note (id int)");
        cluster.primary().execute("GRANT ALL ON note TO plain");
        cluster.awaitReplayed();
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder();
        cluster.servers().forEach(server -> builder.server("db" + server.number(), url(server)));
        factory = Factories.ready(builder.loadBalancer(LoadBalancer.roundRobin())
                .listener(decision -> asked.add(String.valueOf(decision.server()))));
    }

    @AfterEach
    void close() {
        leaveAgain();
        Blocking.run(factory.close());
    }

    @Test
    void leavesAReplicaAloneThatFailsRequestsAndComesBackToIt() {
        takeAllConnectionsOf(first);

        await().atMost(LONG).until(() -> {
            read();
            return ejected("db1");
        });
        assertThat(asked.stream().filter("db1"::equals))
                .as("requests that it failed")
                .hasSizeGreaterThanOrEqualTo(3);
        for (int i = 0; i < 50; i++) {
            asked.clear();
            boolean before = ejected("db1");
            read();
            if (before && ejected("db1")) {
                assertThat(asked).as("where reads go meanwhile").containsExactly("db2");
            }
        }
        assertThat(state("db1").status()).as("for the monitor").isEqualTo(ServerStatus.UP);

        leaveAgain();
        await().atMost(LONG).until(() -> read().equals("db1"));
        assertThat(ejected("db1")).isFalse();
    }

    @Test
    void neverLeavesMoreThanHalfOfTheReplicasAloneAndReadsFromThePrimaryRatherThanFail() {
        takeAllConnectionsOf(first);
        takeAllConnectionsOf(second);

        for (int i = 0; i < 50; i++) {
            assertThat(read()).isEqualTo("db0");
            assertThat(ejected("db1") && ejected("db2"))
                    .as("whether both are left alone")
                    .isFalse();
        }
        assertThat(ejected("db1") || ejected("db2")).isTrue();

        leaveAgain();
        await().atMost(LONG).until(() -> !read().equals("db0"));
    }

    @Test
    void turnsToTheOneThatIsLeftAloneWhereNobodyElseHasWhatIsAsked() {
        takeAllConnectionsOf(first);
        // each time it comes back it fails again, and is left alone for twice as long: the third time for four seconds
        for (int times = 1; times <= 3; times++) {
            await().atMost(LONG).until(() -> !ejected("db1"));
            await().atMost(LONG).until(() -> {
                read();
                return ejected("db1");
            });
        }
        leaveAgain();
        second.pauseReplay();
        CausalSession session = CausalSession.create();
        Blocking.run(Queries.update(factory, "INSERT INTO note VALUES (1)").contextWrite(Routing.session(session)));
        Blocking.value(session.token());
        await().until(() ->
                state("db1").covers(session.state().required(factory.table().cluster())));

        String served = read(session);

        assertThat(served).isEqualTo("db1");
        assertThat(ejected("db1")).as("whether it still is left alone").isTrue();
    }

    @Test
    void leavesNobodyAloneWhoseStatementsFail() {
        for (int i = 0; i < 20; i++) {
            assertThat(Blocking.value(Queries.rows(factory, "SELECT 1 / 0")
                            .contextWrite(Routing.read())
                            .map(rows -> "none")
                            .onErrorReturn(R2dbcException.class, "failed")))
                    .isEqualTo("failed");
        }

        assertThat(ejected("db1")).isFalse();
        assertThat(ejected("db2")).isFalse();
        assertThat(asked).containsOnly("db1", "db2");
    }

    private void takeAllConnectionsOf(PostgresServer server) {
        ConnectionFactory driver = ConnectionFactories.get(url(server));
        boolean more = true;
        while (more) {
            try {
                others.add(Blocking.value(Mono.from(driver.create())));
            } catch (R2dbcException refused) {
                assertThat(refused.getSqlState()).as(refused.getMessage()).isEqualTo("53300");
                more = false;
            }
        }
    }

    private void leaveAgain() {
        others.forEach(connection -> Blocking.run(connection.close()));
        others.clear();
    }

    private static String url(PostgresServer server) {
        return "r2dbc:postgresql://plain:plain@" + server.host() + ":" + server.port() + "/" + server.database();
    }

    private boolean ejected(String name) {
        return factory.statistics(state(name)).ejected();
    }

    private ServerState state(String name) {
        return factory.table().servers().stream()
                .filter(server -> server.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private String read() {
        return read(CausalSession.create());
    }

    /** Which server it was, by when it was started. */
    private String read(CausalSession session) {
        String started = Blocking.value(Queries.rows(factory, "SELECT pg_postmaster_start_time()::text")
                        .contextWrite(Routing.read())
                        .contextWrite(Routing.session(session)))
                .get(0);
        return cluster.servers().stream()
                .filter(server ->
                        server.query("SELECT pg_postmaster_start_time()::text").equals(started))
                .map(server -> "db" + server.number())
                .findFirst()
                .orElseThrow();
    }
}
