package io.github.r2dbcrouting.internal.routing;

import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.IntToLongFunction;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * In which order do the replicas stand, so that those who are fresh enough for a read are its beginning?
 *
 * <p>What a policy leaves of so many from the beginning is worked out when it is first asked for, and kept. It stays
 * right in later tables as long as the order is the same; what is left by a policy that looks at lags, only within one
 * table, and until the first of its servers is too far behind. Thread-safe: who finds nothing works it out, and of
 * several who do, any may be kept.
 */
final class Ranking {

    private final Members members;
    private final int[] order;
    private final Results lasting;
    private final Results passing;

    private Ranking(Members members, int[] order, Results lasting) {
        this.members = members;
        this.order = order;
        this.lasting = lasting;
        this.passing = new Results(members.policies().size(), order.length);
    }

    /**
     * Takes an order.
     *
     * @param members whom it is an order of
     * @param order their indexes
     * @param before an earlier ranking, whose results are kept if it is the same; {@code null} if there was none
     */
    static Ranking of(Members members, int[] order, @Nullable Ranking before) {
        return before != null && before.members.equals(members) && Arrays.equals(before.order, order)
                ? new Ranking(members, order, before.lasting)
                : new Ranking(members, order, new Results(members.policies().size(), order.length));
    }

    /** The indexes of all, the one who meets most at first; not to be changed. */
    int[] order() {
        return order;
    }

    /**
     * Returns who is left of the first in this order.
     *
     * @param first how many
     * @param policy chooses among them; {@code null} if all are left
     * @param now the present, if the policy looks at lags
     * @param lags tells for a time how far each server may be behind then
     * @return who is left
     */
    EligibleSet eligible(
            int first, @Nullable AppliedPolicy policy, long now, LongFunction<? extends IntToLongFunction> lags) {
        Results results = policy != null && policy.readsLag() ? passing : lasting;
        Result known = results.of(policy, first);
        if (known != null && now - known.at <= known.lasts) {
            return known.servers;
        }
        BitSet fresh = new BitSet();
        for (int i = 0; i < first; i++) {
            fresh.set(order[i]);
        }
        if (members.primary() != Members.NOBODY) {
            fresh.set(members.primary());
        }
        long lasts = Long.MAX_VALUE;
        if (policy != null) {
            IntToLongFunction lag = lags.apply(now);
            lasts = policy.readsLag() ? policy.lasts(fresh, lag) : Long.MAX_VALUE;
            fresh = policy.select(fresh, lag);
        }
        EligibleSet left = new EligibleSet(fresh, members.primary(), members::weight);
        results.keep(policy, first, new Result(left, now, lasts));
        return left;
    }

    /** What was worked out, and for how long after it is right. */
    private record Result(EligibleSet servers, long at, long lasts) {}

    /** By policy, and by the number of servers that it starts from; filled when asked for. */
    private static final class Results {

        private final AtomicReferenceArray<@Nullable AtomicReferenceArray<@Nullable Result>> byPolicy;
        private final int servers;

        Results(int policies, int servers) {
            this.byPolicy = new AtomicReferenceArray<>(policies + 1);
            this.servers = servers;
        }

        private static int slot(@Nullable AppliedPolicy policy) {
            return policy == null ? 0 : policy.slot() + 1;
        }

        @Nullable
        Result of(@Nullable AppliedPolicy policy, int first) {
            AtomicReferenceArray<@Nullable Result> known = byPolicy.get(slot(policy));
            return known == null ? null : known.get(first);
        }

        void keep(@Nullable AppliedPolicy policy, int first, Result result) {
            AtomicReferenceArray<@Nullable Result> known = byPolicy.get(slot(policy));
            if (known == null) {
                known = new AtomicReferenceArray<>(servers + 1);
                byPolicy.set(slot(policy), known);
            }
            known.set(first, result);
        }
    }

    /** Whether one server meets whatever another one meets. */
    @FunctionalInterface
    interface AtLeast {
        boolean test(int server, int other);
    }

    /**
     * Sorts servers. Hardly more than a look at each where they are in order already, as from one sample to the next they
     * mostly are; equal ones stay as they are.
     *
     * @param servers their indexes, in the order of before
     * @param atLeast compares two
     * @return the order; {@code null} if there is none since two of them cannot be compared
     */
    static int @Nullable [] sorted(int[] servers, AtLeast atLeast) {
        int[] order = new int[servers.length];
        for (int size = 0; size < servers.length; size++) {
            int server = servers[size];
            int at = size;
            if (size > 0 && !atLeast.test(order[size - 1], server)) {
                at = search(size - 1, i -> atLeast.test(order[i], server));
                System.arraycopy(order, at, order, at + 1, size - at);
            }
            order[at] = server;
        }
        for (int i = 1; i < order.length; i++) {
            if (!atLeast.test(order[i - 1], order[i])) {
                return null;
            }
        }
        return order;
    }

    /**
     * Searches by halves.
     *
     * @param size how many there are
     * @param meets what the first of them do, and none that comes after one who does not
     * @return how many do
     */
    static int search(int size, java.util.function.IntPredicate meets) {
        int low = 0;
        int high = size;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (meets.test(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
