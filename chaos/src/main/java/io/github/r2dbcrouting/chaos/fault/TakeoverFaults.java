package io.github.r2dbcrouting.chaos.fault;

import io.github.r2dbcrouting.chaos.fault.Fault.Lane;
import io.github.r2dbcrouting.test.PostgresServer;
import io.github.r2dbcrouting.test.Side;
import io.github.r2dbcrouting.test.history.Switch;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Primaries that come and go. Some of what was acknowledged is lost each time. */
final class TakeoverFaults {

    private TakeoverFaults() {}

    static List<Fault> all() {
        return List.of(
                new Fault("failover, old primary back on its branch", Lane.SERVERS, TakeoverFaults::failover),
                new Fault("replica promoted beside the primary", Lane.SERVERS, TakeoverFaults::promotedBeside),
                new Fault("second replica promoted beside the first", Lane.SERVERS, TakeoverFaults::secondPromoted));
    }

    /** What the primary acknowledges after it was cut off is lost when it dies. */
    private static void failover(Target target) throws Exception {
        PostgresServer old = target.primary();
        List<PostgresServer> replicas = target.cluster().replicas();
        old.isolate(Side.UPSTREAM);
        target.pause(20, 400);
        old.kill();
        PostgresServer promoted = furthest(replicas);
        Switch change = target.witness().switched(promoted);
        promoted.promote();
        for (PostgresServer replica : replicas) {
            if (replica != promoted) {
                replica.follow(promoted);
            }
        }
        target.awaitFollowed(promoted);
        old.isolate(Side.BOTH);
        old.restart();
        target.witness().compare(change, old, promoted);
        change.followed();
        // now it is there, on its own branch, for whoever believes it
        old.reconnect();
        target.pause(300, 1200);
        old.rejoin();
        target.awaitAllUp();
    }

    /** The primary goes on, and acknowledges what is lost, until the routers have seen the promoted one. */
    private static void promotedBeside(Target target) throws Exception {
        PostgresServer old = target.primary();
        PostgresServer promoted = target.anyReplica();
        List<PostgresServer> others = new ArrayList<>(target.cluster().replicas());
        others.remove(promoted);
        Switch change = target.witness().switched(promoted);
        promoted.promote();
        target.awaitFollowed(promoted);
        target.pause(100, 1000);
        settle(target, change, old, promoted, others);
    }

    /** Two on timelines of one number, of which the first is followed. It has the lower number, which the cluster goes by. */
    private static void secondPromoted(Target target) throws Exception {
        PostgresServer old = target.primary();
        List<PostgresServer> replicas = new ArrayList<>(target.cluster().replicas());
        PostgresServer first = replicas.remove(0);
        PostgresServer second = replicas.remove(target.random().nextInt(replicas.size()));
        // both branch off at different places
        second.pauseReplay();
        target.pause(20, 200);
        Switch change = target.witness().switched(first);
        first.promote();
        target.awaitFollowed(first);
        second.resumeReplay();
        second.promote();
        target.pause(200, 1000);
        replicas.add(second);
        settle(target, change, old, first, replicas);
    }

    private static void settle(
            Target target, Switch change, PostgresServer old, PostgresServer promoted, List<PostgresServer> others)
            throws Exception {
        old.isolate(Side.CLIENTS);
        target.witness().compare(change, old, promoted);
        change.followed();
        old.rejoin();
        for (PostgresServer other : others) {
            other.rejoin();
        }
        old.reconnect();
        target.awaitAllUp();
    }

    private static PostgresServer furthest(List<PostgresServer> replicas) {
        return replicas.stream()
                .max(Comparator.comparingLong(TakeoverFaults::received))
                .orElseThrow(() -> new IllegalStateException("there is no replica"));
    }

    private static long received(PostgresServer replica) {
        return Long.parseLong(replica.query("SELECT (pg_last_wal_receive_lsn() - '0/0'::pg_lsn)::bigint"));
    }
}
