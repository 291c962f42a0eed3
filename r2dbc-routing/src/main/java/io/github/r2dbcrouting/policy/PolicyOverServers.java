package io.github.r2dbcrouting.policy;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.function.IntToLongFunction;

/**
 * What does a policy leave of the servers of one topology?
 *
 * <p>Which server has which tags is looked up once for a topology: a decision only intersects sets. Immutable.
 */
public final class PolicyOverServers {

    private final List<List<Step>> rules = new ArrayList<>();
    private final boolean halts;
    private final long[] lagLimits;

    /** One filter, with the tags looked up. */
    private sealed interface Step {

        record Within(BitSet servers) implements Step {}

        record AtLeast(int servers) implements Step {}

        record LagUpTo(long nanos) implements Step {}
    }

    /**
     * Looks the tags up.
     *
     * @param policy the policy
     * @param tags the tags of each server, at its index
     */
    public PolicyOverServers(Policy policy, List<? extends Collection<String>> tags) {
        this.halts = policy.halts();
        this.lagLimits = policy.rules().stream()
                .flatMap(rule -> rule.filters().stream())
                .filter(Filter.MaxLag.class::isInstance)
                .mapToLong(filter -> ((Filter.MaxLag) filter).lag().toNanos())
                .distinct()
                .toArray();
        for (Policy.Rule rule : policy.rules()) {
            List<Step> steps = new ArrayList<>();
            for (Filter filter : rule.filters()) {
                if (filter instanceof Filter.Tags wanted) {
                    steps.add(new Step.Within(tagged(tags, wanted.tags(), true)));
                } else if (filter instanceof Filter.Not unwanted) {
                    steps.add(new Step.Within(tagged(tags, unwanted.tags(), false)));
                } else if (filter instanceof Filter.Min min) {
                    steps.add(new Step.AtLeast(min.servers()));
                } else if (filter instanceof Filter.MaxLag maxLag) {
                    steps.add(new Step.LagUpTo(maxLag.lag().toNanos()));
                } else if (filter instanceof Filter.Halt) {
                    return;
                }
            }
            rules.add(List.copyOf(steps));
        }
    }

    private static BitSet tagged(List<? extends Collection<String>> tags, List<String> any, boolean wanted) {
        BitSet servers = new BitSet();
        for (int server = 0; server < tags.size(); server++) {
            boolean tagged = false;
            for (String tag : any) {
                tagged |= tags.get(server).contains(tag);
            }
            servers.set(server, tagged == wanted);
        }
        return servers;
    }

    /**
     * Returns by which lags the policy tells servers apart. Without any, its result does not change as time goes by.
     *
     * @return the limits in nanoseconds, a copy; most policies have none
     */
    public long[] lagLimits() {
        return lagLimits.clone();
    }

    /**
     * Applies the policy.
     *
     * @param fresh the servers that are fresh enough for the read at hand; not changed
     * @param lag how far a server may be behind at most, in nanoseconds
     * @return the servers that may serve; empty if nobody may
     */
    public BitSet select(BitSet fresh, IntToLongFunction lag) {
        for (List<Step> rule : rules) {
            BitSet left = (BitSet) fresh.clone();
            for (Step step : rule) {
                if (step instanceof Step.Within within) {
                    left.and(within.servers);
                } else if (step instanceof Step.AtLeast atLeast) {
                    if (left.cardinality() < atLeast.servers) {
                        left.clear();
                    }
                } else if (step instanceof Step.LagUpTo lagUpTo) {
                    for (int server = left.nextSetBit(0); server >= 0; server = left.nextSetBit(server + 1)) {
                        left.set(server, lag.applyAsLong(server) <= lagUpTo.nanos);
                    }
                }
            }
            if (!left.isEmpty()) {
                return left;
            }
        }
        return halts ? new BitSet() : (BitSet) fresh.clone();
    }
}
