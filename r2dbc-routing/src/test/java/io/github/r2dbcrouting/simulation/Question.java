package io.github.r2dbcrouting.simulation;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What does a statement ask of a server? Those of the engine are told by what is peculiar to each. */
enum Question {
    INTRODUCE,
    OBSERVE,
    OBSERVE_PRIMARY,
    NUDGE,
    MARK,
    INSERTED,
    MAY_READ_FILES,
    READ_HISTORY,
    BACKENDS,
    NOTHING,
    RESET,
    APPEND,
    READ;

    private static final Map<String, Question> KNOWN = new ConcurrentHashMap<>();

    static Question of(String sql) {
        Question known = KNOWN.get(sql);
        if (known == null) {
            known = tell(sql);
            if (KNOWN.size() < 1_000) {
                KNOWN.put(sql, known);
            }
        }
        return known;
    }

    private static Question tell(String sql) {
        if (sql.startsWith(Users.APPEND)) {
            return APPEND;
        } else if (sql.startsWith(Users.READ)) {
            return READ;
        } else if (sql.contains("pg_control_system")) {
            return INTRODUCE;
        } else if (sql.contains("pg_current_xact_id")) {
            return MARK;
        } else if (sql.contains("pg_logical_emit_message")) {
            return NUDGE;
        } else if (sql.contains("pg_last_wal_replay_lsn")) {
            return OBSERVE;
        } else if (sql.contains("pg_current_wal_flush_lsn")) {
            return OBSERVE_PRIMARY;
        } else if (sql.contains("pg_current_wal_insert_lsn")) {
            return INSERTED;
        } else if (sql.contains("has_function_privilege")) {
            return MAY_READ_FILES;
        } else if (sql.contains("pg_read_file")) {
            return READ_HISTORY;
        } else if (sql.contains("pg_stat_activity")) {
            return BACKENDS;
        } else if (sql.equals("SELECT 1") || sql.equals("ROLLBACK")) {
            return NOTHING;
        } else if (sql.startsWith("RESET ")) {
            return RESET;
        }
        throw new UnsupportedOperationException("the simulated server does not know this statement: " + sql);
    }
}
