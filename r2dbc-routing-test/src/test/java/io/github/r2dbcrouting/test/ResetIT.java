package io.github.r2dbcrouting.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

@PostgresClusterTest(replicas = 2)
class ResetIT {

    private static final String IDENTIFIER = "SELECT system_identifier FROM pg_control_system()";

    private final PostgresCluster cluster;
    private final PostgresServer primary;
    private final PostgresServer replica;

    ResetIT(PostgresCluster cluster) {
        this.cluster = cluster;
        this.primary = cluster.primary();
        this.replica = cluster.replica(0);
    }

    @Test
    void faultsAreUndoneWithoutANewCluster() {
        String identifier = primary.query(IDENTIFIER);
        primary.latency(Duration.ofSeconds(30));
        primary.isolate(Side.BOTH);
        replica.pauseReplay();
        cluster.replica(1).freeze();

        cluster.reset();

        try (Client client = Client.of(primary)) {
            client.query("CREATE TABLE t (id int)");
        }
        cluster.awaitReplayed();
        assertThat(cluster.servers())
                .allSatisfy(server -> assertThat(server.query("SELECT to_regclass('t') IS NOT NULL"))
                        .isEqualTo("true"));
        assertThat(primary.query(IDENTIFIER)).isEqualTo(identifier);
    }

    @Test
    void serversThatAreDownComeBack() {
        primary.kill();
        replica.stop();

        cluster.reset();

        assertThat(cluster.servers()).allMatch(PostgresServer::isRunning);
    }

    @Test
    void whatWasCreatedIsDropped() {
        String fresh = catalogue();
        primary.execute("CREATE TABLE t (id int); CREATE TYPE mood AS ENUM ('good')");
        primary.execute("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
        primary.execute("CREATE SCHEMA other; CREATE TABLE other.t (id int)");
        primary.execute("CREATE EXTENSION pg_stat_statements");
        primary.execute("CREATE ROLE \"some Body\" LOGIN; GRANT CREATE ON SCHEMA public TO \"some Body\"");
        primary.execute("ALTER ROLE \"some Body\" SET work_mem = '5MB'");
        primary.execute("ALTER ROLE app SET default_transaction_read_only = on");
        primary.execute("CREATE PUBLICATION p FOR ALL TABLES");
        primary.execute("SELECT pg_create_physical_replication_slot('slot')");
        primary.execute("CREATE DATABASE another");
        assertThat(catalogue()).isNotEqualTo(fresh);

        cluster.reset();

        assertThat(catalogue()).isEqualTo(fresh);
        primary.execute("CREATE TABLE t (id int)");
    }

    private String catalogue() {
        return primary.query("""
                SELECT 'role', rolname, rolconfig::text FROM pg_roles
                UNION ALL SELECT 'database', datname, NULL FROM pg_database
                UNION ALL SELECT 'schema', nspname, nspacl::text || nspowner::regrole FROM pg_namespace
                UNION ALL SELECT 'relation', relname, NULL FROM pg_class WHERE relnamespace <> 'pg_toast'::regnamespace
                UNION ALL SELECT 'function', proname, NULL FROM pg_proc
                UNION ALL SELECT 'type', typname, NULL FROM pg_type
                UNION ALL SELECT 'extension', extname, NULL FROM pg_extension
                UNION ALL SELECT 'publication', pubname, NULL FROM pg_publication
                UNION ALL SELECT 'slot', slot_name, NULL FROM pg_replication_slots
                ORDER BY 1, 2, 3
                """);
    }

    @Test
    void settingsOfAlterSystemAreUndoneEvenWhereThatTakesARestart() {
        primary.execute("ALTER SYSTEM SET work_mem = '5MB'");
        primary.execute("ALTER SYSTEM SET shared_buffers = '40MB'");
        primary.restart();
        replica.applyDelay(Duration.ofHours(1));
        assertThat(primary.query("SHOW shared_buffers")).isEqualTo("40MB");

        cluster.reset();

        assertThat(primary.query("SHOW shared_buffers")).isEqualTo("32MB");
        assertThat(primary.query("SHOW work_mem")).isEqualTo("4MB");
        assertThat(replica.query("SHOW recovery_min_apply_delay")).isEqualTo("0");
    }

    @Test
    void openTransactionsEndAndIdleConnectionsStay() {
        primary.execute("CREATE TABLE t (id int)");
        cluster.awaitReplayed();
        try (Client idle = Client.of(primary);
                Client writer = Client.of(primary);
                Client reader = Client.of(replica)) {
            writer.query("BEGIN; INSERT INTO t VALUES (1)");
            reader.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t");

            cluster.reset();

            assertThat(idle.query("SELECT 1")).isEqualTo("1");
            assertThatThrownBy(() -> writer.query("SELECT 1")).isInstanceOf(RuntimeException.class);
            assertThatThrownBy(() -> reader.query("SELECT 1")).isInstanceOf(RuntimeException.class);
        }
    }

    @Test
    void afterAPromotionServerZeroIsThePrimaryOfANewClusterBehindTheSamePorts() {
        String ports = ports();
        String identifier = primary.query(IDENTIFIER);
        replica.promote();

        cluster.reset();

        assertThat(ports()).isEqualTo(ports);
        assertThat(primary.query(IDENTIFIER)).isNotEqualTo(identifier);
        assertThat(cluster.currentPrimary()).isSameAs(primary);
        assertThat(cluster.servers())
                .allSatisfy(server -> assertThat(server.timeline()).isEqualTo(1));
    }

    private String ports() {
        return cluster.servers().stream().map(PostgresServer::r2dbcUrl).collect(Collectors.joining());
    }
}
