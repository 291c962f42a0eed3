package io.github.r2dbcrouting.test;

import io.r2dbc.spi.R2dbcException;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is left of the last test, and how does it go away without a new start? */
final class ClusterReset {

    private static final Logger log = LoggerFactory.getLogger(ClusterReset.class);

    private static final Duration REPLAY_LIMIT = Duration.ofSeconds(5);

    /** A transaction left open would hold locks on what is dropped; on a replica its snapshot would hold replay up. */
    private static final String END_TRANSACTIONS = """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND state <> 'idle' AND application_name <> '%s'
            """.formatted(ControlSessions.APPLICATION_NAME);

    private static final String RESUME = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_wal_replay_resume() END";

    /** Null without settings of ALTER SYSTEM, else whether one of them takes a restart to undo. */
    private static final String ALTERED = """
            SELECT bool_or(s.context = 'postmaster')
            FROM pg_file_settings f JOIN pg_settings s ON s.name = f.name
            WHERE f.sourcefile LIKE '%postgresql.auto.conf'
            """;

    /** The statements that drop what a fresh cluster does not have. */
    private static final String DROPS = """
            SELECT format('ALTER ROLE %s %s RESET ALL',
                   CASE setrole WHEN 0 THEN 'ALL' ELSE setrole::regrole::text END,
                   CASE WHEN setdatabase <> 0 THEN
                     (SELECT format('IN DATABASE %I', datname) FROM pg_database WHERE oid = setdatabase) END)
            FROM pg_db_role_setting
            UNION ALL
            SELECT format('SELECT pg_drop_replication_slot(%L)', slot_name) FROM pg_replication_slots WHERE NOT active
            UNION ALL
            SELECT format('DROP EVENT TRIGGER %I', evtname) FROM pg_event_trigger
            UNION ALL
            SELECT format('DROP PUBLICATION %I', pubname) FROM pg_publication
            UNION ALL
            SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database
            WHERE datname NOT IN ('template0', 'template1', 'postgres', current_database())
            UNION ALL
            SELECT format('DROP EXTENSION %I CASCADE', extname) FROM pg_extension WHERE extname <> 'plpgsql'
            UNION ALL
            SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace
            WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
            UNION ALL
            SELECT statement FROM unnest(ARRAY[
              'DROP SCHEMA IF EXISTS public CASCADE',
              'CREATE SCHEMA public',
              'GRANT USAGE ON SCHEMA public TO PUBLIC',
              CASE WHEN current_setting('server_version_num')::int < 150000
                THEN 'GRANT CREATE ON SCHEMA public TO PUBLIC'
                ELSE 'ALTER SCHEMA public OWNER TO pg_database_owner' END]) AS statement
            WHERE to_regnamespace('public') IS NULL OR EXISTS (
              SELECT FROM pg_depend WHERE refclassid = 'pg_namespace'::regclass AND refobjid = to_regnamespace('public'))
            UNION ALL
            SELECT format('SELECT lo_unlink(%s)', oid) FROM pg_largeobject_metadata
            UNION ALL
            SELECT format('DROP OWNED BY %I CASCADE', rolname) FROM pg_roles
            WHERE rolname !~ '^pg_' AND rolname <> current_user
            UNION ALL
            SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> current_user
            """;

    private ClusterReset() {}

    /** Returns whether the cluster is as it began; if not, only a new start helps. */
    static boolean repair(PostgresCluster cluster) {
        try {
            cluster.servers().forEach(server -> {
                server.thaw();
                server.latency(Duration.ZERO);
                server.reconnect();
            });
            if (!rolesAreInitial(cluster)) {
                return false;
            }
            List<PostgresServer> down = cluster.servers().stream()
                    .filter(server -> !server.isRunning())
                    .toList();
            down.forEach(PostgresServer::launch);
            down.forEach(PostgresServer::awaitReady);
            if (cluster.primary().timeline() != 1) {
                return false;
            }
            cluster.servers().forEach(ClusterReset::undo);
            drop(cluster.primary());
            return Replay.within(cluster.primary(), cluster.servers(), REPLAY_LIMIT);
        } catch (ClusterException | R2dbcException e) {
            log.info("Starting the cluster anew, since it could not be brought back: {}", e.toString());
            return false;
        }
    }

    private static boolean rolesAreInitial(PostgresCluster cluster) {
        PostgresServer primary = cluster.primary();
        return cluster.servers().stream()
                .allMatch(server -> server == primary
                        ? server.role() == Role.PRIMARY
                        : server.role() == Role.REPLICA && server.links().followed() == primary);
    }

    private static void undo(PostgresServer server) {
        server.sessions().execute(END_TRANSACTIONS, RESUME);
        server.firstCertificate();
        String restartToUndo = server.query(ALTERED);
        if (!restartToUndo.isEmpty()) {
            server.execute("ALTER SYSTEM RESET ALL");
            if (restartToUndo.equals("true")) {
                server.restart();
            } else {
                server.reload();
            }
        }
    }

    private static void drop(PostgresServer primary) {
        String statements = primary.query(DROPS);
        if (!statements.isEmpty()) {
            primary.sessions().execute(statements.split("\n", -1));
        }
    }
}
