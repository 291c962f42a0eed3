package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.RouteDecision.Reason;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.internal.session.Sighting;
import io.github.r2dbcrouting.policy.Policy;
import io.github.r2dbcrouting.spi.LoadBalancer;
import io.github.r2dbcrouting.spi.Position;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntUnaryOperator;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Which server serves this?
 *
 * <p>A pure function of a table, the policies, a question and the present load, but for the random draw between equals.
 * Freshness comes first: only replicas that have what the read needs are drawn from. What can be known of a table before
 * anybody asks is prepared when it is published. Thread-safe.
 */
public final class Router {

    private final Load load;
    private final Safeguards safeguards;
    private final Ejections ejections;
    private final LongSupplier clock;
    private final long primaryAfterWrite;
    private final boolean primaryReads;
    private final Draw draw;
    private final AtomicReference<Policies> policies;
    private final AtomicReference<@Nullable Prepared> latest = new AtomicReference<>();

    /**
     * Creates a router.
     *
     * @param load the present load of the servers
     * @param random draws a number from 0 to below its argument
     * @param safeguards the mechanisms in force
     * @param ejections what requests have found out about the servers by themselves
     * @param clock tells the time by which servers were sampled, in nanoseconds
     * @param primaryAfterWrite how long after a write its session reads from the primary
     * @param preferences how servers that are fresh enough are chosen among
     */
    public Router(
            Load load,
            IntUnaryOperator random,
            Safeguards safeguards,
            Ejections ejections,
            LongSupplier clock,
            Duration primaryAfterWrite,
            Preferences preferences) {
        this.load = load;
        this.safeguards = safeguards;
        this.ejections = ejections;
        this.clock = clock;
        this.primaryAfterWrite = primaryAfterWrite.toNanos();
        this.primaryReads = preferences.primaryReads();
        this.draw = new Draw(load, random, ejections, clock, preferences.balancer());
        this.policies = new AtomicReference<>(preferences.policies());
    }

    /**
     * How servers that are fresh enough are chosen among.
     *
     * @param policies which of them are preferred
     * @param primaryReads whether the primary is one of them
     * @param balancer chooses among those that are left
     */
    public record Preferences(Policies policies, boolean primaryReads, LoadBalancer balancer) {

        /** Any replica, the less busy of two. */
        public static final Preferences NONE = new Preferences(Policies.NONE, false, LoadBalancer.powerOfTwoChoices());
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
     * @return the policies at this moment
     */
    public Policies policies() {
        return Objects.requireNonNull(policies.get());
    }

    /**
     * Adds a policy, or puts it in the place of the one of the same name. A decision that is under way goes by all of the
     * policies of before, every later one by all of those from now on.
     *
     * @param name its name
     * @param policy what it says
     */
    public void replacePolicy(String name, Policy policy) {
        policies.updateAndGet(before -> Objects.requireNonNull(before).with(name, policy));
    }

    /**
     * Prepares a table, so that no request has to. Called by whoever publishes it.
     *
     * @param table the table
     */
    public void prepare(RoutingTable table) {
        var unused = prepared(table);
    }

    /** What was prepared of a table: before, or now if it or the policies are new. */
    Prepared prepared(RoutingTable table) {
        Prepared known = latest.get();
        Policies by = policies();
        if (known != null && known.isOf(table, by)) {
            return known;
        }
        Prepared prepared = Prepared.of(table, by, primaryReads, clock.getAsLong(), known);
        if (known == null || table.version() >= known.table().version()) {
            // of several who prepare at once any will do: they differ in nothing but what they have looked up yet
            latest.set(prepared);
        }
        return prepared;
    }

    /**
     * Tells whether the servers that there are can serve under a policy at all.
     *
     * @param table the servers
     * @param ask names the policy
     * @return {@code false} if it halts however fresh they are
     * @throws io.github.r2dbcrouting.UnknownPolicyException if nobody has defined it
     */
    public boolean servable(RoutingTable table, Ask ask) {
        AppliedPolicy policy = prepared(table).members().policies().of(ask.policy());
        return policy == null || policy.servable();
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
            return primary(table, Reason.WRITE);
        }
        if (ask.freshness().kind() == Freshness.Kind.LATEST) {
            return primary(table, Reason.LATEST);
        }
        String cluster = table.cluster();
        if (cluster == null) {
            return nobody(table);
        }
        if (wroteLately(ask)) {
            return primary(table, Reason.WROTE_LATELY);
        }
        Prepared prepared = prepared(table);
        AppliedPolicy policy = prepared.members().policies().of(ask.policy());
        if (pending(ask, cluster)) {
            return insteadOfReplica(table, Reason.WRITE_PENDING, policy);
        }
        if (ask.freshness().kind() == Freshness.Kind.AT_MOST) {
            Need need = aged(ask);
            return drawn(prepared, Reason.FRESH_ENOUGH, need, eligible(prepared, need, policy, avoid), policy);
        }
        // in this order: what is seen becomes required, and never the other way round
        boolean readsPending = ask.readsPending(cluster) && !table.replicas().isEmpty();
        List<Sighting> seen = seen(ask, cluster);
        Need need = Need.covering(onLine(ask.required(cluster), table));
        Reason reason = need.required().isEmpty() ? Reason.NOTHING_TO_COVER : Reason.COVERS_TOKEN;
        if (readsPending) {
            return awaitingFloors(table, need, seen, policy);
        }
        EligibleSet eligible = eligible(prepared, need, policy, avoid);
        if (seen.isEmpty()) {
            return drawn(prepared, reason, need, eligible, policy);
        }
        ServerState stayed = Stay.with(prepared, eligible, seen);
        if (stayed != null && ejections.ejected(stayed.index()) && draw.anyFit(eligible)) {
            stayed = null;
        }
        if (stayed != null && (ask.placed() || Stay.onOneServer(seen))) {
            List<Sighting> relied = ask.placed() ? List.of() : seen;
            return new Route(stayed, reason, need.required(), table, relied, false, null, null, Duration.ZERO);
        }
        if (ask.placed() || table.replicas().isEmpty()) {
            return drawn(prepared, reason, need, eligible, policy);
        }
        return awaitingFloors(table, need, seen, policy);
    }

    /** Looks up who is eligible where that was worked out before, and looks at each server where it cannot have been. */
    EligibleSet eligible(Prepared prepared, Need need, @Nullable AppliedPolicy policy, BitSet avoid) {
        boolean freshnessFirst = safeguards.has(Safeguard.FRESHNESS_FIRST);
        EligibleSet known = freshnessFirst && avoid.isEmpty() ? prepared.lookUp(need, policy, clock) : null;
        return known != null ? known : prepared.scan(need, policy, clock, avoid, freshnessFirst);
    }

    private Need aged(Ask ask) {
        Duration bound =
                safeguards.has(Safeguard.STALENESS_BOUND) ? ask.freshness().bound() : null;
        return bound == null ? Need.NOTHING : new Need(List.of(), bound, clock.getAsLong());
    }

    private Route drawn(
            Prepared prepared, Reason reason, Need need, EligibleSet eligible, @Nullable AppliedPolicy policy) {
        RoutingTable table = prepared.table();
        Reason lacking = table.replicas().isEmpty()
                ? Reason.NO_REPLICA
                : reason == Reason.FRESH_ENOUGH ? Reason.NO_REPLICA_FRESH : Reason.NO_REPLICA_COVERS;
        int chosen = draw.from(prepared, eligible);
        if (chosen == Members.NOBODY) {
            return insteadOfReplica(table, lacking, policy);
        }
        if (!eligible.anyReplica() && wantsReplicas(prepared, policy)) {
            // the primary may serve reads, but it is the only one left of them
            return primary(table, lacking);
        }
        ServerState server = table.servers().get(chosen);
        return new Route(server, reason, need.required(), table, List.of(), false, need.bound(), null, Duration.ZERO);
    }

    /** Whether reads would be served by replicas, too, if these were as fresh as can be. */
    private static boolean wantsReplicas(Prepared prepared, @Nullable AppliedPolicy policy) {
        Members members = prepared.members();
        return policy == null
                ? members.policies().anybodyBesides(members.primary())
                : policy.wantsOthersThan(members.primary());
    }

    /** The primary, unless the policy ends with nobody. */
    private static Route insteadOfReplica(RoutingTable table, Reason reason, @Nullable AppliedPolicy policy) {
        return policy != null && policy.halts() ? new Route(null, reason, List.of(), table) : primary(table, reason);
    }

    private static Route awaitingFloors(
            RoutingTable table, Need need, List<Sighting> seen, @Nullable AppliedPolicy policy) {
        return new Route(
                policy != null && policy.halts() ? null : table.primary().orElse(null),
                Reason.WRITE_PENDING,
                need.required(),
                table,
                seen,
                true,
                null,
                null,
                Duration.ZERO);
    }

    List<Sighting> seen(Ask ask, String cluster) {
        return safeguards.has(Safeguard.MONOTONIC_READS) ? ask.seen(cluster) : List.of();
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
        Prepared prepared = prepared(route.table());
        AppliedPolicy policy = prepared.members().policies().of(ask.policy());
        Need need = new Need(route.required(), route.bound(), clock.getAsLong());
        return policy == null || eligible(prepared, need, policy, avoid).has(server);
    }

    boolean wroteLately(Ask ask) {
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
        int quickest = prepared(table).quickest();
        if (quickest == Members.NOBODY || !avoid.get(quickest)) {
            return quickest != Members.NOBODY && soon(table.servers().get(quickest), limit);
        }
        for (ServerState replica : table.replicas()) {
            if (!avoid.get(replica.index()) && soon(replica, limit)) {
                return true;
            }
        }
        return false;
    }

    private static boolean soon(ServerState replica, Duration limit) {
        return replica.lag().catchUp().compareTo(limit) <= 0;
    }

    boolean pending(Ask ask, @Nullable String cluster) {
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
        return Need.onLine(required, table);
    }

    private static Route nobody(RoutingTable table) {
        return new Route(null, Reason.NO_SERVER, List.of(), table);
    }

    private static Route primary(RoutingTable table, Reason reason) {
        ServerState primary = table.primary().orElse(null);
        return primary == null ? nobody(table) : new Route(primary, reason, List.of(), table);
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
        return new Explanation(this, route, ask, avoid, clock.getAsLong()).decision();
    }

    /**
     * Describes the servers: what the table says, and how busy and quick they are, by a line for each.
     *
     * @param table the table
     * @return a text for people, of several lines
     */
    public String describe(RoutingTable table) {
        return new Description(prepared(table), load, ejections, clock).toString();
    }
}
