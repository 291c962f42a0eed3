package io.github.r2dbcrouting.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/** How does a new replica get the data of a server that runs? As pg_basebackup does it, which the binaries do not hold. */
final class BaseBackup {

    /** Folders whose content belongs to the running server alone, or comes by streaming. */
    private static final Set<String> EMPTY = Set.of(
            "pg_wal",
            "pg_replslot",
            "pg_dynshmem",
            "pg_notify",
            "pg_serial",
            "pg_snapshots",
            "pg_stat_tmp",
            "pg_subtrans");

    private static final Set<String> LEFT_OUT = Set.of(
            "postmaster.pid", "postmaster.opts", "backup_label", "tablespace_map", "standby.signal", "recovery.signal");

    private BaseBackup() {}

    /** Copies {@code from}, the data directory of the running {@code server}, to {@code to}, which must not exist. */
    static void take(PostgresServer server, Path from, Path to, int major) throws IOException {
        // 15 renamed the functions
        String start = major < 15 ? "pg_start_backup('copy', true, false)" : "pg_backup_start('copy', true)";
        String stop = major < 15 ? "pg_stop_backup(false, false)" : "pg_backup_stop(false)";
        String label = server.sessions().inSession(session -> {
            String started = ControlSessions.rows(session, "SELECT " + start + "::text");
            try {
                FileTree.copy(from, to, BaseBackup::belongs);
            } catch (IOException e) {
                throw new UncheckedIOException("A base backup begun at " + started + " failed", e);
            }
            return ControlSessions.rows(session, "SELECT labelfile FROM " + stop);
        });
        Files.writeString(to.resolve("backup_label"), label);
    }

    private static boolean belongs(Path file) {
        String name = file.getFileName().toString();
        return !EMPTY.contains(file.getName(0).toString())
                && !LEFT_OUT.contains(file.toString())
                && !name.startsWith("pgsql_tmp")
                && !name.equals("pg_internal.init");
    }
}
