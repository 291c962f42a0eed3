package io.github.r2dbcrouting.test;

import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;

/** Have the replicas replayed what the primary has? */
final class Replay {

    /** Long enough for replay that is merely under way. */
    private static final Duration PATIENCE = Duration.ofMillis(100);

    private static final String WHAT = "the replicas have replayed what the primary has";

    private Replay() {}

    /** Returns whether all replicas that can follow {@code primary} have caught up in time. */
    static boolean within(PostgresServer primary, List<PostgresServer> servers, Duration atMost) {
        String target = primary.position();
        List<PostgresServer> replicas = able(primary, servers);
        if (Await.within(WHAT, PATIENCE, () -> reached(replicas, target))) {
            return true;
        }
        // the flush position may lie inside a record that its writer finishes only when it commits: write it out
        primary.sessions().execute("SET synchronous_commit = local", "SELECT pg_logical_emit_message(true, '', '')");
        return Await.within(WHAT, atMost, () -> reached(replicas, target));
    }

    /** Says where each replica stands. */
    static String picture(PostgresServer primary, List<PostgresServer> servers) {
        return able(primary, servers).stream()
                .map(replica -> replica + " stands at " + replica.position())
                .collect(Collectors.joining(", ", primary + " stands at " + primary.position() + ", ", ""));
    }

    private static List<PostgresServer> able(PostgresServer primary, List<PostgresServer> servers) {
        return servers.stream()
                .filter(server -> server.isRunning()
                        && !server.process().isFrozen()
                        && server.links().followed() == primary
                        && !server.links().isCutOff()
                        && server.role() == Role.REPLICA
                        && server.query("SELECT pg_is_wal_replay_paused()").equals("false"))
                .toList();
    }

    private static boolean reached(List<PostgresServer> replicas, String target) {
        return replicas.stream()
                .allMatch(replica -> replica.query(
                                "SELECT coalesce(pg_last_wal_replay_lsn() >= '" + target + "'::pg_lsn, false)")
                        .equals("true"));
    }
}
