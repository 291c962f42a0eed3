package io.github.r2dbcrouting.internal.routing;

import java.util.BitSet;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntBinaryOperator;
import java.util.function.IntPredicate;
import java.util.function.IntToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** Whom may a balancer choose among? Immutable, but for a result that is kept. */
final class EligibleSet {

    private final BitSet members;
    private final int primary;
    private final IntToDoubleFunction weight;
    private final int[] servers;
    private final double greatestWeight;
    private final boolean anyReplica;
    private final AtomicReference<@Nullable Fit> latest = new AtomicReference<>();

    /**
     * Creates a set.
     *
     * @param members the indexes of the servers; not to be changed any more
     * @param primary the index of the primary, or a negative number
     * @param weight how much of the load each shall have
     */
    EligibleSet(BitSet members, int primary, IntToDoubleFunction weight) {
        this.members = members;
        this.primary = primary;
        this.weight = weight;
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

    boolean isPrimary(int server) {
        return server == primary;
    }

    EligibleSet only(IntPredicate wanted) {
        BitSet left = new BitSet();
        for (int server : servers) {
            left.set(server, wanted.test(server));
        }
        return left.cardinality() == servers.length ? this : new EligibleSet(left, primary, weight);
    }

    /** Looks up who of it has not failed lately: as long as the outliers are the same, that is worked out once. */
    Fit fit(Outliers outliers, IntBinaryOperator lessBad) {
        Fit known = latest.get();
        if (known != null && known.outliers() == outliers) {
            return known;
        }
        Fit fit = Fit.of(this, outliers, lessBad);
        latest.set(fit);
        return fit;
    }

    @Override
    public String toString() {
        return members.toString();
    }
}
