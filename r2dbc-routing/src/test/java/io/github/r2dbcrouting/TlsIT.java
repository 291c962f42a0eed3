package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresServer;
import io.netty.pkitesting.X509Bundle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Mono;

/** Servers have to prove who they are: to the monitor, and to the connections of the application. */
class TlsIT {

    private static final Duration LONG = Duration.ofSeconds(20);
    private static final String ENCRYPTED = "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

    /** Whoever is connected, but for the test itself. */
    private static final String ALL_ENCRYPTED = "SELECT count(*) > 0 AND bool_and(ssl) FROM pg_stat_ssl"
            + " JOIN pg_stat_activity USING (pid) WHERE backend_type = 'client backend'"
            + " AND application_name <> 'r2dbc-routing-test'";

    @TempDir
    private static Path folder;

    private static Certificates ours;
    private static Certificates foreign;
    private static Path trusted;
    private static PostgresCluster cluster;

    private RoutingConnectionFactory factory;

    @BeforeAll
    static void start() throws Exception {
        ours = Certificates.of("ours");
        foreign = Certificates.of("foreign");
        trusted = Files.writeString(folder.resolve("root.pem"), ours.root());
        X509Bundle good = good();
        cluster = PostgresCluster.builder()
                .replicas(1)
                .tls(good.getCertificatePathPEM(), good.getPrivateKeyPEM())
                .start();
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    @AfterEach
    void close() {
        if (factory != null) {
            Blocking.run(factory.close());
        }
        cluster.reset();
    }

    private static X509Bundle good() throws Exception {
        return ours.server("localhost", "127.0.0.1");
    }

    private static String url(PostgresServer server, String options) {
        return server.r2dbcUrl().replace("127.0.0.1", "localhost") + "?" + options;
    }

    private static String verified(PostgresServer server) {
        return url(server, "sslMode=verify-full&sslRootCert=" + trusted);
    }

    private static RoutingConnectionFactory.Builder over(PostgresCluster cluster) {
        return RoutingConnectionFactory.builder()
                .server("db0", verified(cluster.primary()))
                .server("db1", verified(cluster.replica(0)));
    }

    private static void certify(PostgresServer server, X509Bundle certificate) {
        server.certificate(certificate.getCertificatePathPEM(), certificate.getPrivateKeyPEM());
    }

    private List<String> rows(String sql) {
        return Blocking.value(Queries.rows(factory, sql)
                .contextWrite(Routing.read())
                .contextWrite(Routing.session(CausalSession.create())));
    }

    @Test
    void encryptsTheConnectionsOfTheApplicationAndOfTheMonitor() {
        factory = Factories.ready(over(cluster));

        assertThat(Blocking.value(Queries.rows(factory, ENCRYPTED))).containsExactly("true");
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(rows("SELECT pg_is_in_recovery()::text || " + "(" + ENCRYPTED + ")"))
                        .containsExactly("truetrue"));
        for (PostgresServer server : cluster.servers()) {
            assertThat(server.query(ALL_ENCRYPTED)).isEqualTo("true");
        }
    }

    @Test
    void doesNotEncryptWhereNobodyAsksForIt() {
        factory = Factories.ready(Factories.over(cluster));

        assertThat(Blocking.value(Queries.rows(factory, ENCRYPTED))).containsExactly("false");
    }

    @Test
    void namesTheServersThatAnAuthorityVouchesForWhomNobodyTrusts() throws Exception {
        Path others = Files.writeString(folder.resolve("others.pem"), foreign.root());
        factory = RoutingConnectionFactory.builder()
                .server("db0", url(cluster.primary(), "sslMode=verify-full&sslRootCert=" + others))
                .build();

        List<String> said = new ArrayList<>();
        Mono<Void> ready = factory.ready(Duration.ofSeconds(3)).doOnError(error -> said.add(error.toString()));
        assertThatThrownBy(() -> Blocking.run(ready))
                .hasMessageContaining("db0")
                .hasMessageContaining("cannot be trusted")
                .hasMessageContaining("sslRootCert");
        said.add(factory.table().toString());
        said.add(factory.describe());

        assertThat(said).hasSize(3).noneMatch(text -> text.contains(cluster.password()));
        assertThat(cluster.primary()
                        .query("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'r2dbc-postgresql'"))
                .isEqualTo("0");
    }

    @Test
    void leavesAServerWithAnothersNameAloneUntilItHasItsOwn() throws Exception {
        certify(cluster.replica(0), ours.server("db1.elsewhere.example"));
        factory = over(cluster).build();
        Blocking.run(factory.ready(LONG));

        await().atMost(LONG).until(() -> factory.table().servers().get(1).problem() != null);
        ServerState nameless = factory.table().servers().get(1);
        assertThat(nameless.status()).isNotEqualTo(ServerStatus.UP);
        assertThat(nameless.problem())
                .contains("cannot be trusted", "check its certificate")
                .containsIgnoringCase("hostname");
        assertThat(rows("SELECT pg_is_in_recovery()::text")).containsExactly("false");

        certify(cluster.replica(0), good());

        await().atMost(LONG)
                .untilAsserted(() ->
                        assertThat(rows("SELECT pg_is_in_recovery()::text")).containsExactly("true"));
        assertThat(factory.table().servers().get(1).problem()).isNull();
    }
}
