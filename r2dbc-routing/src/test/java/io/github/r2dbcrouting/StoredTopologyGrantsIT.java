package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.R2dbcPermissionDeniedException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * With the very grants that the documentation recommends an application reads the tables and an operator writes them, and
 * nobody who may write them can have credentials sent elsewhere.
 */
@PostgresClusterTest(replicas = 2)
class StoredTopologyGrantsIT {

    private static final Duration INTERVAL = Duration.ofMillis(200);
    private static final String SECRET = "s3cret";

    private final PostgresCluster cluster;
    private final List<RoutingConnectionFactory> routers = new ArrayList<>();
    private final Queue<RoutingEvent> events = new ConcurrentLinkedQueue<>();

    StoredTopologyGrantsIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void rolesAndGrants() throws IOException {
        PostgresServer primary = cluster.primary();
        primary.execute(StoredTopologyIT.script());
        primary.execute("CREATE ROLE shop LOGIN PASSWORD '" + SECRET + "'; CREATE ROLE operator LOGIN PASSWORD '"
                + SECRET + "'; CREATE ROLE stranger LOGIN PASSWORD '" + SECRET + "'");
        primary.execute(documentedGrants());
        cluster.awaitReplayed();
    }

    @AfterEach
    void close() {
        routers.forEach(router -> Blocking.run(router.close()));
    }

    /** For roles of these names: the cluster's own superuser has the name that the page gives the application's. */
    private static String documentedGrants() throws IOException {
        String page = Files.readString(Path.of("..", "docs", "topology.md"));
        int begin = page.indexOf("GRANT ");
        return page.substring(begin, page.indexOf("```", begin)).replaceAll("\\bapp\\b", "shop");
    }

    private static String url(PostgresServer server, String role) {
        return "r2dbc:postgresql://" + role + ":" + SECRET + "@" + server.host() + ":" + server.port() + "/"
                + server.database();
    }

    private ConnectionFactory as(String role) {
        return ConnectionFactories.get(url(cluster.primary(), role));
    }

    private RoutingConnectionFactory.Builder asApplication() {
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder();
        cluster.servers().forEach(server -> builder.server("db" + server.number(), url(server, "shop")));
        return builder.storedTopology(INTERVAL).policy("default", "tags(near); halt()");
    }

    private RoutingConnectionFactory open(RoutingConnectionFactory.Builder builder) {
        RoutingConnectionFactory router = builder.build();
        routers.add(router);
        var unused = router.events().subscribe(events::add);
        Blocking.run(router.ready(Duration.ofSeconds(20)));
        await().until(() -> source(router).age() != null);
        return router;
    }

    private static Topology.Source source(RoutingConnectionFactory router) {
        return router.topology().sources().get(0);
    }

    private void operate(String sql) {
        Blocking.run(Queries.update(as("operator"), sql));
    }

    @Test
    void followsAsAnApplicationWhatAnOperatorWrites() {
        operate("INSERT INTO r2dbc_routing.server (name, tags) VALUES ('db1', '{near}')");
        operate("INSERT INTO r2dbc_routing.policy VALUES ('reporting', 'tags(far); halt()')");
        RoutingConnectionFactory router = open(asApplication());

        assertThat(router.explain(Routing.read(), null).server()).isEqualTo("db1");
        assertThat(source(router).problem()).isNull();

        operate("UPDATE r2dbc_routing.server SET name = 'db2', tags = '{far}'");
        operate("UPDATE r2dbc_routing.policy SET text = 'tags(far)'");
        await().until(() -> "db2"
                .equals(router.explain(Routing.read().policy("reporting"), null).server()));

        operate("DELETE FROM r2dbc_routing.server");
        operate("DELETE FROM r2dbc_routing.policy");
        await().until(() -> router.topology().servers().get(2).tags().isEmpty());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "INSERT INTO r2dbc_routing.server (name) VALUES ('db1')",
                "UPDATE r2dbc_routing.server SET enabled = false",
                "DELETE FROM r2dbc_routing.server",
                "TRUNCATE r2dbc_routing.server",
                "INSERT INTO r2dbc_routing.policy VALUES ('default', 'halt()')",
                "UPDATE r2dbc_routing.policy SET text = 'halt()'",
                "DELETE FROM r2dbc_routing.policy",
                "CREATE TABLE r2dbc_routing.more (name text)"
            })
    void doesNotLetAnApplicationWrite(String statement) {
        assertRefused("shop", statement);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "TRUNCATE r2dbc_routing.server",
                "ALTER TABLE r2dbc_routing.server ADD COLUMN more text",
                "ALTER TABLE r2dbc_routing.policy DROP CONSTRAINT policy_text_check",
                "DROP TABLE r2dbc_routing.server",
                "CREATE TABLE r2dbc_routing.more (name text)",
                "CREATE RULE mine AS ON SELECT TO r2dbc_routing.server DO INSTEAD SELECT 1"
            })
    void letsAnOperatorChangeRowsAndNothingElse(String statement) {
        assertRefused("operator", statement);
    }

    @ParameterizedTest
    @ValueSource(strings = {"SELECT name FROM r2dbc_routing.server", "SELECT name FROM r2dbc_routing.policy"})
    void doesNotEvenLetAStrangerRead(String statement) {
        assertRefused("stranger", statement);
        assertThat(Blocking.value(Queries.rows(as("shop"), statement))).isEmpty();
    }

    private void assertRefused(String role, String statement) {
        ConnectionFactory connections = as(role);
        assertThatThrownBy(() -> Blocking.value(Queries.rows(connections, statement)))
                .isInstanceOf(R2dbcPermissionDeniedException.class);
    }

    @Test
    void saysThatItMayNotReadTheTablesAndGoesOnWithoutThem() {
        cluster.primary().execute("REVOKE SELECT ON r2dbc_routing.server FROM shop");
        RoutingConnectionFactory router = Factories.ready(asApplication());
        routers.add(router);

        await().until(() -> source(router).problem() != null);

        assertThat(source(router).problem()).contains("permission denied").doesNotContain(SECRET);
        assertThat(router.serverNames()).containsExactly("db0", "db1", "db2");
    }

    @Test
    void connectsToNobodyWhoseAddressIsNotAllowedAndSaysSo() throws IOException {
        try (ServerSocketChannel trap = listening()) {
            operate("INSERT INTO r2dbc_routing.server (name, host, port, tags) VALUES" + " ('db1', " + address(trap)
                    + ", '{near}'), ('rogue', " + address(trap) + ", '{near}')");
            RoutingConnectionFactory router = open(asApplication().storedServersAt("10.255.0.1:5432"));

            await().until(() -> source(router).problem() != null);
            // it is read again, and stays refused
            operate("UPDATE r2dbc_routing.server SET weight = 3");
            await().until(() -> router.topology().servers().get(1).weight() == 3);

            assertThat(router.serverNames()).containsExactly("db0", "db1", "db2");
            assertThat(source(router).problem())
                    .isEqualTo(
                            "server 'rogue' is not added: its address is not among those that the application allows");
            assertThat(events)
                    .contains(new RoutingEvent.TopologyRefused(
                            "the database", source(router).problem()));
            assertThat(router.explain(Routing.read(), null).server()).isEqualTo("db1");
            assertThat(Blocking.value(
                            Queries.rows(router, "SELECT inet_server_port()").contextWrite(Routing.read())))
                    .as("db1 is where it was")
                    .containsExactly(cluster.replica(0).query("SELECT inet_server_port()::text"));
            assertThat(trap.accept()).as("whoever was connected to").isNull();
        }
    }

    /** The same trap catches where it may: that it catches nobody above shows something. */
    @Test
    void connectsToTheSameAddressOnceTheApplicationAllowsIt() throws IOException {
        try (ServerSocketChannel allowed = listening()) {
            operate("INSERT INTO r2dbc_routing.server (name, host, port) VALUES ('late', " + address(allowed) + ")");
            RoutingConnectionFactory router = open(asApplication()
                    .storedServersAt("127.0.0.1:" + allowed.socket().getLocalPort()));

            List<SocketChannel> callers = new ArrayList<>();
            await().until(() -> {
                SocketChannel caller = allowed.accept();
                if (caller != null) {
                    callers.add(caller);
                }
                return !callers.isEmpty();
            });

            assertThat(router.serverNames()).contains("late");
            for (SocketChannel caller : callers) {
                caller.close();
            }
        }
    }

    private static ServerSocketChannel listening() throws IOException {
        ServerSocketChannel channel = ServerSocketChannel.open();
        channel.configureBlocking(false);
        channel.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        return channel;
    }

    private static String address(ServerSocketChannel channel) {
        return "'127.0.0.1', " + channel.socket().getLocalPort();
    }
}
