package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.spi.R2dbcException;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import reactor.core.publisher.Mono;

/** What each of the documented roles may do is enough, and nothing of it is a superuser's. */
@PostgresClusterTest(replicas = 2)
class RolesIT {

    private static final Duration LONG = Duration.ofSeconds(20);
    private static final String PASSWORD = "not-for-logs-either";

    /** The logins of docs/failover.md. */
    enum Login {
        /** May connect, and use the application's table. */
        PLAIN(""),
        /** May see statistics besides. */
        MONITORING("GRANT pg_monitor TO monitoring;"),
        /** May read how the timelines branched, besides. */
        READING_HISTORY("GRANT pg_monitor, pg_read_server_files TO reading_history;"
                + " GRANT EXECUTE ON FUNCTION pg_read_file(text) TO reading_history;");

        private final String grants;

        Login(String grants) {
            this.grants = grants;
        }

        String role() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }

        String script(String database) {
            return "CREATE ROLE " + role() + " LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD '"
                    + PASSWORD + "'; GRANT CONNECT ON DATABASE " + database + " TO " + role()
                    + "; GRANT SELECT, INSERT ON note TO " + role() + ";" + grants;
        }
    }

    private final PostgresCluster cluster;
    private RoutingConnectionFactory factory;

    RolesIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void roles() {
        PostgresServer primary = cluster.primary();
        primary.execute("CREATE TABLE note (id int PRIMARY KEY)");
        primary.execute("REVOKE ALL ON DATABASE " + cluster.database() + " FROM PUBLIC");
        for (Login login : Login.values()) {
            primary.execute(login.script(cluster.database()));
        }
        cluster.awaitReplayed();
    }

    @AfterEach
    void close() {
        if (factory != null) {
            Blocking.run(factory.close());
        }
        cluster.currentPrimary().execute("GRANT CONNECT, TEMPORARY ON DATABASE " + cluster.database() + " TO PUBLIC");
    }

    private RoutingConnectionFactory.Builder as(Login login, String options) {
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder();
        for (PostgresServer server : cluster.servers()) {
            builder = builder.server(
                    "db" + server.number(),
                    "r2dbc:postgresql://" + login.role() + ":" + PASSWORD + "@" + server.host() + ":" + server.port()
                            + "/" + server.database() + options);
        }
        return builder;
    }

    private Mono<Void> insert(int id, CausalSession session) {
        return Queries.update(factory, "INSERT INTO note VALUES ($1)", id).contextWrite(Routing.session(session));
    }

    /** Where it was read, and how much was there. */
    private String count(CausalSession session) {
        return Blocking.value(Queries.rows(factory, "SELECT pg_is_in_recovery()::text || ' ' || count(*) FROM note")
                        .contextWrite(Routing.read())
                        .contextWrite(Routing.session(session)))
                .get(0);
    }

    private void awaitCount(CausalSession session, String expected) {
        await().atMost(LONG)
                .ignoreExceptionsMatching(R2dbcException.class::isInstance)
                .until(() -> count(session).equals(expected));
    }

    @ParameterizedTest
    @EnumSource
    void readsItsWritesFromReplicas(Login login) {
        factory = Factories.ready(as(login, ""));
        assertThat(Blocking.value(
                        Queries.rows(factory, "SELECT rolsuper::text FROM pg_roles WHERE rolname = current_user")))
                .containsExactly("false");
        CausalSession session = CausalSession.create();

        for (int id = 0; id < 5; id++) {
            Blocking.run(insert(id, session));
            assertThat(count(session)).endsWith(" " + (id + 1));
        }

        awaitCount(session, "true 5");
        assertThat(Blocking.value(factory.capture()).positions()).hasSize(1);
    }

    /** A commit that does not wait for the disk needs a mark in the log, which takes a function that all may call. */
    @ParameterizedTest
    @EnumSource
    void nudgesThePrimary(Login login) {
        factory = Factories.ready(as(login, "?options=synchronous_commit%3Doff"));
        CausalSession session = CausalSession.create();

        Blocking.run(insert(1, session));
        Blocking.value(session.token());

        awaitCount(session, "true 1");
        assertThat(factory.captureStatistics().nudges()).isPositive();
    }

    @ParameterizedTest
    @EnumSource
    void goesOnAfterAFailover(Login login) {
        factory = Factories.ready(as(login, ""));
        CausalSession session = CausalSession.create();
        Blocking.run(insert(1, session));
        Blocking.value(session.token());
        cluster.awaitReplayed();

        cluster.server(0).kill();
        cluster.server(1).promote();
        cluster.server(2).follow(cluster.server(1));
        await().atMost(LONG)
                .until(() -> factory.table()
                        .primary()
                        .map(ServerState::name)
                        .orElse("")
                        .equals("db1"));
        Blocking.run(insert(2, session));
        cluster.awaitReplayed();

        assertThat(count(session)).endsWith(" 2");
        // also without a privilege: once the replica has replayed what the new primary's history was marked with
        awaitCount(session, "true 2");
    }

    /** Seen by a router that was not there when the replica was promoted. */
    @ParameterizedTest
    @EnumSource(names = "READING_HISTORY")
    void takesTokensOfAnEarlierTimelineWithoutHavingSeenItsEnd(Login login) {
        factory = Factories.ready(as(login, ""));
        CausalSession session = CausalSession.create();
        Blocking.run(insert(1, session));
        CausalToken token = Blocking.value(session.token());
        cluster.awaitReplayed();
        Blocking.run(factory.close());
        cluster.server(0).kill();
        cluster.server(1).promote();
        cluster.server(2).follow(cluster.server(1));

        factory = Factories.ready(as(login, ""));
        CausalSession resumed = CausalSession.resume(token);

        awaitCount(resumed, "true 1");
        assertThat(factory.captureStatistics().possiblyLost()).isZero();
    }

    @ParameterizedTest
    @EnumSource(names = {"PLAIN"})
    void followsStoredTopologyThatItCannotChange(Login login) throws IOException {
        PostgresServer primary = cluster.primary();
        primary.execute(StoredTopologyIT.script());
        primary.execute("GRANT USAGE ON SCHEMA r2dbc_routing TO " + login.role()
                + "; GRANT SELECT ON r2dbc_routing.server, r2dbc_routing.policy TO " + login.role());
        primary.execute("INSERT INTO r2dbc_routing.server (name, tags) VALUES ('db1', '{near}')");
        cluster.awaitReplayed();

        factory = Factories.ready(as(login, "").storedTopology(Duration.ofMillis(200)));

        await().atMost(LONG)
                .until(() -> factory.topology().servers().get(1).tags().contains("near"));
        assertThatThrownBy(() -> Blocking.run(Queries.update(factory, "DELETE FROM r2dbc_routing.server")))
                .isInstanceOfSatisfying(
                        R2dbcException.class,
                        refused -> assertThat(Objects.requireNonNull(refused.getSqlState()))
                                .isEqualTo("42501"));
    }
}
