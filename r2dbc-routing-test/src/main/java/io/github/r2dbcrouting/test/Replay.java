package io.github.r2dbcrouting.test;

import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;

/** Have the replicas replayed what the primary has? */
final class Replay {

    /** Long enough for replay that is merely under way. */
    private static final Duration PATIENCE = Duration.ofMillis(100);

    private Replay() {}

    static void await(PostgresCluster cluster, Duration atMost) {
        PostgresServer primary = cluster.primary();
        String target = primary.position();
        List<PostgresServer> replicas = cluster.replicas();
        if (Await.within("", PATIENCE, () -> reached(replicas, target))) {
            return;
        }
        // the flush position may lie inside a record that its writer finishes when it commits: write it out
        primary.execute("SELECT pg_logical_emit_message(true, '', '')");
        Await.until(
                "the replicas have replayed " + target,
                atMost,
                () -> reached(replicas, target),
                () -> replicas.stream()
                        .map(replica -> replica + " stands at " + replica.position())
                        .collect(Collectors.joining(", ")));
    }

    private static boolean reached(List<PostgresServer> replicas, String target) {
        return replicas.stream()
                .allMatch(replica -> replica.query(
                                "SELECT coalesce(pg_last_wal_replay_lsn() >= '" + target + "'::pg_lsn, false)::text")
                        .equals("true"));
    }
}
