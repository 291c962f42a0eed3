package io.github.r2dbcrouting.test;

import io.r2dbc.spi.R2dbcException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How far has a server come, and how does it go on? What is asked of it in SQL. */
final class Recovery {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static final String POSITION = """
            SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END::text
            """;

    /** The last checkpoint's timeline lags behind a promotion, hence a primary's comes from the name of its WAL file. */
    private static final String TIMELINE = """
            SELECT CASE WHEN pg_is_in_recovery() THEN greatest(
                  (SELECT received_tli FROM pg_stat_wal_receiver),
                  (SELECT min_recovery_end_timeline FROM pg_control_recovery()),
                  (SELECT timeline_id FROM pg_control_checkpoint()))
                ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int
                END
            """;

    private Recovery() {}

    static String position(PostgresServer server) {
        return server.query(POSITION);
    }

    static int timeline(PostgresServer server) {
        return Integer.parseInt(server.query(TIMELINE));
    }

    static void pause(PostgresServer server) {
        server.execute("SELECT pg_wal_replay_pause()");
        await(server, "has paused its replay", "SELECT pg_get_wal_replay_pause_state() = 'paused'");
    }

    static void applyDelay(PostgresServer server, Duration age) {
        if (age.isNegative()) {
            throw new IllegalArgumentException("applyDelay: zero or more, not " + age);
        }
        server.execute(
                age.isZero()
                        ? "ALTER SYSTEM RESET recovery_min_apply_delay"
                        : "ALTER SYSTEM SET recovery_min_apply_delay = '" + age.toMillis() + "ms'");
        reload(server);
    }

    static void reload(PostgresServer server) {
        String before = server.query("SELECT clock_timestamp()::text");
        server.execute("SELECT pg_reload_conf()");
        await(server, "has read its configuration", "SELECT pg_conf_load_time() > '" + before + "'");
    }

    static void promote(PostgresServer server) {
        if (server.role() == Role.PRIMARY) {
            throw new IllegalStateException(server + " is a primary already");
        }
        // who waits for it within a statement may be cancelled by what is replayed until then
        try {
            server.execute("SELECT pg_promote(false)");
        } catch (R2dbcException e) {
            // it was cancelled after all, and done again
            if (server.role() != Role.PRIMARY) {
                throw e;
            }
        }
        await(server, "is promoted", "SELECT NOT pg_is_in_recovery()");
    }

    /** Waits until the server accepts connections again after it has restarted by itself. */
    static void awaitAnswer(PostgresServer server) {
        Await.until(
                server + " has recovered",
                LIMIT,
                server.sessions()::answers,
                () -> "The end of its log:\n" + server.process().logTail());
    }

    /** Waits until a replica streams from the server that it follows, unless it is cut off. */
    static void awaitStreaming(PostgresServer server) {
        if (!server.links().isCutOff()) {
            Await.until(
                    server + " streams from its primary",
                    LIMIT,
                    () -> isStreamingFrom(server, server.links().followed()),
                    () -> "Their histories may have parted; the end of its log:\n"
                            + server.process().logTail());
        }
    }

    /** One line with what the server says of itself, for the report of a failed test. */
    static String picture(PostgresServer server) {
        String state = server.process().isFrozen() ? "frozen" : server.links().isCutOff() ? "cut off" : "";
        if (!server.isRunning() || server.process().isFrozen()) {
            return server + " " + state;
        }
        try {
            return "%s at %s on timeline %d %s".formatted(server, position(server), timeline(server), state);
        } catch (R2dbcException | ClusterException e) {
            return server + " does not answer: " + e.getMessage();
        }
    }

    /**
     * Whether WAL of the leader's own timeline arrives: a connection alone may still be refused for it. A leader that
     * restores files has gone to a later one for a while before it can say so.
     */
    private static boolean isStreamingFrom(PostgresServer server, @Nullable PostgresServer leader) {
        String timeline = server.query("SELECT received_tli FROM pg_stat_wal_receiver WHERE status = 'streaming'");
        return leader != null && !timeline.isEmpty() && Integer.parseInt(timeline) >= timeline(leader);
    }

    private static void await(PostgresServer server, String what, String sql) {
        Await.until(
                server + " " + what,
                LIMIT,
                () -> server.query(sql).equals("true"),
                () -> "The end of its log:\n" + server.process().logTail());
    }
}
