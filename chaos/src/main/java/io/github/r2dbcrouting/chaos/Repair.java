package io.github.r2dbcrouting.chaos;

import io.github.r2dbcrouting.test.ClusterException;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresServer;
import io.github.r2dbcrouting.test.Role;
import io.r2dbc.spi.R2dbcException;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How does a cluster become whole again, whatever has happened to it? One primary, and everybody else follows it. */
final class Repair {

    private static final Logger LOG = LoggerFactory.getLogger(Repair.class);

    private Repair() {}

    static void of(PostgresCluster cluster) {
        for (PostgresServer server : cluster.servers()) {
            server.thaw();
            server.latency(Duration.ZERO);
            server.proxy().reconnect();
            server.reconnect();
            if (!server.isRunning()) {
                server.restart();
            }
        }
        // a promotion that a fault has begun may still be coming
        while (!oneLeads(cluster)) {
            LOG.info("another primary has come up");
        }
        cluster.awaitReplayed();
    }

    /** Returns whether the one that was the primary at first is so in the end. */
    private static boolean oneLeads(PostgresCluster cluster) {
        PostgresServer primary = cluster.currentPrimary();
        for (PostgresServer server : cluster.servers()) {
            if (server != primary && !follows(server, primary)) {
                if (cluster.currentPrimary() != primary) {
                    return false;
                }
                server.rejoin();
            }
        }
        return cluster.currentPrimary() == primary;
    }

    private static boolean follows(PostgresServer server, PostgresServer primary) {
        try {
            if (server.role() == Role.PRIMARY) {
                return false;
            }
            server.execute("SELECT pg_wal_replay_resume()");
            server.applyDelay(Duration.ZERO);
            return server.timeline() == primary.timeline()
                    && server.query("SELECT count(*)::text FROM pg_stat_wal_receiver WHERE status = 'streaming'")
                            .equals("1");
        } catch (ClusterException | R2dbcException e) {
            LOG.info("{} has to be made anew: {}", server, e.toString());
            return false;
        }
    }
}
