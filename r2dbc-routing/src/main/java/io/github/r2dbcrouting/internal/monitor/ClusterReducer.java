package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What do the reports of all servers say together?
 *
 * <p>A pure function. Its answers to contradictions: servers of another cluster and second names of one server are
 * refused; of several primaries the one on the latest branch is followed, of equals the one that already was, and none
 * if that is not known either.
 */
final class ClusterReducer {

    private final int failuresUntilDown;

    ClusterReducer(int failuresUntilDown) {
        this.failuresUntilDown = failuresUntilDown;
    }

    /**
     * Reduces the reports to a table.
     *
     * @param reports one for each server, in the order of their indexes
     * @param before the table until now
     * @param near whether a replica at a position is not too far behind
     * @return the table from now on, with the next version
     */
    RoutingTable reduce(List<ServerReport> reports, RoutingTable before, Predicate<Position> near) {
        String cluster = cluster(reports, before);
        Map<ServerIdentity, String> seen = new HashMap<>();
        List<ServerState> servers = new ArrayList<>(reports.size());
        for (ServerReport report : reports) {
            servers.add(state(report, cluster, seen, near));
        }
        ServerState primary = primary(reports, servers, before);
        explainMissingPrimary(reports, servers, primary);
        return new RoutingTable(before.version() + 1, servers, primary, cluster);
    }

    /**
     * Until every server was heard of, the first configured one that was reached says which cluster it is. Then it
     * stays that one: an address that comes to lead somewhere else must not take everything along.
     */
    private static @Nullable String cluster(List<ServerReport> reports, RoutingTable before) {
        if (before.cluster() != null && before.complete()) {
            return before.cluster();
        }
        for (ServerReport report : reports) {
            if (report.sample() != null) {
                return report.sample().introduction().identity().cluster();
            }
        }
        return null;
    }

    private ServerState state(
            ServerReport report, @Nullable String cluster, Map<ServerIdentity, String> seen, Predicate<Position> near) {
        MonitoredServer server = report.server();
        Sample sample = report.sample();
        if (sample == null) {
            ServerStatus status = report.failures() == 0 ? ServerStatus.UNKNOWN : ServerStatus.DOWN;
            return new ServerState(
                    server.index(),
                    server.name(),
                    server.tags(),
                    ServerRole.UNKNOWN,
                    status,
                    null,
                    null,
                    0,
                    true,
                    report.problem());
        }
        ServerIdentity identity = sample.introduction().identity();
        ServerStatus status = report.failures() == 0
                ? ServerStatus.UP
                : report.failures() < failuresUntilDown ? ServerStatus.SUSPECT : ServerStatus.DOWN;
        String problem = report.problem();
        if (!identity.cluster().equals(cluster)) {
            status = ServerStatus.REFUSED;
            problem = "belongs to another cluster (" + identity.cluster() + ", the others to " + cluster
                    + "): check its address";
        } else if (status == ServerStatus.UP) {
            String twin = seen.putIfAbsent(identity, server.name());
            if (twin != null) {
                status = ServerStatus.REFUSED;
                problem = "is the same server as " + twin + " under a second address: remove one of the two";
            }
        }
        Position position = sample.observation().position();
        ServerRole role = sample.observation().role();
        boolean tooFarBehind = role == ServerRole.REPLICA && (position == null || !near.test(position));
        return new ServerState(
                server.index(),
                server.name(),
                server.tags(),
                role,
                status,
                position,
                identity,
                sample.sentAt(),
                tooFarBehind,
                problem);
    }

    private static @Nullable ServerState primary(
            List<ServerReport> reports, List<ServerState> servers, RoutingTable before) {
        int followed = before.primary().map(ServerState::index).orElse(-1);
        ServerState best = null;
        long bestBranch = 0;
        boolean tie = false;
        for (ServerState server : servers) {
            Sample sample = reports.get(server.index()).sample();
            if (server.role() != ServerRole.PRIMARY || server.status() == ServerStatus.REFUSED || sample == null) {
                continue;
            }
            // also one that is down counts: what was promoted before it does not come back by its going away
            boolean usable = server.status() != ServerStatus.DOWN;
            long branch = sample.observation().branch();
            if (branch > bestBranch) {
                bestBranch = branch;
                best = usable ? server : null;
                tie = false;
            } else if (branch == bestBranch && usable) {
                if (best == null || server.index() == followed) {
                    best = server;
                    tie = false;
                } else if (best.index() != followed) {
                    tie = true;
                }
            }
        }
        return tie ? null : best;
    }

    /** A server that could be the primary and is not says why. */
    private static void explainMissingPrimary(
            List<ServerReport> reports, List<ServerState> servers, @Nullable ServerState primary) {
        for (int i = 0; i < servers.size(); i++) {
            ServerState server = servers.get(i);
            boolean followed = primary != null && primary.index() == server.index();
            if (server.role() == ServerRole.PRIMARY && server.status() == ServerStatus.UP && !followed) {
                servers.set(i, withProblem(server, whyNotPrimary(reports, servers, server, primary)));
            }
        }
    }

    private static String whyNotPrimary(
            List<ServerReport> reports, List<ServerState> servers, ServerState server, @Nullable ServerState primary) {
        if (primary != null) {
            return "is a primary, too, but " + primary.name() + " is followed: it serves nothing";
        }
        for (ServerState other : servers) {
            boolean down = other.role() == ServerRole.PRIMARY && other.status() == ServerStatus.DOWN;
            if (down && branch(reports, other) > branch(reports, server)) {
                return "is a primary on an earlier branch, and " + other.name()
                        + ", which is down, on a later branch: it serves nothing";
            }
        }
        return "is one of several primaries, and none of them was followed before: stop the wrong one";
    }

    private static long branch(List<ServerReport> reports, ServerState server) {
        Sample sample = reports.get(server.index()).sample();
        return sample == null ? 0 : sample.observation().branch();
    }

    private static ServerState withProblem(ServerState server, String problem) {
        return new ServerState(
                server.index(),
                server.name(),
                server.tags(),
                server.role(),
                ServerStatus.REFUSED,
                server.position(),
                server.identity(),
                server.sampledAt(),
                server.tooFarBehind(),
                problem);
    }
}
