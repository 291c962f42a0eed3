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
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.function.LongSupplier;
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
    private final LongSupplier clock;
    private final long primaryAfterWrite;

    /**
     * Creates a router that does not read from the primary because of a write some time ago.
     *
     * @param load the present load of the servers
     * @param random draws a number from 0 to below its argument
     * @param safeguards the mechanisms in force
     */
    public Router(Load load, IntUnaryOperator random, Safeguards safeguards) {
        this(load, random, safeguards, System::nanoTime, Duration.ZERO);
    }

    /**
     * Creates a router.
     *
     * @param load the present load of the servers
     * @param random draws a number from 0 to below its argument
     * @param safeguards the mechanisms in force
     * @param clock tells the time by which servers were sampled, in nanoseconds
     * @param primaryAfterWrite how long after a write its session reads from the primary
     */
    public Router(
            Load load, IntUnaryOperator random, Safeguards safeguards, LongSupplier clock, Duration primaryAfterWrite) {
        this.load = load;
        this.random = random;
        this.safeguards = safeguards;
        this.clock = clock;
        this.primaryAfterWrite = primaryAfterWrite.toNanos();
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
        if (wroteLately(ask)) {
            return primary(table, Reason.WROTE_LATELY, List.of());
        }
        if (pending(ask, cluster)) {
            return primary(table, Reason.WRITE_PENDING, List.of());
        }
        if (ask.freshness().kind() == Freshness.Kind.AT_MOST) {
            return replica(table, Reason.FRESH_ENOUGH, new Need(List.of(), bound(ask), clock.getAsLong()), avoid);
        }
        List<Position> required = ask.required(cluster);
        Reason reason = required.isEmpty() ? Reason.NOTHING_TO_COVER : Reason.COVERS_TOKEN;
        return replica(table, reason, new Need(required, null, 0), avoid);
    }

    /** What a replica must have: the positions, and, if there is a bound, everything from so long before now. */
    private record Need(List<Position> required, @Nullable Duration bound, long now) {

        boolean metBy(ServerState replica) {
            return replica.covers(required) && (bound == null || replica.lag().within(now, bound.toNanos()));
        }
    }

    private @Nullable Duration bound(Ask ask) {
        return safeguards.has(Safeguard.STALENESS_BOUND) ? ask.freshness().bound() : null;
    }

    private boolean wroteLately(Ask ask) {
        SessionState session = ask.session();
        return ask.causal() && session != null && session.wroteLately(primaryAfterWrite);
    }

    /**
     * Tells whether a replica is likely to be fresh enough soon, judging by how long each lately took.
     *
     * @param table what is known of the cluster
     * @param ask what is asked
     * @param avoid the indexes of servers that this request has already tried
     * @param limit how soon
     * @return whether it is worth waiting for; not while a write has no position, since nothing can be said of it
     */
    public boolean predicts(RoutingTable table, Ask ask, BitSet avoid, Duration limit) {
        if (limit.isZero() || pending(ask, table.cluster())) {
            return false;
        }
        for (ServerState replica : table.replicas()) {
            if (!avoid.get(replica.index()) && replica.lag().catchUp().compareTo(limit) <= 0) {
                return true;
            }
        }
        return false;
    }

    private boolean pending(Ask ask, @Nullable String cluster) {
        return ask.pendingIn(cluster) && safeguards.has(Safeguard.PENDING_WRITES);
    }

    private static Route nobody(RoutingTable table) {
        return new Route(null, Reason.NO_SERVER, List.of(), table);
    }

    private static Route primary(RoutingTable table, Reason reason, List<Position> required) {
        ServerState primary = table.primary().orElse(null);
        return primary == null ? nobody(table) : new Route(primary, reason, required, table);
    }

    private Route replica(RoutingTable table, Reason reason, Need need, BitSet avoid) {
        ServerState chosen = draw(table.replicas(), need, avoid);
        if (chosen != null) {
            return new Route(chosen, reason, need.required, table, need.bound, null, Duration.ZERO);
        }
        Reason lacking = reason == Reason.FRESH_ENOUGH ? Reason.NO_REPLICA_FRESH : Reason.NO_REPLICA_COVERS;
        return primary(table, table.replicas().isEmpty() ? Reason.NO_REPLICA : lacking, List.of());
    }

    /**
     * Draws two of the eligible ones and takes the less busy: close to the best of all, without herding on it.
     * Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001.
     */
    private @Nullable ServerState draw(List<ServerState> replicas, Need need, BitSet avoid) {
        int eligible = 0;
        for (int i = 0; i < replicas.size(); i++) {
            if (eligible(replicas.get(i), need, avoid)) {
                eligible++;
            }
        }
        if (eligible == 0) {
            return null;
        }
        int first = random.applyAsInt(eligible);
        if (eligible == 1) {
            return nth(replicas, need, avoid, first);
        }
        int second = random.applyAsInt(eligible - 1);
        ServerState one = nth(replicas, need, avoid, first);
        ServerState other = nth(replicas, need, avoid, second < first ? second : second + 1);
        return load.inFlight(one.index()) <= load.inFlight(other.index()) ? one : other;
    }

    private static boolean eligible(ServerState replica, Need need, BitSet avoid) {
        return need.metBy(replica) && !avoid.get(replica.index());
    }

    private static ServerState nth(List<ServerState> replicas, Need need, BitSet avoid, int n) {
        int left = n;
        for (ServerState replica : replicas) {
            if (eligible(replica, need, avoid) && left-- == 0) {
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
        Need need = new Need(
                cluster == null ? List.of() : ask.required(cluster),
                ask.freshness().bound(),
                clock.getAsLong());
        boolean lately = wroteLately(ask);
        boolean primaryOnly = ask.intent() == Intent.WRITE || ask.freshness().kind() == Freshness.Kind.LATEST;
        List<Candidate> candidates = new ArrayList<>();
        for (ServerState server : route.table().servers()) {
            boolean isChosen = chosen != null && chosen.index() == server.index();
            candidates.add(new Candidate(
                    server.name(), isChosen ? null : refusal(server, primaryOnly, pending, lately, need, avoid)));
        }
        return new RouteDecision(
                chosen == null ? null : chosen.name(),
                chosen == null ? ServerRole.UNKNOWN : chosen.role(),
                route.reason(),
                ask.intent(),
                ask.freshness(),
                List.copyOf(candidates),
                route.waited());
    }

    private static @Nullable Refusal refusal(
            ServerState server, boolean primaryOnly, boolean pending, boolean lately, Need need, BitSet avoid) {
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
        if (lately) {
            return Refusal.WROTE_LATELY;
        }
        if (pending) {
            return Refusal.WRITE_PENDING;
        }
        if (need.metBy(server)) {
            return null;
        }
        return need.bound == null ? Refusal.BEHIND_TOKEN : Refusal.TOO_OLD;
    }
}
