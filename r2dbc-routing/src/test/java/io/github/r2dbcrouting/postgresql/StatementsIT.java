package io.github.r2dbcrouting.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.Queries;
import io.github.r2dbcrouting.spi.StatementText.Kind;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.R2dbcException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What servers say of the statements in the corpus, and of the functions that are taken for safe. */
@PostgresClusterTest(replicas = 1)
class StatementsIT {

    /** What a connection has besides what it began with. */
    private static final String STATE = """
            SELECT (SELECT string_agg(name || setting, ',' ORDER BY name) FROM pg_settings
                    WHERE name NOT IN ('transaction_read_only', 'transaction_isolation', 'transaction_deferrable',
                                       'in_hot_standby'))
              || (SELECT coalesce(string_agg(c, ','), '') FROM pg_listening_channels() AS c) || '/'
              || (SELECT coalesce(string_agg(name, ','), '') FROM pg_prepared_statements WHERE from_sql) || '/'
              || (SELECT coalesce(string_agg(name, ','), '') FROM pg_cursors WHERE is_holdable) || '/'
              || (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) || '/'
              || (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema())""";

    private final PostgresCluster cluster;

    StatementsIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @Test
    void aStandbyAgrees() {
        prepare();

        Verdicts verdicts = judge(Corpus.read(), "SELECT 1");

        System.out.printf(
                "%d statements sent, %d given up by the driver: %s%n",
                verdicts.sent, verdicts.unsent.size(), verdicts.unsent);
        assertThat(verdicts.objections).isEmpty();
        assertThat(verdicts.sent).as("given up: %s", verdicts.unsent).isGreaterThanOrEqualTo(290);
    }

    /** A server's default may be the old one; the router does not know it. */
    @Test
    void aStandbyAgreesWhereABackslashEscapesInEveryString() {
        prepare();
        List<Corpus.Entry> entries = Corpus.read().stream()
                .filter(entry -> entry.sql().contains("\\"))
                // a server that reads backslashes so refuses these
                .filter(entry -> !entry.sql().contains("U&'"))
                .toList();

        Verdicts verdicts = judge(entries, "SET standard_conforming_strings = off");

        assertThat(verdicts.objections).isEmpty();
        assertThat(verdicts.sent).isGreaterThan(10);
    }

    @Test
    void aStandbyFindsWhatIsPlanted() {
        prepare();
        List<Corpus.Entry> planted = List.of(
                new Corpus.Entry(Kind.READ, false, false, "SELECT nextval('s')"),
                new Corpus.Entry(Kind.READ, false, false, "SELECT txid_current()"),
                new Corpus.Entry(Kind.READ, false, false, "SET work_mem = '9MB'"),
                new Corpus.Entry(Kind.WRITE, false, false, "DECLARE planted CURSOR WITH HOLD FOR SELECT 1"),
                new Corpus.Entry(Kind.UNKNOWN, false, false, "SELECT pg_advisory_lock(9)"),
                new Corpus.Entry(Kind.WRITE, false, false, "PREPARE planted AS SELECT 1"),
                new Corpus.Entry(Kind.UNKNOWN, false, false, "SELECT f_w()"));

        for (Corpus.Entry entry : planted) {
            assertThat(judge(List.of(entry), "SELECT 1").objections)
                    .as("%s", entry)
                    .isNotEmpty();
        }
    }

    private static final class Verdicts {
        private final List<String> objections = new ArrayList<>();
        private final List<String> unsent = new ArrayList<>();
        private int sent;
    }

    /** Runs each statement in a connection that is as at the start, but for what is set before. */
    private Verdicts judge(List<Corpus.Entry> entries, String before) {
        Verdicts verdicts = new Verdicts();
        try (Session standby = new Session(cluster.replica(0));
                Session primary = new Session(cluster.primary())) {
            for (Corpus.Entry entry : entries) {
                standby.run(before);
                String state = standby.state();
                String error = standby.run(entry.sql());
                boolean changed = !standby.recover().equals(state);
                String onPrimary = "";
                if (entry.kind() == Kind.READ) {
                    primary.run(before);
                    onPrimary = primary.run(entry.sql());
                }
                verdicts.objections.addAll(
                        StandbyOracle.objections(entry, new StandbyOracle.Outcome(error, changed, onPrimary)));
                if (error.equals(StandbyOracle.UNSENT)) {
                    verdicts.unsent.add(entry.sql());
                } else {
                    verdicts.sent++;
                }
            }
        }
        return verdicts;
    }

    /** The catalogue knows what writes by declaring it volatile; the volatile ones on the list only look. */
    @Test
    void everySafeFunctionIsBuiltInAndNotVolatile() {
        Set<String> looking = Set.of(
                "array_sample",
                "array_shuffle",
                "clock_timestamp",
                "current_query",
                "gen_random_uuid",
                "pg_blocking_pids",
                "pg_collation_actual_version",
                "pg_control_checkpoint",
                "pg_control_init",
                "pg_control_recovery",
                "pg_control_system",
                "pg_database_collation_actual_version",
                "pg_database_size",
                "pg_get_wait_events",
                "pg_get_wal_replay_pause_state",
                "pg_indexes_size",
                "pg_is_in_recovery",
                "pg_is_wal_replay_paused",
                "pg_jit_available",
                "pg_last_wal_receive_lsn",
                "pg_last_wal_replay_lsn",
                "pg_last_xact_replay_timestamp",
                "pg_lock_status",
                "pg_notification_queue_usage",
                "pg_partition_ancestors",
                "pg_partition_tree",
                "pg_relation_size",
                "pg_safe_snapshot_blocking_pids",
                "pg_sleep",
                "pg_sleep_for",
                "pg_sleep_until",
                "pg_table_size",
                "pg_tablespace_size",
                "pg_total_relation_size",
                "random",
                "random_normal",
                "timeofday",
                "uuidv4",
                "uuidv7");
        String all = cluster.primary()
                .query("SELECT string_agg(proname || ' ' || vol, ',') FROM (SELECT proname,"
                        + " bool_or(provolatile = 'v')::text AS vol FROM pg_proc"
                        + " WHERE pronamespace = 'pg_catalog'::regnamespace GROUP BY proname) AS f");
        List<String> names = Functions.safe();

        for (String name : names) {
            assertThat(("," + all + ",").contains("," + name + " " + looking.contains(name) + ","))
                    .as(name)
                    .isTrue();
        }
        assertThat(names).hasSizeGreaterThan(500).isSorted();
    }

    private void prepare() {
        cluster.primary().execute("CREATE TABLE note (id int PRIMARY KEY, body text)");
        cluster.primary().execute("INSERT INTO note VALUES (1, 'a'), (2, 'b')");
        cluster.primary().execute("CREATE SEQUENCE s");
        cluster.primary().execute("CREATE PROCEDURE act() LANGUAGE plpgsql AS $$ BEGIN NULL; END $$");
        cluster.primary().execute("CREATE FUNCTION touch() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1'");
        cluster.primary().execute("CREATE FUNCTION total(int) RETURNS int LANGUAGE sql STABLE AS 'SELECT $1'");
        cluster.primary()
                .execute("CREATE FUNCTION f_w() RETURNS int LANGUAGE sql"
                        + " AS 'INSERT INTO note VALUES ((random() * 1e9)::int + 1000) RETURNING 1'");
        cluster.primary().execute("CREATE SCHEMA billing");
        cluster.primary().execute("CREATE FUNCTION billing.due(int) RETURNS int LANGUAGE sql STABLE AS 'SELECT $1'");
        cluster.primary().execute("CREATE FUNCTION billing.total(int) RETURNS int LANGUAGE sql AS 'SELECT f_w()'");
        for (String keyword : List.of("by", "columns", "join", "materialized", "value")) {
            cluster.primary()
                    .execute("CREATE FUNCTION " + keyword + "(int) RETURNS int LANGUAGE sql AS 'SELECT f_w()'");
        }
        cluster.awaitReplayed();
    }

    /** A connection of the driver's. Statements that can run in no transaction run in none. */
    private static final class Session implements AutoCloseable {

        private final PostgresServer server;
        private Connection connection;

        Session(PostgresServer server) {
            this.server = server;
            this.connection = open();
        }

        private Connection open() {
            return Blocking.value(Mono.<Connection>from(
                    ConnectionFactories.get(server.r2dbcUrl()).create()));
        }

        /** The SQL state of the error; empty if there is none. */
        String run(String sql) {
            try {
                Blocking.run(Flux.from(connection.createStatement(sql).execute())
                        .concatMap(result -> result.map((row, metadata) -> 1))
                        .then());
                return "";
            } catch (R2dbcException e) {
                return String.valueOf(e.getSqlState());
            } catch (IllegalArgumentException e) {
                return StandbyOracle.UNSENT;
            }
        }

        String state() {
            return Blocking.value(Queries.rows(connection, STATE).single());
        }

        /** The state after the last statement, with its transaction over; then everything is as at the start. */
        String recover() {
            run("ROLLBACK");
            String state = state();
            run("DISCARD ALL");
            return state;
        }

        @Override
        public void close() {
            Blocking.run(connection.close());
        }
    }
}
