package io.github.r2dbcrouting.chaos.fault;

import io.github.r2dbcrouting.chaos.fault.Fault.Lane;
import io.github.r2dbcrouting.test.PostgresServer;
import java.time.Duration;
import java.util.List;

/** Replicas that fall behind. */
final class ReplayFaults {

    private ReplayFaults() {}

    static List<Fault> all() {
        return List.of(
                new Fault("replay paused", Lane.SERVERS, ReplayFaults::paused),
                new Fault("replay delayed", Lane.SERVERS, ReplayFaults::delayed),
                new Fault("all replicas behind", Lane.SERVERS, ReplayFaults::allBehind));
    }

    private static void paused(Target target) throws Exception {
        PostgresServer replica = target.anyReplica();
        replica.pauseReplay();
        try {
            target.pause(500, 2500);
        } finally {
            replica.resumeReplay();
        }
    }

    private static void delayed(Target target) throws Exception {
        PostgresServer replica = target.anyReplica();
        replica.applyDelay(target.between(50, 1500));
        try {
            target.pause(1000, 3000);
        } finally {
            replica.applyDelay(Duration.ZERO);
        }
    }

    private static void allBehind(Target target) throws Exception {
        List<PostgresServer> replicas = target.cluster().replicas();
        replicas.forEach(PostgresServer::pauseReplay);
        try {
            target.pause(300, 1500);
        } finally {
            replicas.forEach(PostgresServer::resumeReplay);
        }
    }
}
