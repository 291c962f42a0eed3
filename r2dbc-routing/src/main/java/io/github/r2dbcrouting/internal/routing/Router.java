package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.RouteDecision.Candidate;
import io.github.r2dbcrouting.RouteDecision.Reason;
import io.github.r2dbcrouting.RouteDecision.Refusal;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.spi.Position;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Which server serves this?
 *
 * <p>A pure function of a table, a question and the present load, but for the random draw between equals. Freshness
 * comes first: only replicas that have what the read needs are drawn from.
 */
public final class Router {

    private final Load load;
    private final IntUnaryOperator random;
    private final Safeguards safeguards;

    /**
     * Creates a router.
     *
     * @param load the present load of the servers
     * @param random draws a number from 0 to below its argument
     * @param safeguards the mechanisms in force
     */
    public Router(Load load, IntUnaryOperator random, Safeguards safeguards) {
        this.load = load;
        this.random = random;
        this.safeguards = safeguards;
    }

    /**
     * Chooses a server.
     *
     * @param table what is known of the cluster
     * @param ask what is asked
     * @param avoid the indexes of servers that this request has already tried
     * @return the route; without a server if nobody can serve
     */
    public Route choose(RoutingTable table, Ask ask, BitSet avoid) {
        if (ask.intent() == Intent.WRITE) {
            return primary(table, Reason.WRITE, List.of());
        }
        if (ask.freshness().kind() == Freshness.Kind.LATEST) {
            return primary(table, Reason.LATEST, List.of());
        }
        String cluster = table.cluster();
        if (cluster == null) {
            return nobody(table);
        }
        if (pending(ask, cluster)) {
            return primary(table, Reason.WRITE_PENDING, List.of());
        }
        List<Position> required = onLine(ask.required(cluster), table);
        Reason reason = required.isEmpty() ? Reason.NOTHING_TO_COVER : Reason.COVERS_TOKEN;
        return replica(table, reason, required, avoid);
    }

    private boolean pending(Ask ask, @Nullable String cluster) {
        SessionState session = ask.session();
        return ask.causal()
                && session != null
                && cluster != null
                && session.hasPending(cluster)
                && safeguards.has(Safeguard.PENDING_WRITES);
    }

    /**
     * Tells what is required on the primary's branch, where the servers' positions are. What does not surely lie on the
     * line of history that led there stays as it is, and is covered by nobody.
     */
    private static List<Position> onLine(List<Position> required, RoutingTable table) {
        boolean all = true;
        for (int i = 0; i < required.size(); i++) {
            Position position = required.get(i);
            all &= position.equals(table.onLine(position));
        }
        if (all) {
            return required;
        }
        List<Position> there = new ArrayList<>(required.size());
        for (Position position : required) {
            Position onLine = table.onLine(position);
            there.add(onLine == null ? position : onLine);
        }
        return there;
    }

    private static Route nobody(RoutingTable table) {
        return new Route(null, Reason.NO_SERVER, List.of(), table);
    }

    private static Route primary(RoutingTable table, Reason reason, List<Position> required) {
        ServerState primary = table.primary().orElse(null);
        return primary == null ? nobody(table) : new Route(primary, reason, required, table);
    }

    private Route replica(RoutingTable table, Reason reason, List<Position> required, BitSet avoid) {
        ServerState chosen = draw(table.replicas(), required, avoid);
        if (chosen != null) {
            return new Route(chosen, reason, required, table);
        }
        return primary(table, table.replicas().isEmpty() ? Reason.NO_REPLICA : Reason.NO_REPLICA_COVERS, List.of());
    }

    /**
     * Draws two of the eligible ones and takes the less busy: close to the best of all, without herding on it.
     * Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001.
     */
    private @Nullable ServerState draw(List<ServerState> replicas, List<Position> required, BitSet avoid) {
        int eligible = 0;
        for (int i = 0; i < replicas.size(); i++) {
            if (eligible(replicas.get(i), required, avoid)) {
                eligible++;
            }
        }
        if (eligible == 0) {
            return null;
        }
        int first = random.applyAsInt(eligible);
        if (eligible == 1) {
            return nth(replicas, required, avoid, first);
        }
        int second = random.applyAsInt(eligible - 1);
        ServerState one = nth(replicas, required, avoid, first);
        ServerState other = nth(replicas, required, avoid, second < first ? second : second + 1);
        return load.inFlight(one.index()) <= load.inFlight(other.index()) ? one : other;
    }

    private static boolean eligible(ServerState replica, List<Position> required, BitSet avoid) {
        return replica.covers(required) && !avoid.get(replica.index());
    }

    private static ServerState nth(List<ServerState> replicas, List<Position> required, BitSet avoid, int n) {
        int left = n;
        for (ServerState replica : replicas) {
            if (eligible(replica, required, avoid) && left-- == 0) {
                return replica;
            }
        }
        throw new IllegalArgumentException("there are fewer than " + (n + 1) + " eligible replicas");
    }

    /**
     * Puts a route into words: which server, why, and why not each of the others.
     *
     * @param route what was chosen
     * @param ask what was asked
     * @param avoid the indexes of servers that this request has already tried
     * @return the decision for people
     */
    public RouteDecision explain(Route route, Ask ask, BitSet avoid) {
        ServerState chosen = route.server();
        String cluster = route.table().cluster();
        boolean pending = pending(ask, cluster);
        List<Position> required = cluster == null ? List.of() : onLine(ask.required(cluster), route.table());
        boolean primaryOnly = ask.intent() == Intent.WRITE || ask.freshness().kind() == Freshness.Kind.LATEST;
        List<Candidate> candidates = new ArrayList<>();
        for (ServerState server : route.table().servers()) {
            boolean isChosen = chosen != null && chosen.index() == server.index();
            candidates.add(new Candidate(
                    server.name(), isChosen ? null : refusal(server, primaryOnly, pending, required, avoid)));
        }
        return new RouteDecision(
                chosen == null ? null : chosen.name(),
                chosen == null ? ServerRole.UNKNOWN : chosen.role(),
                route.reason(),
                ask.intent(),
                ask.freshness(),
                List.copyOf(candidates));
    }

    private static @Nullable Refusal refusal(
            ServerState server, boolean primaryOnly, boolean pending, List<Position> required, BitSet avoid) {
        if (avoid.get(server.index())) {
            return Refusal.FAILED;
        }
        if (server.status() != ServerStatus.UP) {
            return Refusal.NOT_UP;
        }
        if (primaryOnly || server.role() != ServerRole.REPLICA) {
            return Refusal.WRONG_ROLE;
        }
        if (server.tooFarBehind()) {
            return Refusal.TOO_FAR_BEHIND;
        }
        if (pending) {
            return Refusal.WRITE_PENDING;
        }
        return server.covers(required) ? null : Refusal.BEHIND_TOKEN;
    }
}
