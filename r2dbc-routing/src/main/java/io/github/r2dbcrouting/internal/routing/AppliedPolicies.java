package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Which policy does a read choose by, over the servers that there are? Immutable; made when policies or tags change. */
final class AppliedPolicies {

    private final Policies policies;
    private final List<List<String>> tags;
    private final BitSet inService;
    private final Map<String, AppliedPolicy> byName = new HashMap<>();
    private final @Nullable AppliedPolicy usual;

    private AppliedPolicies(Policies policies, List<List<String>> tags, BitSet inService) {
        this.policies = policies;
        this.tags = tags;
        this.inService = inService;
        policies.byName()
                .forEach((name, policy) ->
                        byName.put(name, new AppliedPolicy(name, byName.size(), policy, tags, inService)));
        this.usual = byName.get(Policies.DEFAULT);
    }

    /**
     * Looks all tags up, unless that was done before.
     *
     * @param policies the policies
     * @param table whose servers' tags count
     * @param before what was made of an earlier table; {@code null} if there was none
     * @return the policies over the servers of the table
     */
    static AppliedPolicies of(Policies policies, RoutingTable table, @Nullable AppliedPolicies before) {
        BitSet inService = inService(table.servers());
        if (before != null
                && before.policies == policies
                && before.inService.equals(inService)
                && before.sameTags(table.servers())) {
            return before;
        }
        List<List<String>> tags = new ArrayList<>(table.servers().size());
        table.servers().forEach(server -> tags.add(server.tags()));
        return new AppliedPolicies(policies, tags, inService);
    }

    /** Those that nobody has taken out: whether they answer does not matter here. */
    private static BitSet inService(List<ServerState> servers) {
        BitSet inService = new BitSet();
        for (ServerState server : servers) {
            ServerStatus status = server.status();
            inService.set(server.index(), status != ServerStatus.REMOVED && status != ServerStatus.DISABLED);
        }
        return inService;
    }

    private boolean sameTags(List<ServerState> servers) {
        if (servers.size() != tags.size()) {
            return false;
        }
        for (int i = 0; i < tags.size(); i++) {
            if (!tags.get(i).equals(servers.get(i).tags())) {
                return false;
            }
        }
        return true;
    }

    /** Whether anybody besides one server is in service. */
    boolean anybodyBesides(int server) {
        return inService.cardinality() > (server >= 0 && inService.get(server) ? 1 : 0);
    }

    int size() {
        return byName.size();
    }

    /** The policies by their names, sorted. */
    Map<String, AppliedPolicy> sorted() {
        return new TreeMap<>(byName);
    }

    /**
     * Returns the policy that somebody asked for.
     *
     * @param name its name; {@code null} for the default one
     * @return the policy, or {@code null} if there is no default one
     * @throws io.github.r2dbcrouting.UnknownPolicyException if there is none of that name
     */
    @Nullable
    AppliedPolicy of(@Nullable String name) {
        if (name == null) {
            return usual;
        }
        AppliedPolicy found = byName.get(name);
        if (found == null && !name.equals(Policies.DEFAULT)) {
            throw policies.unknown(name);
        }
        return found;
    }
}
