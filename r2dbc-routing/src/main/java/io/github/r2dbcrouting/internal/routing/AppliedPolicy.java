package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.policy.Policy;
import io.github.r2dbcrouting.policy.PolicyOverServers;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.function.IntToLongFunction;

/** What does one policy leave of the servers that there are? Immutable. */
final class AppliedPolicy {

    private final String name;
    private final int slot;
    private final PolicyOverServers servers;
    private final boolean halts;
    private final long[] lagLimits;
    private final BitSet atBest;

    /**
     * Looks the policy's tags up.
     *
     * @param name its name
     * @param slot its place among the policies, from 0
     * @param policy what it says
     * @param tags the tags of each server, at its index
     * @param inService the indexes of those that nobody has taken out
     */
    AppliedPolicy(String name, int slot, Policy policy, List<? extends Collection<String>> tags, BitSet inService) {
        this.name = name;
        this.slot = slot;
        this.servers = new PolicyOverServers(policy, tags);
        this.halts = policy.halts();
        this.lagLimits = servers.lagLimits();
        this.atBest = servers.select(inService, server -> 0);
    }

    String name() {
        return name;
    }

    int slot() {
        return slot;
    }

    /** Whether it ends with nobody, so that the primary does not stand in either. */
    boolean halts() {
        return halts;
    }

    /** Whether it leaves anybody if all servers in service are replicas, and as fresh as can be. */
    boolean servable() {
        return !atBest.isEmpty();
    }

    /** Whether it leaves somebody besides one server then. */
    boolean wantsOthersThan(int server) {
        int others = atBest.cardinality() - (server >= 0 && atBest.get(server) ? 1 : 0);
        return others > 0;
    }

    BitSet select(BitSet fresh, IntToLongFunction lag) {
        return servers.select(fresh, lag);
    }

    /** Whether what it leaves changes as time goes by, though no server is heard of. */
    boolean readsLag() {
        return lagLimits.length > 0;
    }

    /**
     * Tells for how long what it leaves of some servers stays the same, if nothing is heard of them.
     *
     * @param fresh the servers
     * @param lag how far a server may be behind now, in nanoseconds
     * @return nanoseconds, from 0: until the first of them is behind by more than one of the limits
     */
    long lasts(BitSet fresh, IntToLongFunction lag) {
        long lasts = Long.MAX_VALUE;
        for (int server = fresh.nextSetBit(0); server >= 0; server = fresh.nextSetBit(server + 1)) {
            long behind = lag.applyAsLong(server);
            for (long limit : lagLimits) {
                if (behind <= limit) {
                    lasts = Math.min(lasts, limit - behind);
                }
            }
        }
        return lasts;
    }
}
