package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.Lag;
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
import io.github.r2dbcrouting.internal.session.Sighting;
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
    private final Ejections ejections;
    private final LongSupplier clock;
    private final long primaryAfterWrite;
    private final Policies policies;

    /**
     * Creates a router.
     *
     * @param load the present load of the servers
     * @param random draws a number from 0 to below its argument
     * @param safeguards the mechanisms in force
     * @param ejections what requests have found out about the servers by themselves
     * @param clock tells the time by which servers were sampled, in nanoseconds
     * @param primaryAfterWrite how long after a write its session reads from the primary
     * @param policies how replicas that are fresh enough are chosen among
     */
    public Router(
            Load load,
            IntUnaryOperator random,
            Safeguards safeguards,
            Ejections ejections,
            LongSupplier clock,
            Duration primaryAfterWrite,
            Policies policies) {
        this.load = load;
        this.random = random;
        this.safeguards = safeguards;
        this.ejections = ejections;
        this.clock = clock;
        this.primaryAfterWrite = primaryAfterWrite.toNanos();
        this.policies = policies;
    }

    /**
     * Returns where requests report how they fared.
     *
     * @return what this router avoids servers by
     */
    public Ejections ejections() {
        return ejections;
    }

    /**
     * Returns the policies that replicas are chosen by.
     *
     * @return the policies
     */
    public Policies policies() {
        return policies;
    }

    /**
     * Chooses a server.
     *
     * @param table what is known of the cluster
     * @param ask what is asked
     * @param avoid the indexes of servers that this request has already tried
     * @return the route; without a server if nobody can serve
     * @throws io.github.r2dbcrouting.UnknownPolicyException if a replica is to be chosen by a policy that nobody has defined
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
        Policies.Applied policy = policies.of(ask.policy());
        if (pending(ask, cluster)) {
            return insteadOfReplica(table, Reason.WRITE_PENDING, policy);
        }
        if (ask.freshness().kind() == Freshness.Kind.AT_MOST) {
            Need need = new Need(List.of(), bound(ask), clock.getAsLong());
            return replica(table, Reason.FRESH_ENOUGH, need, leaving(policy, table, need, avoid), policy);
        }
        // in this order: what is seen becomes required, and never the other way round
        boolean readsPending = ask.readsPending(cluster) && !table.replicas().isEmpty();
        List<Sighting> seen = seen(ask, cluster);
        List<Position> required = onLine(ask.required(cluster), table);
        Reason reason = required.isEmpty() ? Reason.NOTHING_TO_COVER : Reason.COVERS_TOKEN;
        Need need = new Need(required, null, 0);
        if (readsPending) {
            return awaitingFloors(table, required, seen, policy);
        }
        BitSet left = leaving(policy, table, need, avoid);
        if (seen.isEmpty()) {
            return replica(table, reason, need, left, policy);
        }
        ServerState stayed = stay(table.replicas(), seen, need, left);
        if (stayed != null && ejections.ejected(stayed.index()) && anotherIsFit(table.replicas(), need, left)) {
            stayed = null;
        }
        if (stayed != null && (ask.placed() || onOneServer(seen))) {
            List<Sighting> relied = ask.placed() ? List.of() : seen;
            return new Route(stayed, reason, required, table, relied, false, null, null, Duration.ZERO);
        }
        if (ask.placed() || table.replicas().isEmpty()) {
            return replica(table, reason, need, left, policy);
        }
        return awaitingFloors(table, required, seen, policy);
    }

    /**
     * Adds to the servers that are avoided those that the policy does not choose now. It chooses among those that are
     * fresh enough: what it wants so many of, it wants so many of that can serve this read.
     */
    private BitSet leaving(Policies.@Nullable Applied policy, RoutingTable table, Need need, BitSet avoid) {
        if (policy == null) {
            return avoid;
        }
        List<ServerState> replicas = table.replicas();
        BitSet fresh = new BitSet();
        boolean freshnessFirst = safeguards.has(Safeguard.FRESHNESS_FIRST);
        for (int i = 0; i < replicas.size(); i++) {
            ServerState replica = replicas.get(i);
            fresh.set(replica.index(), !freshnessFirst || eligible(replica, need, avoid));
        }
        BitSet chosen =
                policy.servers().select(fresh, server -> lag(table.servers().get(server)));
        BitSet left = new BitSet();
        left.set(0, table.servers().size());
        left.andNot(chosen);
        left.or(avoid);
        return left;
    }

    private long lag(ServerState server) {
        long freshAt = server.lag().freshAt();
        return freshAt == Lag.NEVER ? Long.MAX_VALUE : clock.getAsLong() - freshAt;
    }

    /** The primary, unless the policy ends with nobody. */
    private static Route insteadOfReplica(RoutingTable table, Reason reason, Policies.@Nullable Applied policy) {
        return policy != null && policy.halts()
                ? new Route(null, reason, List.of(), table)
                : primary(table, reason, List.of());
    }

    private static Route awaitingFloors(
            RoutingTable table, List<Position> required, List<Sighting> seen, Policies.@Nullable Applied policy) {
        return new Route(
                policy != null && policy.halts() ? null : table.primary().orElse(null),
                Reason.WRITE_PENDING,
                required,
                table,
                seen,
                true,
                null,
                null,
                Duration.ZERO);
    }

    private List<Sighting> seen(Ask ask, String cluster) {
        return safeguards.has(Safeguard.MONOTONIC_READS) ? ask.seen(cluster) : List.of();
    }

    private static boolean onOneServer(List<Sighting> seen) {
        for (int i = 1; i < seen.size(); i++) {
            if (!seen.get(i).identity().equals(seen.get(0).identity())) {
                return false;
            }
        }
        return true;
    }

    /** The first that the session has read from, so that reads at the same time come to agree on one. */
    private static @Nullable ServerState stay(
            List<ServerState> replicas, List<Sighting> seen, Need need, BitSet avoid) {
        for (int i = 0; i < replicas.size(); i++) {
            ServerState replica = replicas.get(i);
            if (eligible(replica, need, avoid) && seenAt(replica, seen)) {
                return replica;
            }
        }
        return null;
    }

    /** Whether a replica that has not failed lately may serve, once it is known what the session has seen. */
    private boolean anotherIsFit(List<ServerState> replicas, Need need, BitSet avoid) {
        for (int i = 0; i < replicas.size(); i++) {
            ServerState replica = replicas.get(i);
            if (eligible(replica, need, avoid) && !ejections.ejected(replica.index())) {
                return true;
            }
        }
        return false;
    }

    /**
     * Tells whether the policy that a read asks for admits a replica of which a connection is held already.
     *
     * @param route what was chosen for the read, by a table
     * @param ask what is asked
     * @param avoid the indexes of servers that this request has already tried
     * @param server the index of the replica
     * @return whether the replica could have been drawn as well, if it is fresh enough
     */
    public boolean admits(Route route, Ask ask, BitSet avoid, int server) {
        if (avoid.get(server)) {
            return false;
        }
        Policies.Applied policy = policies.of(ask.policy());
        Need need = new Need(route.required(), route.bound(), clock.getAsLong());
        return policy == null || !leaving(policy, route.table(), need, avoid).get(server);
    }

    private static boolean seenAt(ServerState replica, List<Sighting> seen) {
        for (int i = 0; i < seen.size(); i++) {
            if (seen.get(i).identity().equals(replica.identity())) {
                return true;
            }
        }
        return false;
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

    /**
     * Tells what is required on the primary's branch, where the servers' positions are. What does not surely lie on the
     * line of history that led there stays as it is, and is covered by nobody.
     *
     * @param required positions, wherever they were captured
     * @param table what is known of the line
     * @return the positions, as far as possible where the servers' are
     */
    public static List<Position> onLine(List<Position> required, RoutingTable table) {
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

    private Route replica(
            RoutingTable table, Reason reason, Need need, BitSet avoid, Policies.@Nullable Applied policy) {
        ServerState chosen = drawAdmitted(table.replicas(), need, avoid);
        if (chosen != null) {
            return new Route(chosen, reason, need.required, table, List.of(), false, need.bound, null, Duration.ZERO);
        }
        Reason lacking = reason == Reason.FRESH_ENOUGH ? Reason.NO_REPLICA_FRESH : Reason.NO_REPLICA_COVERS;
        return insteadOfReplica(table, table.replicas().isEmpty() ? Reason.NO_REPLICA : lacking, policy);
    }

    /** Leaves those alone that have failed requests lately, unless nobody else is eligible: then the least bad. */
    private @Nullable ServerState drawAdmitted(List<ServerState> replicas, Need need, BitSet avoid) {
        BitSet leftAlone = ejections.leftAlone(random);
        if (leftAlone == null) {
            return draw(replicas, need, avoid);
        }
        leftAlone.or(avoid);
        ServerState chosen = draw(replicas, need, leftAlone);
        return chosen != null ? chosen : leastBad(replicas, need, avoid);
    }

    private @Nullable ServerState leastBad(List<ServerState> replicas, Need need, BitSet avoid) {
        ServerState least = null;
        for (ServerState replica : replicas) {
            boolean better = least == null || ejections.sooner(replica.index(), least.index());
            if (better && eligible(replica, need, avoid)) {
                least = replica;
            }
        }
        return least;
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
        boolean pending = pending(ask, cluster) || (cluster != null && ask.readsPending(cluster));
        Need need = new Need(
                cluster == null ? List.of() : onLine(ask.required(cluster), route.table()),
                ask.freshness().bound(),
                clock.getAsLong());
        boolean lately = wroteLately(ask);
        List<Sighting> seen = cluster == null || pending ? List.of() : seen(ask, cluster);
        boolean primaryOnly = ask.intent() == Intent.WRITE || ask.freshness().kind() == Freshness.Kind.LATEST;
        Policies.Applied policy = primaryOnly ? null : policies.of(ask.policy());
        BitSet left = leaving(policy, route.table(), need, avoid);
        List<Candidate> candidates = new ArrayList<>();
        for (ServerState server : route.table().servers()) {
            boolean isChosen = chosen != null && chosen.index() == server.index();
            Refusal refusal = isChosen ? null : refusal(server, primaryOnly, pending, lately, need, seen, avoid);
            boolean unwanted = policy != null && !isChosen && refusal == null && left.get(server.index());
            candidates.add(new Candidate(server.name(), unwanted ? Refusal.NOT_IN_POLICY : refusal));
        }
        return new RouteDecision(
                chosen == null ? null : chosen.name(),
                chosen == null ? ServerRole.UNKNOWN : chosen.role(),
                route.reason(),
                ask.intent(),
                ask.freshness(),
                List.copyOf(candidates),
                route.waited(),
                policy == null ? null : policy.name());
    }

    private @Nullable Refusal refusal(
            ServerState server,
            boolean primaryOnly,
            boolean pending,
            boolean lately,
            Need need,
            List<Sighting> seen,
            BitSet avoid) {
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
        if (!need.metBy(server)) {
            return need.bound == null ? Refusal.BEHIND_TOKEN : Refusal.TOO_OLD;
        }
        boolean stays = seen.isEmpty() || (onOneServer(seen) && seenAt(server, seen));
        if (!stays) {
            return Refusal.SEEN_ELSEWHERE;
        }
        return ejections.ejected(server.index()) ? Refusal.EJECTED : null;
    }
}
