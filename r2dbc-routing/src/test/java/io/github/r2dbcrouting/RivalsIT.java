package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/**
 * Two replicas are promoted apart, which gives both the same timeline, and a third one follows one of them. The router may
 * know one of the two only.
 */
@PostgresClusterTest(replicas = 3)
class RivalsIT {

    private static final Duration LONG = Duration.ofSeconds(20);

    private final PostgresCluster cluster;
    private final PostgresServer old;
    private final PostgresServer promoted;
    private final PostgresServer third;
    private final PostgresServer rival;
    private RoutingConnectionFactory factory;

    RivalsIT(PostgresCluster cluster) {
        this.cluster = cluster;
        this.old = cluster.server(0);
        this.promoted = cluster.server(1);
        this.third = cluster.server(2);
        this.rival = cluster.server(3);
    }

    @BeforeEach
    void table() {
        old.execute("CREATE TABLE note (id int)");
        old.execute("CREATE ROLE plain LOGIN PASSWORD 'plain'");
        old.execute("GRANT ALL ON note TO plain");
        cluster.awaitReplayed();
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    @FailsWithout(Safeguard.BRANCH_MARKS)
    @Test
    void aReplicaOfARivalThatNobodyConfiguredServesNothing(Safeguards safeguards) {
        factory = Factories.ready(over(false, old, promoted, third).safeguards(safeguards));
        promoteBoth();
        await().atMost(LONG).until(() -> "db1".equals(primary()));
        third.follow(rival);
        rival.execute("INSERT INTO note SELECT generate_series(1, 1000)");
        await().atMost(LONG)
                .until(() -> third.query("SELECT count(*) FROM note").equals("1000"));
        CausalSession session = CausalSession.create();
        write(session);
        Blocking.value(session.token());

        assertReadsOneRow(session);
        await().atMost(LONG).until(() -> state("db2").status() == ServerStatus.REFUSED);
        assertThat(state("db2").problem()).contains("went another way than the primary");

        // a router that is started now and has no privileges
        Blocking.run(factory.close());
        factory = Factories.ready(over(true, old, promoted, third).safeguards(safeguards));
        assertReadsOneRow(CausalSession.create());
        await().atMost(LONG).until(() -> state("db2").status() == ServerStatus.REFUSED);
        assertThat(primary()).isEqualTo("db1");
    }

    /** Neither says on which timeline it is, and the one that restores from files follows nobody. */
    @Test
    void whoHasThePrimarysHistoryFromFilesOrFromAnotherReplicaServesWithoutPrivileges() {
        factory = Factories.ready(over(true, old, promoted, third, rival));
        old.kill();
        promoted.promote();
        third.execute("ALTER SYSTEM SET wal_retrieve_retry_interval = '100ms'");
        third.execute("ALTER SYSTEM SET primary_conninfo = ''");
        third.execute("ALTER SYSTEM SET restore_command = 'cp \"" + promoted.query("SHOW data_directory")
                + "/pg_wal/%f\" \"%p\"'");
        third.reload();
        rival.follow(third);
        await().atMost(LONG).until(() -> "db1".equals(primary()));
        CausalSession session = CausalSession.create();
        write(session);
        Blocking.value(session.token());
        promoted.execute("SELECT pg_switch_wal()");

        for (String replica : List.of("db2", "db3")) {
            await().atMost(LONG)
                    .until(() -> state(replica).covers(session.state().required(cluster())));
        }
        assertThat(third.query("SELECT count(*) FROM pg_stat_wal_receiver")).isEqualTo("0");
        assertReadsOneRow(session);
        assertThat(factory.captureStatistics().possiblyLost()).isZero();
    }

    @Test
    void aReplicaOfTheOneThatIsFollowedServesWhileItsRivalIsThereToo() {
        factory = Factories.ready(over(false, old, promoted, third, rival));
        old.kill();
        promoted.promote();
        await().atMost(LONG).until(() -> "db1".equals(primary()));
        third.follow(promoted);
        rival.promote();
        await().atMost(LONG).until(() -> state("db3").status() == ServerStatus.REFUSED);
        CausalSession session = CausalSession.create();
        write(session);
        Blocking.value(session.token());

        await().atMost(LONG).until(() -> state("db2").covers(session.state().required(cluster())));
        assertReadsOneRow(session);
    }

    private void assertReadsOneRow(CausalSession session) {
        for (int i = 0; i < 30; i++) {
            assertThat(count(Routing.read(), null))
                    .as("rows, of which a rival has a thousand more")
                    .isEqualTo("1");
            assertThat(count(Routing.read(), session)).isEqualTo("1");
        }
    }

    private void promoteBoth() {
        old.kill();
        promoted.promote();
        rival.promote();
        assertThat(promoted.timeline()).isEqualTo(rival.timeline());
    }

    private static RoutingConnectionFactory.Builder over(boolean plain, PostgresServer... servers) {
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder();
        for (PostgresServer server : servers) {
            String url =
                    "r2dbc:postgresql://plain:plain@" + server.host() + ":" + server.port() + "/" + server.database();
            builder.server("db" + server.number(), plain ? url : server.r2dbcUrl());
        }
        return builder;
    }

    private String cluster() {
        return factory.table().cluster();
    }

    private String primary() {
        return factory.table().primary().map(ServerState::name).orElse("nobody");
    }

    private ServerState state(String name) {
        return factory.table().servers().stream()
                .filter(server -> server.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private void write(CausalSession session) {
        Blocking.run(Queries.update(factory, "INSERT INTO note VALUES (1)").contextWrite(Routing.session(session)));
    }

    private String count(Routing asked, CausalSession session) {
        Mono<List<String>> rows =
                Queries.rows(factory, "SELECT count(*) FROM note").contextWrite(asked);
        return Blocking.value(session == null ? rows : rows.contextWrite(Routing.session(session)))
                .get(0);
    }
}
