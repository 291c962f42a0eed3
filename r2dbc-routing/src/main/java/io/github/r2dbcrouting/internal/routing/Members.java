package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Who may serve reads at all, however fresh? Immutable, and kept from one table to the next as long as it is the same:
 * a position that moves changes nothing of it.
 */
final class Members {

    /** Stands for no server where an index is expected. */
    static final int NOBODY = RoutingTable.NOBODY;

    private final AppliedPolicies policies;
    private final int[] replicas;
    private final List<@Nullable ServerIdentity> identities;
    private final double[] weights;
    private final int primary;
    private final Map<ServerIdentity, Integer> byIdentity = new HashMap<>();
    private final boolean twins;

    private Members(
            AppliedPolicies policies,
            int[] replicas,
            List<@Nullable ServerIdentity> identities,
            double[] weights,
            int primary) {
        this.policies = policies;
        this.replicas = replicas;
        this.identities = identities;
        this.weights = weights;
        this.primary = primary;
        boolean repeated = false;
        for (int i = 0; i < replicas.length; i++) {
            ServerIdentity identity = identities.get(i);
            repeated |= identity != null && byIdentity.putIfAbsent(identity, replicas[i]) != null;
        }
        this.twins = repeated;
    }

    /**
     * Finds the members of a table.
     *
     * @param policies the policies over its servers
     * @param table the table
     * @param primaryReads whether the primary is one of them
     * @param before those of an earlier table; {@code null} if there was none
     * @return the members: the same as before if nothing has changed
     */
    static Members of(AppliedPolicies policies, RoutingTable table, boolean primaryReads, @Nullable Members before) {
        ServerState followed = table.primary().orElse(null);
        int primary =
                primaryReads && followed != null && followed.status() == ServerStatus.UP ? followed.index() : NOBODY;
        double[] weights = new double[table.servers().size()];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = table.servers().get(i).weight();
        }
        if (before != null && before.same(policies, table.replicas(), weights, primary)) {
            return before;
        }
        int[] replicas =
                table.replicas().stream().mapToInt(ServerState::index).sorted().toArray();
        List<@Nullable ServerIdentity> identities = Arrays.stream(replicas)
                .<@Nullable ServerIdentity>mapToObj(
                        replica -> table.servers().get(replica).identity())
                .toList();
        return new Members(policies, replicas, identities, weights, primary);
    }

    private boolean same(AppliedPolicies over, List<ServerState> servers, double[] weight, int reading) {
        boolean same = policies.equals(over)
                && primary == reading
                && servers.size() == replicas.length
                && Arrays.equals(weights, weight);
        for (int i = 0; same && i < replicas.length; i++) {
            ServerState server = servers.get(i);
            same = server.index() == replicas[i] && Objects.equals(server.identity(), identities.get(i));
        }
        return same;
    }

    AppliedPolicies policies() {
        return policies;
    }

    /** The indexes of the replicas that may be read from, in ascending order; not to be changed. */
    int[] replicas() {
        return replicas;
    }

    /** The index of the primary if it is one of those that reads are spread over; else {@link #NOBODY}. */
    int primary() {
        return primary;
    }

    double weight(int server) {
        return weights[server];
    }

    /** Whether several of them say that they are the same server, so that {@link #find} does not tell all of them. */
    boolean twins() {
        return twins;
    }

    /** The index of the replica that answered under an identity last; {@link #NOBODY} if none did. */
    int find(ServerIdentity identity) {
        Integer found = byIdentity.get(identity);
        return found == null ? NOBODY : found;
    }
}
