package io.github.r2dbcrouting.chaos.fault;

import io.github.r2dbcrouting.chaos.fault.Fault.Lane;
import io.github.r2dbcrouting.test.PostgresServer;
import io.github.r2dbcrouting.test.Side;
import java.time.Duration;
import java.util.List;

/** What lies between servers and applications, and between servers. */
final class NetworkFaults {

    private NetworkFaults() {}

    static List<Fault> all() {
        return List.of(
                new Fault("router cut off from a replica", Lane.SERVERS, t -> cut(t, t.anyReplica(), Side.CLIENTS)),
                new Fault("router cut off from the primary", Lane.SERVERS, t -> cut(t, t.primary(), Side.CLIENTS)),
                new Fault("replica cut off from the primary", Lane.SERVERS, t -> cut(t, t.anyReplica(), Side.UPSTREAM)),
                new Fault("replica cut off from all", Lane.SERVERS, t -> cut(t, t.anyReplica(), Side.BOTH)),
                new Fault("connections refused", Lane.SERVERS, NetworkFaults::refused),
                new Fault("latency", Lane.APPLICATIONS, NetworkFaults::latency),
                new Fault("connections reset within results", Lane.APPLICATIONS, NetworkFaults::reset));
    }

    private static void cut(Target target, PostgresServer server, Side side) throws Exception {
        server.isolate(side);
        try {
            target.pause(300, 3000);
        } finally {
            server.reconnect();
        }
    }

    private static void refused(Target target) throws Exception {
        PostgresServer server = target.anyServer();
        server.proxy().refuse();
        try {
            target.pause(100, 1500);
        } finally {
            server.proxy().reconnect();
        }
    }

    private static void latency(Target target) throws Exception {
        PostgresServer server = target.anyServer();
        server.latency(target.between(1, 25));
        try {
            target.pause(1000, 3000);
        } finally {
            server.latency(Duration.ZERO);
        }
    }

    /** At moments that have nothing to do with what is under way: some of it is in the middle of an answer. */
    private static void reset(Target target) throws Exception {
        for (int i = 0; i < 8; i++) {
            target.anyServer().proxy().resetConnections();
            target.pause(20, 200);
        }
    }
}
