package io.github.r2dbcrouting.internal.routing;

import java.util.BitSet;
import java.util.function.IntPredicate;
import java.util.function.IntToDoubleFunction;

/** Whom may a balancer choose among? Immutable. */
final class EligibleSet {

    private final BitSet members;
    private final int[] servers;
    private final double greatestWeight;
    private final boolean anyReplica;

    /**
     * Creates a set.
     *
     * @param members the indexes of the servers; not to be changed any more
     * @param primary the index of the primary, or a negative number
     * @param weight how much of the load each shall have
     */
    EligibleSet(BitSet members, int primary, IntToDoubleFunction weight) {
        this.members = members;
        this.servers = members.stream().toArray();
        double greatest = 0;
        for (int server : servers) {
            greatest = Math.max(greatest, weight.applyAsDouble(server));
        }
        this.greatestWeight = greatest;
        this.anyReplica = servers.length > 1 || (servers.length == 1 && servers[0] != primary);
    }

    int size() {
        return servers.length;
    }

    /** The index of the n-th server; they are in the order of their indexes. */
    int server(int n) {
        return servers[n];
    }

    boolean has(int server) {
        return members.get(server);
    }

    double greatestWeight() {
        return greatestWeight;
    }

    /** Whether somebody else than the primary is in it. */
    boolean anyReplica() {
        return anyReplica;
    }

    /** Whether two sets hold the same servers. */
    boolean sameAs(EligibleSet other) {
        return members.equals(other.members);
    }

    EligibleSet only(IntPredicate wanted, int primary, IntToDoubleFunction weight) {
        BitSet left = new BitSet();
        for (int server : servers) {
            left.set(server, wanted.test(server));
        }
        return new EligibleSet(left, primary, weight);
    }

    @Override
    public String toString() {
        return members.toString();
    }
}
