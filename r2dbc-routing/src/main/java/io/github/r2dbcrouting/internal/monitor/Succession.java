package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.spi.Lineage;
import io.github.r2dbcrouting.spi.Position;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which primary is followed, and what led to its branch?
 *
 * <p>The one on the latest branch; of equals the one that already was, also while it is down: equal numbers are not one
 * branch, since servers that are promoted separately choose the same. None if that does not say which. Pure functions.
 */
final class Succession {

    private final boolean faithful;

    /**
     * Creates the rule.
     *
     * @param faithful whether the one that is followed stays so while it is down
     */
    Succession(boolean faithful) {
        this.faithful = faithful;
    }

    /**
     * Whoever answers first is no primary yet: another one may be about to say that it is one as well, and none of them
     * was followed before. Only at the very beginning, and no longer than the first probe of each server takes.
     */
    private boolean undecided(List<ServerState> servers, RoutingTable before) {
        return faithful
                && before.lineage() == null
                && servers.stream().anyMatch(server -> server.status() == ServerStatus.UNKNOWN);
    }

    @Nullable
    ServerState primary(List<ServerReport> reports, List<ServerState> servers, RoutingTable before) {
        if (undecided(servers, before)) {
            return null;
        }
        Lineage line = faithful ? before.lineage() : null;
        boolean bound = line != null && before.followed() >= 0 && !gaveUp(servers.get(before.followed()));
        ServerState best = null;
        long bestBranch = 0;
        boolean tie = false;
        for (ServerState server : servers) {
            if (!mayLead(server)) {
                continue;
            }
            boolean followed = server.index() == before.followed();
            long branch = branch(reports, server);
            if (line != null && !followed && (branch < line.branch() || (bound && branch == line.branch()))) {
                continue;
            }
            // also one that is down counts: what was promoted before it does not come back by its going away
            boolean usable = server.status() != ServerStatus.DOWN;
            if (branch > bestBranch && (usable || faithful)) {
                bestBranch = branch;
                best = usable ? server : null;
                tie = false;
            } else if (branch == bestBranch && usable) {
                if (best == null || followed) {
                    best = server;
                    tie = false;
                } else if (best.index() != before.followed()) {
                    tie = true;
                }
            }
        }
        return tie ? null : best;
    }

    private static boolean mayLead(ServerState server) {
        return server.role() == ServerRole.PRIMARY && server.status() != ServerStatus.REFUSED;
    }

    /** It says itself that it follows somebody now, or somebody has taken it away. */
    private static boolean gaveUp(ServerState server) {
        return server.status() == ServerStatus.REMOVED
                || (server.role() == ServerRole.REPLICA && server.status() == ServerStatus.UP);
    }

    /** The server that was followed, perhaps under another address. */
    private static boolean isFollowed(Sample sample, int index, RoutingTable before) {
        int followed = before.followed();
        return followed == index
                || (followed >= 0
                        && sample.introduction()
                                .identity()
                                .equals(before.servers().get(followed).identity()));
    }

    static Lineage lineage(ServerReport primary, int index, RoutingTable before) {
        Sample sample = primary.sample();
        long branch = sample == null ? 0 : sample.observation().branch();
        if (sample != null && !sample.ancestors().isEmpty()) {
            return Lineage.of(branch, sample.ancestors());
        }
        Lineage line = before.lineage();
        if (line != null && sample != null && line.branch() == branch && isFollowed(sample, index, before)) {
            return line;
        }
        Position left = primary.switchPoint();
        if (left == null) {
            return Lineage.of(branch, List.of());
        }
        return line == null ? Lineage.of(branch, List.of(left)) : line.then(branch, left);
    }

    /** Another primary, up or down, on a branch with the same number: whom a replica there follows cannot be told. */
    @Nullable
    ServerState rival(List<ServerReport> reports, List<ServerState> servers, @Nullable Lineage line, int followed) {
        for (ServerState server : servers) {
            boolean other = line != null && followed >= 0 && server.index() != followed && mayLead(server);
            if (other && line != null && branch(reports, server) == line.branch()) {
                return server;
            }
        }
        return null;
    }

    /** Whether there is another primary than the one that is followed, which answers or has only just failed to. */
    static boolean anotherAnswers(List<ServerState> servers, int followed) {
        return servers.stream()
                .anyMatch(server ->
                        server.index() != followed && mayLead(server) && server.status() != ServerStatus.DOWN);
    }

    /** A server that could be the primary and is not says why. */
    void explainMissingPrimary(
            List<ServerReport> reports, List<ServerState> servers, @Nullable ServerState primary, RoutingTable before) {
        if (undecided(servers, before)) {
            return;
        }
        for (int i = 0; i < servers.size(); i++) {
            ServerState server = servers.get(i);
            boolean followed = primary != null && primary.index() == server.index();
            if (server.role() == ServerRole.PRIMARY && server.status() == ServerStatus.UP && !followed) {
                servers.set(i, Placement.refused(server, whyNotPrimary(reports, servers, server, primary)));
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
            if (down && branch(reports, other) == branch(reports, server)) {
                return "is a primary on a branch of its own, and " + other.name()
                        + ", which is down, was promoted beside it: it serves nothing; make one a replica of the other";
            }
        }
        return "is one of several primaries, and none of them was followed before: stop the wrong one";
    }

    private static long branch(List<ServerReport> reports, ServerState server) {
        Sample sample = reports.get(server.index()).sample();
        return sample == null ? 0 : sample.observation().branch();
    }
}
