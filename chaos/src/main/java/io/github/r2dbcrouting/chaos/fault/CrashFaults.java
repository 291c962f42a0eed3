package io.github.r2dbcrouting.chaos.fault;

import io.github.r2dbcrouting.chaos.fault.Fault.Lane;
import io.github.r2dbcrouting.test.PostgresServer;
import java.time.Duration;
import java.util.List;

/**
 * Servers that stop, and that come back. A replica recovers from its last restart point and opens before it has replayed
 * again what it had; how far behind it is by then is a matter of luck, so a delay of its replay sees to it. An application
 * at which nobody does anything meanwhile has no failure to learn it from.
 */
final class CrashFaults {

    private static final Duration BACK = Duration.ofSeconds(30);

    private CrashFaults() {}

    static List<Fault> all() {
        return List.of(
                new Fault("replica frozen", Lane.SERVERS, CrashFaults::replicaFrozen),
                new Fault("replica killed, back in time", Lane.SERVERS, CrashFaults::replicaBackInTime),
                new Fault("backend of a replica killed, back in time", Lane.SERVERS, CrashFaults::backendBackInTime),
                new Fault(
                        "replica restarted",
                        Lane.SERVERS,
                        target -> target.anyReplica().restart()),
                new Fault(
                        "backend of the primary killed",
                        Lane.SERVERS,
                        target -> target.primary().killBackend()),
                new Fault("primary killed and restarted", Lane.SERVERS, CrashFaults::primaryRestarted),
                new Fault("primary frozen", Lane.SERVERS, CrashFaults::primaryFrozen));
    }

    private static void replicaFrozen(Target target) throws Exception {
        frozen(target, target.anyReplica());
    }

    private static void primaryFrozen(Target target) throws Exception {
        frozen(target, target.primary());
    }

    private static void frozen(Target target, PostgresServer server) throws Exception {
        server.freeze();
        try {
            target.pause(200, 2500);
        } finally {
            server.thaw();
        }
    }

    private static void replicaBackInTime(Target target) throws Exception {
        backInTime(target, replica -> {
            replica.kill();
            replica.restart();
        });
    }

    private static void backendBackInTime(Target target) throws Exception {
        backInTime(target, PostgresServer::killBackend);
    }

    private interface Crash {
        void of(PostgresServer replica);
    }

    private static void backInTime(Target target, Crash crash) throws Exception {
        PostgresServer replica = target.anyReplica();
        // the restart point that it goes back to; what is written from here on it has, and then has not
        target.primary().execute("CHECKPOINT");
        replica.execute("CHECKPOINT");
        target.pause(500, 1000);
        target.few().rest();
        try {
            // what they did last comes to be known of all replicas
            target.pause(100, 300);
            // only what is already replayed was replayed in time: after the crash every commit is too young
            replica.applyDelay(BACK);
            crash.of(replica);
            target.few().wake();
            target.pause(500, 1500);
        } finally {
            target.few().wake();
            replica.applyDelay(Duration.ZERO);
        }
    }

    private static void primaryRestarted(Target target) throws Exception {
        PostgresServer primary = target.primary();
        primary.kill();
        try {
            target.pause(1, 1500);
        } finally {
            primary.restart();
        }
    }
}
