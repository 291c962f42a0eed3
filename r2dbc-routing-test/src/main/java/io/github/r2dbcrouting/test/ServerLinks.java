package io.github.r2dbcrouting.test;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Who reaches a server, and whom does it reach? One proxy for its clients, one for the WAL that it receives. */
final class ServerLinks {

    private final FaultProxy clients;
    private final FaultProxy upstream;
    private volatile @Nullable PostgresServer followed;
    private volatile boolean cutFromServers;

    ServerLinks(PostgresServer server) {
        clients = FaultProxy.to(() -> server.process().address());
        upstream = FaultProxy.to(() -> {
            PostgresServer leader = followed;
            return leader == null ? null : leader.process().address();
        });
    }

    FaultProxy clients() {
        return clients;
    }

    /** Where the server finds its primary, whoever that is. */
    int upstreamPort() {
        return upstream.port();
    }

    @Nullable
    PostgresServer followed() {
        return followed;
    }

    /** Leads the server's replication to another one from now on; the old connection ends. */
    void follow(@Nullable PostgresServer leader) {
        followed = leader;
        upstream.resetConnections();
        update();
    }

    /** Whether no WAL can arrive, since this server or the one that it follows is cut off. */
    boolean isCutOff() {
        PostgresServer leader = followed;
        return cutFromServers || (leader != null && leader.links().cutFromServers);
    }

    void isolate(Side side, List<PostgresServer> all) {
        if (side.clients()) {
            clients.isolate();
        }
        if (side.upstream()) {
            cutFromServers = true;
            updateAll(all);
        }
    }

    void reconnect(List<PostgresServer> all) {
        clients.reconnect();
        cutFromServers = false;
        updateAll(all);
    }

    void close() {
        clients.close();
        upstream.close();
    }

    /** A link is cut if either of its ends is, so a server's change concerns its followers, too. */
    private static void updateAll(List<PostgresServer> all) {
        all.forEach(server -> server.links().update());
    }

    private void update() {
        if (isCutOff()) {
            upstream.isolate();
        } else {
            upstream.reconnect();
        }
    }
}
