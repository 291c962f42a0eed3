package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.github.r2dbcrouting.test.Side;
import io.r2dbc.spi.R2dbcException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.util.retry.Retry;

/** The primary is killed, a replica is promoted, the other one follows it: nobody tells the router. */
@PostgresClusterTest(replicas = 2)
class FailoverIT {

    private static final Duration SOON = Duration.ofSeconds(2);
    private static final String STARTED = "SELECT pg_postmaster_start_time()::text";
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Duration SELDOM = Duration.ofSeconds(3);

    private final PostgresCluster cluster;
    private final PostgresServer old;
    private final PostgresServer promoted;
    private final PostgresServer other;
    private RoutingConnectionFactory factory;

    FailoverIT(PostgresCluster cluster) {
        this.cluster = cluster;
        this.old = cluster.server(0);
        this.promoted = cluster.server(1);
        this.other = cluster.server(2);
    }

    @BeforeEach
    void table() {
        old.execute("CREATE TABLE note (id int PRIMARY KEY)");
        cluster.awaitReplayed();
    }

    @AfterEach
    void close() {
        if (factory != null) {
            Blocking.run(factory.close());
        }
    }

    @Test
    void writesGoToThePromotedServerSoonAfterItAcceptsThem() {
        factory = Factories.ready(Factories.over(cluster));
        write(1, CausalSession.create());

        old.kill();
        CompletableFuture<Long> written = Mono.defer(() -> insert(2, CausalSession.create()))
                .retryWhen(Retry.fixedDelay(1_000, Duration.ofMillis(10)).filter(R2dbcException.class::isInstance))
                .then(Mono.fromSupplier(System::nanoTime))
                .toFuture();
        promoted.promote();
        long accepted = System.nanoTime();
        long late = written.orTimeout(LONG.toSeconds(), TimeUnit.SECONDS).join() - accepted;

        System.out.println("failover: a write succeeded " + late / 1_000_000 + " ms after the promotion had returned");
        assertThat(Duration.ofNanos(late)).isLessThan(SOON);
        assertThat(primary()).isEqualTo("db1");
        assertThat(promoted.query("SELECT string_agg(id::text, ',' ORDER BY id) FROM note"))
                .isEqualTo("1,2");
    }

    @Test
    void replicasServeTokensOfTheOldTimelineAgainUpToTheSwitch() {
        factory = Factories.ready(Factories.over(cluster));
        CausalSession session = CausalSession.create();
        write(1, session);
        Blocking.value(session.token());
        cluster.awaitReplayed();

        failover();

        awaitServed(session, "db2");
        assertThat(count(session)).isEqualTo("1");
    }

    @Test
    void replicasServeWhatIsWrittenAfterTheFailover() {
        factory = Factories.ready(Factories.over(cluster));
        CausalSession session = CausalSession.create();
        write(1, session);
        cluster.awaitReplayed();

        failover();
        await().atMost(LONG).until(() -> "db1".equals(primary()));
        write(2, session);
        cluster.awaitReplayed();

        awaitServed(session, "db2");
        assertThat(count(session)).isEqualTo("2");
    }

    @FailsWithout(Safeguard.TIMELINES)
    @Test
    void aReplicaBeyondTheSwitchServesNothing(Safeguards safeguards) {
        factory = Factories.ready(Factories.over(cluster, safeguards));
        promoted.isolate(Side.UPSTREAM);
        old.execute("INSERT INTO note VALUES (1)");
        await().atMost(LONG)
                .until(() -> other.query("SELECT count(*) FROM note").equals("1"));

        old.kill();
        promoted.promote();
        promoted.reconnect();
        await().atMost(LONG).until(() -> "db1".equals(primary()));

        for (int i = 0; i < 50; i++) {
            assertThat(rows("SELECT count(*) FROM note", Routing.read(), null))
                    .as("rows of which the only one is lost")
                    .containsExactly("0");
        }
        ServerState beyond = factory.table().servers().get(2);
        assertThat(beyond.status()).isEqualTo(ServerStatus.REFUSED);
        assertThat(beyond.problem()).contains("went further with an earlier primary");
    }

    /** Where it is was asked seldom; and it goes on receiving, whatever becomes of the promoted one. */
    @FailsWithout(Safeguard.TIMELINES)
    @Test
    void aReplicaThatGoesBeyondTheSwitchShowsNothingWhileThePromotedServerIsGone(Safeguards safeguards) {
        factory = Factories.ready(Factories.over(cluster, safeguards).sampling(SELDOM, SELDOM));
        other.pauseReplay();
        promoted.promote();
        await().atMost(LONG).until(() -> "db1".equals(primary()));

        promoted.kill();
        await().atMost(LONG).until(() -> "nobody".equals(primary()));
        goBeyondTheSwitch();

        assertThatThrownBy(() -> rows("SELECT id FROM note", Routing.read().whenBehind(WhenBehind.FAIL), null))
                .isInstanceOf(NoEligibleServerException.class);
    }

    /** It receives nothing at the moment, and the next moment from the earlier primary again. */
    @FailsWithout(Safeguard.TIMELINES)
    @Test
    void aReplicaThatTurnsToTheEarlierPrimaryAgainShowsNothing(Safeguards safeguards) {
        factory = Factories.ready(Factories.over(cluster, safeguards).sampling(SELDOM, SELDOM));
        other.execute("ALTER SYSTEM SET primary_conninfo = ''");
        other.reload();
        await().atMost(LONG)
                .until(() ->
                        other.query("SELECT count(*) FROM pg_stat_wal_receiver").equals("0"));
        promoted.promote();
        await().atMost(LONG).until(() -> "db1".equals(primary()));

        other.execute("ALTER SYSTEM RESET primary_conninfo");
        other.reload();
        goBeyondTheSwitch();

        for (int i = 0; i < 50; i++) {
            assertThat(rows("SELECT id FROM note", Routing.read(), null))
                    .as("rows of which the only one is lost")
                    .isEmpty();
        }
        assertThat(factory.table().replicas()).isEmpty();
    }

    @Test
    void aReplicaThatReceivesNothingServesOnceTheEarlierPrimaryIsGone() {
        factory = Factories.ready(Factories.over(cluster));
        promoted.promote();
        await().atMost(LONG).until(() -> "db1".equals(primary()));

        old.kill();

        await().atMost(LONG).until(() -> served(Routing.read(), null).equals("db2"));
    }

    @Test
    void tellsALostWriteOnceAndGoesOnFromTheNewPrimary() {
        factory = Factories.ready(Factories.over(cluster).strictLostWrites(true));
        List<RoutingEvent> told = new CopyOnWriteArrayList<>();
        Disposable events = factory.events()
                .filter(RoutingEvent.WritePossiblyLost.class::isInstance)
                .subscribe(told::add);
        CausalSession loser = CausalSession.create();
        CausalSession survivor = CausalSession.create();
        write(1, survivor);
        Blocking.value(survivor.token());
        cluster.awaitReplayed();
        old.isolate(Side.UPSTREAM);
        write(2, loser);
        Blocking.value(loser.token());

        failover();
        await().atMost(LONG).until(() -> "db1".equals(primary()));

        assertThatThrownBy(() -> count(loser)).isInstanceOf(PossiblyLostWriteException.class);
        assertThat(count(loser)).isEqualTo("1");
        assertThat(count(survivor)).isEqualTo("1");
        write(3, loser);
        cluster.awaitReplayed();
        awaitServed(loser, "db2");
        await().untilAsserted(() -> assertThat(told).containsExactly(new RoutingEvent.WritePossiblyLost(null)));
        assertThat(factory.captureStatistics().possiblyLost()).isEqualTo(1);
        events.dispose();
    }

    @Test
    void theOldPrimaryBackOnItsBranchTakesNoWriteAndServesNoReadUntilItRejoins() {
        factory = Factories.ready(Factories.over(cluster));
        failover();
        await().atMost(LONG).until(() -> "db1".equals(primary()));

        old.restart();
        await().atMost(LONG).until(() -> factory.table().servers().get(0).status() == ServerStatus.REFUSED);
        for (int i = 10; i < 30; i++) {
            write(i, CausalSession.create());
            assertThat(served(Routing.read(), null)).isNotEqualTo("db0");
        }
        assertThat(old.query("SELECT count(*) FROM note")).isEqualTo("0");

        old.rejoin();
        cluster.awaitReplayed();
        await().atMost(LONG).until(() -> served(Routing.read(), null).equals("db0"));
        CausalSession session = CausalSession.create();
        write(30, session);
        Blocking.value(session.token());
        cluster.awaitReplayed();
        await().atMost(LONG)
                .until(() ->
                        factory.table().servers().get(0).covers(session.state().required(clusterName())));
        assertThat(count(session)).isEqualTo("21");
    }

    @Test
    void withoutThePrivilegeAndWithoutMarksReplicasServeNothingCausalUntilARestartPoint() {
        old.execute("CREATE ROLE plain LOGIN PASSWORD 'plain'");
        old.execute("REVOKE EXECUTE ON FUNCTION pg_current_xact_id() FROM PUBLIC");
        old.execute("GRANT ALL ON note TO plain");
        cluster.awaitReplayed();
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder();
        cluster.servers()
                .forEach(server -> builder.server(
                        "db" + server.number(),
                        "r2dbc:postgresql://plain:plain@" + server.host() + ":" + server.port() + "/"
                                + server.database()));
        factory = Factories.ready(builder);
        CausalSession session = CausalSession.create();
        write(1, session);
        awaitServed(session, "db1", "db2");

        failover();
        await().atMost(LONG).until(() -> "db1".equals(primary()));
        write(2, session);
        cluster.awaitReplayed();
        Blocking.value(session.token());

        for (int i = 0; i < 20; i++) {
            assertThat(served(Routing.read(), session)).isEqualTo("db1");
        }
        await().atMost(LONG).until(() -> served(Routing.read(), null).equals("db2"));

        promoted.execute("CHECKPOINT");
        cluster.awaitReplayed();
        other.execute("CHECKPOINT");
        awaitServed(session, "db2");
        assertThat(count(session)).isEqualTo("2");
    }

    private void goBeyondTheSwitch() {
        old.execute("INSERT INTO note VALUES (1)");
        other.resumeReplay();
        await().atMost(LONG)
                .until(() -> other.query("SELECT count(*) FROM note").equals("1"));
    }

    private void failover() {
        old.kill();
        promoted.promote();
        other.follow(promoted);
    }

    private String clusterName() {
        return Objects.requireNonNull(factory.table().cluster());
    }

    private String primary() {
        return factory.table().primary().map(ServerState::name).orElse("nobody");
    }

    private void write(int id, CausalSession session) {
        Blocking.run(insert(id, session));
    }

    private Mono<Void> insert(int id, CausalSession session) {
        return Queries.update(factory, "INSERT INTO note VALUES ($1)", id).contextWrite(Routing.session(session));
    }

    private String count(CausalSession session) {
        return rows("SELECT count(*) FROM note", Routing.read(), session).get(0);
    }

    private void awaitServed(CausalSession session, String... servers) {
        await().atMost(LONG)
                .ignoreExceptionsMatching(R2dbcException.class::isInstance)
                .until(() -> List.of(servers).contains(served(Routing.read(), session)));
    }

    /** Which server it was, by when it was started. */
    private String served(Routing asked, CausalSession session) {
        String started = rows(STARTED, asked, session).get(0);
        return cluster.servers().stream()
                .filter(server -> server.isRunning() && server.query(STARTED).equals(started))
                .map(server -> "db" + server.number())
                .findFirst()
                .orElseThrow();
    }

    private List<String> rows(String sql, Routing asked, CausalSession session) {
        Mono<List<String>> rows = Queries.rows(factory, sql).contextWrite(asked);
        return Blocking.value(session == null ? rows : rows.contextWrite(Routing.session(session)));
    }
}
