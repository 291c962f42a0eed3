package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.Lag;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.spi.Position;
import java.time.Duration;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntToLongFunction;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What of a decision is known before anybody asks?
 *
 * <p>A pure function of a table and the policies, made when a table is published: with the replicas sorted by position
 * and by age, those that are fresh enough for a read are found by halves, and what its policy leaves of them is looked
 * up. Where positions cannot all be compared, and where some servers are avoided, each server is looked at instead; both
 * ways lead to the same. Immutable, but for results that are kept.
 */
final class Prepared {

    private final RoutingTable table;
    private final Policies policies;
    private final Members members;
    private final Ranking all;
    private final Ranking byAge;
    private final @Nullable Ranking byPosition;
    private final Position[] positions;
    private final long[] freshAt;
    private final int quickest;
    private final Since since;
    private final long madeAt = System.nanoTime();

    private Prepared(RoutingTable table, Policies policies, Members members, Since since, @Nullable Prepared before) {
        this.table = table;
        this.policies = policies;
        this.members = members;
        this.since = since;
        boolean sameMembers = before != null && before.members.equals(members);
        List<ServerState> servers = table.servers();
        this.all = Ranking.of(members, members.replicas(), before == null ? null : before.all);

        Ranking positioned = before == null ? null : before.byPosition;
        int[] start = sameMembers && positioned != null ? positioned.order() : members.replicas();
        int[] known = withPosition(servers, start);
        int[] order = Ranking.sorted(known, (server, other) -> {
            Position position = servers.get(server).position();
            Position least = servers.get(other).position();
            return position != null && least != null && position.covers(least);
        });
        this.positions = order == null
                ? new Position[0]
                : Arrays.stream(order)
                        .mapToObj(server -> servers.get(server).position())
                        .toArray(Position[]::new);
        this.byPosition = order == null ? null : Ranking.of(members, followedByRest(order, start), positioned);

        Ranking aged = before == null ? null : before.byAge;
        int[] order2 = byPosition != null ? byPosition.order() : sameMembers && aged != null ? aged.order() : start;
        int[] ageKnown = Arrays.stream(order2)
                .filter(server -> servers.get(server).lag().freshAt() != Lag.NEVER)
                .toArray();
        int[] ageOrder = Ranking.sorted(
                ageKnown,
                (server, other) -> servers.get(server).lag().freshAt()
                                - servers.get(other).lag().freshAt()
                        >= 0);
        int[] ages = ageOrder == null ? new int[0] : ageOrder;
        this.freshAt = Arrays.stream(ages)
                .mapToLong(server -> servers.get(server).lag().freshAt())
                .toArray();
        int[] complete = followedByRest(ages, order2);
        this.byAge = byPosition != null && Arrays.equals(complete, byPosition.order())
                ? byPosition
                : Ranking.of(members, complete, aged);
        this.quickest = quickest(members.replicas(), servers);
    }

    private static int quickest(int[] replicas, List<ServerState> servers) {
        int quickest = Members.NOBODY;
        for (int replica : replicas) {
            Duration least = quickest == Members.NOBODY
                    ? null
                    : servers.get(quickest).lag().catchUp();
            Duration taken = servers.get(replica).lag().catchUp();
            quickest = least == null || taken.compareTo(least) < 0 ? replica : quickest;
        }
        return quickest;
    }

    /**
     * Prepares a table.
     *
     * @param table the table
     * @param policies the policies that there are
     * @param primaryReads whether the primary is one of those that reads are spread over
     * @param now the present by the router's clock, in nanoseconds
     * @param before what an earlier table was made into, of which is kept what is the same; {@code null} if there was none
     */
    static Prepared of(
            RoutingTable table, Policies policies, boolean primaryReads, long now, @Nullable Prepared before) {
        AppliedPolicies applied =
                AppliedPolicies.of(policies, table, before == null ? null : before.members.policies());
        Members members = Members.of(applied, table, primaryReads, before == null ? null : before.members);
        Since since = Since.of(table, now, before == null ? null : before.since);
        return new Prepared(table, policies, members, since, before);
    }

    private static int[] withPosition(List<ServerState> servers, int[] order) {
        return Arrays.stream(order)
                .filter(server -> servers.get(server).position() != null)
                .toArray();
    }

    private static int[] followedByRest(int[] first, int[] everybody) {
        if (first.length == everybody.length) {
            return first;
        }
        BitSet there = new BitSet();
        for (int server : first) {
            there.set(server);
        }
        return IntStream.concat(Arrays.stream(first), Arrays.stream(everybody).filter(server -> !there.get(server)))
                .toArray();
    }

    boolean isOf(RoutingTable asked, Policies by) {
        return table == asked && policies == by;
    }

    RoutingTable table() {
        return table;
    }

    Members members() {
        return members;
    }

    Since since() {
        return since;
    }

    /** When it was made, by {@link System#nanoTime()}. */
    long madeAt() {
        return madeAt;
    }

    /** The replica that lately took least time to catch up; {@link Members#NOBODY} if there is none. */
    int quickest() {
        return quickest;
    }

    /**
     * Looks up who is fresh enough and left by a policy.
     *
     * @param need what they must have
     * @param policy chooses among them; {@code null} if nobody is left out
     * @param clock the router's clock; asked only if the policy looks at lags
     * @return the servers; {@code null} if that cannot be looked up
     */
    @Nullable
    EligibleSet lookUp(Need need, @Nullable AppliedPolicy policy, LongSupplier clock) {
        Ranking ranking = all;
        int first = members.replicas().length;
        if (need.bound() != null) {
            ranking = byAge;
            long oldest = need.now() - need.bound().toNanos();
            first = Ranking.search(freshAt.length, i -> freshAt[i] - oldest >= 0);
        } else if (!need.required().isEmpty()) {
            if (byPosition == null) {
                return null;
            }
            ranking = byPosition;
            first = positions.length;
            for (int i = 0; i < need.required().size(); i++) {
                Position required = need.required().get(i);
                first = Ranking.search(first, place -> positions[place].covers(required));
            }
        }
        long now = policy != null && policy.readsLag() ? clock.getAsLong() : 0;
        return ranking.eligible(first, policy, now, this::lagsAt);
    }

    /**
     * Looks at each server whether it is fresh enough and left by a policy.
     *
     * @param need what they must have
     * @param policy chooses among them; {@code null} if nobody is left out
     * @param clock the router's clock
     * @param avoid the indexes of servers that do not count
     * @param freshnessFirst whether the policy chooses among those that are fresh enough, and not among all
     * @return the servers
     */
    EligibleSet scan(
            Need need, @Nullable AppliedPolicy policy, LongSupplier clock, BitSet avoid, boolean freshnessFirst) {
        BitSet fresh = new BitSet();
        BitSet everybody = new BitSet();
        for (int replica : members.replicas()) {
            everybody.set(replica);
            fresh.set(replica, need.metBy(table.servers().get(replica)));
        }
        if (members.primary() != Members.NOBODY) {
            everybody.set(members.primary());
            fresh.set(members.primary());
        }
        fresh.andNot(avoid);
        if (policy != null) {
            BitSet chosen = policy.select(freshnessFirst ? fresh : everybody, lagsAt(clock.getAsLong()));
            fresh.and(chosen);
        }
        return new EligibleSet(fresh, members.primary(), members::weight);
    }

    private IntToLongFunction lagsAt(long now) {
        return server -> {
            if (server == members.primary()) {
                return 0;
            }
            long fresh = table.servers().get(server).lag().freshAt();
            return fresh == Lag.NEVER ? Long.MAX_VALUE : now - fresh;
        };
    }
}
