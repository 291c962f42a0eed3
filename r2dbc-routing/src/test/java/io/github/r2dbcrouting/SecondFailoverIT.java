package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.R2dbcTransientResourceException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/** One failover, and then another, with tokens of all three timelines; and then nobody is left, and comes back. */
@PostgresClusterTest(replicas = 2)
class SecondFailoverIT {

    private static final Duration LONG = Duration.ofSeconds(30);
    private static final String STARTED = "SELECT pg_postmaster_start_time()::text";

    private final PostgresCluster cluster;
    private final List<Router> routers = new ArrayList<>();

    SecondFailoverIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @AfterEach
    void close() {
        routers.forEach(router -> Blocking.run(router.factory.close()));
    }

    @Test
    void tokensOfEveryTimelineAreServedByReplicasAlsoAfterAllServersWereGone() {
        PostgresServer first = cluster.server(0);
        PostgresServer second = cluster.server(1);
        PostgresServer third = cluster.server(2);
        first.execute("CREATE ROLE plain LOGIN PASSWORD 'plain'");
        first.execute("CREATE TABLE note (id int PRIMARY KEY)");
        first.execute("GRANT ALL ON note TO plain");
        cluster.awaitReplayed();
        routers.add(new Router("with privileges", Factories.ready(Factories.over(cluster))));
        routers.add(new Router("without privileges", Factories.ready(withoutPrivileges())));
        routers.forEach(router -> router.write(1));
        routers.forEach(router -> router.awaitServed("db1", "db2"));

        first.kill();
        second.promote();
        third.follow(second);
        routers.forEach(router -> router.awaitPrimary("db1"));
        routers.forEach(router -> router.write(2));
        first.rejoin();
        routers.forEach(router -> router.awaitServed("db0", "db2"));

        second.kill();
        third.promote();
        first.follow(third);
        routers.forEach(router -> router.awaitPrimary("db2"));
        routers.forEach(router -> router.write(3));
        routers.forEach(router -> router.awaitServed("db0"));

        first.kill();
        third.kill();
        routers.forEach(Router::awaitNobody);

        third.restart();
        first.restart();
        routers.forEach(router -> router.awaitPrimary("db2"));
        routers.forEach(router -> router.write(4));
        routers.forEach(router -> router.awaitServed("db0"));
        routers.forEach(Router::assertNothingIsLost);
    }

    private RoutingConnectionFactory.Builder withoutPrivileges() {
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder();
        for (PostgresServer server : cluster.servers()) {
            builder.server(
                    "db" + server.number(),
                    "r2dbc:postgresql://plain:plain@" + server.host() + ":" + server.port() + "/" + server.database());
        }
        return builder;
    }

    /** One of two that know nothing of each other, and the tokens that it gave out. */
    private final class Router {

        private final String name;
        private final RoutingConnectionFactory factory;
        private final List<CausalToken> tokens = new ArrayList<>();

        Router(String name, RoutingConnectionFactory factory) {
            this.name = name;
            this.factory = factory;
        }

        void awaitPrimary(String server) {
            await(name)
                    .atMost(LONG)
                    .until(() -> factory.table()
                            .primary()
                            .map(ServerState::name)
                            .filter(server::equals)
                            .isPresent());
        }

        void write(int id) {
            CausalSession session = CausalSession.create();
            Blocking.run(Queries.update(factory, "INSERT INTO note VALUES ($1)", 10 * id + routers.indexOf(this))
                    .contextWrite(Routing.session(session)));
            tokens.add(Blocking.value(session.token()));
        }

        /** With each token that it ever gave out, and with what was written by then. */
        void awaitServed(String... servers) {
            for (CausalToken token : tokens) {
                await(name)
                        .atMost(LONG)
                        .ignoreExceptionsMatching(R2dbcException.class::isInstance)
                        .until(() -> List.of(servers).contains(served(token)));
            }
            for (int i = 0; i < tokens.size(); i++) {
                assertThat(Integer.parseInt(read(
                                tokens.get(i), "SELECT count(*) FROM note WHERE id % 10 = " + routers.indexOf(this))))
                        .as("of those that were written before token " + i + ", " + name)
                        .isGreaterThan(i);
            }
        }

        void awaitNobody() {
            await(name)
                    .atMost(LONG)
                    .until(() -> factory.table().servers().stream()
                            .allMatch(server -> server.status() == ServerStatus.DOWN));
            assertThatThrownBy(() -> write(9))
                    .isInstanceOf(NoEligibleServerException.class)
                    .isInstanceOf(R2dbcTransientResourceException.class);
            assertThatThrownBy(() -> read(tokens.get(0), "SELECT 1")).isInstanceOf(NoEligibleServerException.class);
        }

        void assertNothingIsLost() {
            assertThat(factory.captureStatistics().possiblyLost()).as(name).isZero();
        }

        /** Which server it was, by when it was started. */
        private String served(CausalToken token) {
            String started = read(token, STARTED);
            return cluster.servers().stream()
                    .filter(server ->
                            server.isRunning() && server.query(STARTED).equals(started))
                    .map(server -> "db" + server.number())
                    .findFirst()
                    .orElseThrow();
        }

        private String read(CausalToken token, String sql) {
            Mono<List<String>> rows = Queries.rows(factory, sql)
                    .contextWrite(Routing.read())
                    .contextWrite(Routing.session(CausalSession.resume(token)));
            return Blocking.value(rows).get(0);
        }
    }
}
