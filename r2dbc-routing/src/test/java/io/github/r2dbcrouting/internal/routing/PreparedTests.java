package io.github.r2dbcrouting.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.Lag;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.policy.Filter;
import io.github.r2dbcrouting.policy.Policy;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PreparedTests {

    private static final BitSet NOBODY = new BitSet();
    private static final List<String> POLICIES = List.of(
            "tags(a); tags(b)",
            "tags(a)->min(2); tags(b); halt()",
            "maxlag(40ms)->tags(a, b); maxlag(90ms); tags(c)",
            "not(a)->min(3); maxlag(60ms); halt()",
            "tags(a)->not(b)->maxlag(30ms); all()->min(2); halt()",
            "halt()");

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);
    private long now = random.nextLong();

    @Test
    void findsThoseWhomALookAtEachServerFinds() {
        int looked = 0;
        for (int cluster = 0; cluster < 300; cluster++) {
            boolean primaryReads = random.nextBoolean();
            boolean twoBranches = random.nextInt(5) == 0;
            Policies policies = policies();
            RoutingTable table = table(1 + random.nextInt(12), twoBranches, null);
            Prepared prepared = null;
            for (int sample = 0; sample < 20; sample++) {
                prepared = Prepared.of(table, policies, primaryReads, now, prepared);
                for (int read = 0; read < 12; read++) {
                    looked += compare(prepared, policies);
                    now += random.nextInt(5) * 1_000_000L;
                }
                table = table(table.servers().size(), twoBranches, table);
                policies = random.nextInt(8) == 0 ? policies() : policies;
            }
        }
        assertThat(looked).as("how often it was looked up").isGreaterThan(50_000);
    }

    private int compare(Prepared prepared, Policies policies) {
        List<String> names = new ArrayList<>(policies.byName().keySet());
        AppliedPolicy policy = random.nextInt(6) == 0
                ? null
                : prepared.members().policies().of(names.get(random.nextInt(names.size())));
        Need need = need();

        EligibleSet found = prepared.lookUp(need, policy, () -> now);
        EligibleSet seen = prepared.scan(need, policy, () -> now, NOBODY, true);

        Set<Integer> expected = plainly(
                prepared, need, policy == null ? null : policies.byName().get(policy.name()));
        String picture = "seed " + seed + ", " + need + " of\n" + prepared.table()
                + (policy == null ? "" : policies.byName().get(policy.name()));
        assertThat(members(seen)).as(picture).isEqualTo(expected);
        if (found != null) {
            assertThat(members(found)).as(picture).isEqualTo(expected);
        }
        return found == null ? 0 : 1;
    }

    /** What the rules say, word by word, of one table, without anything that was known before. */
    private Set<Integer> plainly(Prepared prepared, Need need, Policy policy) {
        RoutingTable table = prepared.table();
        List<ServerState> fresh = new ArrayList<>();
        for (ServerState server : table.servers()) {
            boolean primary = server.index() == prepared.members().primary();
            boolean positions = need.required().stream()
                    .allMatch(required ->
                            server.position() != null && server.position().covers(required));
            boolean age = need.bound() == null
                    || (server.lag().freshAt() != Lag.NEVER
                            && now - server.lag().freshAt() <= need.bound().toNanos());
            if (primary || (server.readable() && positions && age)) {
                fresh.add(server);
            }
        }
        if (policy == null) {
            return indexes(fresh);
        }
        for (Policy.Rule rule : policy.rules()) {
            List<ServerState> left = fresh;
            for (Filter filter : rule.filters()) {
                List<ServerState> set = left;
                left = set.stream()
                        .filter(server -> passes(
                                filter, server, set.size(), prepared.members().primary()))
                        .toList();
            }
            if (!left.isEmpty()) {
                return indexes(left);
            }
            if (rule.filters().get(0) instanceof Filter.Halt) {
                return Set.of();
            }
        }
        return indexes(fresh);
    }

    private boolean passes(Filter filter, ServerState server, int size, int primary) {
        if (filter instanceof Filter.Tags some) {
            return some.tags().stream().anyMatch(server.tags()::contains);
        } else if (filter instanceof Filter.Not none) {
            return none.tags().stream().noneMatch(server.tags()::contains);
        } else if (filter instanceof Filter.Min min) {
            return size >= min.servers();
        } else if (filter instanceof Filter.MaxLag most) {
            return server.index() == primary
                    || (server.lag().freshAt() != Lag.NEVER
                            && now - server.lag().freshAt() <= most.lag().toNanos());
        }
        return filter instanceof Filter.All;
    }

    private static Set<Integer> indexes(List<ServerState> servers) {
        Set<Integer> indexes = new HashSet<>();
        servers.forEach(server -> indexes.add(server.index()));
        return indexes;
    }

    private static Set<Integer> members(EligibleSet set) {
        Set<Integer> members = new HashSet<>();
        for (int i = 0; i < set.size(); i++) {
            members.add(set.server(i));
            assertThat(set.has(set.server(i))).isTrue();
        }
        return members;
    }

    private Policies policies() {
        Policies policies = Policies.NONE;
        for (int i = 0; i < POLICIES.size(); i++) {
            policies = policies.with("p" + i, Policy.parse(POLICIES.get(random.nextInt(POLICIES.size()))));
        }
        return policies;
    }

    private Need need() {
        return switch (random.nextInt(4)) {
            case 0 -> Need.NOTHING;
            case 1 -> new Need(List.of(), Duration.ofMillis(random.nextInt(120)), now);
            case 2 -> Need.covering(List.of(position(false)));
            default -> Need.covering(List.of(position(random.nextInt(20) == 0), position(false)));
        };
    }

    private Position position(boolean elsewhere) {
        return new WalPosition("7", elsewhere ? 2 : 1, 1 + random.nextInt(20));
    }

    /** A table that follows another one: most of it is as it was. */
    private RoutingTable table(int size, boolean twoBranches, RoutingTable before) {
        List<ServerState> servers = new ArrayList<>();
        int primary = before == null || random.nextInt(20) == 0 ? random.nextInt(size + 1) - 1 : before.followed();
        for (int i = 0; i < size; i++) {
            ServerState then = before == null ? null : before.servers().get(i);
            boolean again = then != null && random.nextInt(3) > 0;
            List<String> tags = then != null && random.nextInt(20) > 0 ? then.tags() : tags();
            Position position = again
                    ? then.position()
                    : random.nextInt(8) == 0 ? null : position(twoBranches && random.nextBoolean());
            Lag lag = again
                    ? then.lag()
                    : new Lag(
                            random.nextInt(8) == 0 ? Lag.NEVER : now - random.nextInt(100) * 1_000_000L, Duration.ZERO);
            ServerStatus status = random.nextInt(10) == 0 ? ServerStatus.SUSPECT : ServerStatus.UP;
            servers.add(new ServerState(
                    i,
                    "db" + i,
                    tags,
                    i == primary ? ServerRole.PRIMARY : ServerRole.REPLICA,
                    status,
                    position,
                    new ServerIdentity("7", "start " + i),
                    1,
                    i != primary && random.nextInt(15) == 0,
                    null,
                    lag));
        }
        return new RoutingTable(
                before == null ? 1 : before.version() + 1,
                servers,
                primary < 0 ? null : servers.get(primary),
                "7",
                null,
                primary);
    }

    private List<String> tags() {
        return List.of("a", "b", "c").stream()
                .filter(tag -> random.nextInt(3) == 0)
                .toList();
    }

    @Test
    void keepsWhatIsTheSameFromOneTableToTheNext() {
        RoutingTable first = table(6, false, null);
        Policies policies = Policies.NONE.with("p", Policy.parse("tags(a); tags(b)"));
        Prepared one = Prepared.of(first, policies, false, now, null);
        AppliedPolicy policy = one.members().policies().of("p");
        EligibleSet left = one.lookUp(Need.NOTHING, policy, () -> now);

        Prepared next = Prepared.of(first.withLags(server -> new Lag(now, Duration.ZERO)), policies, false, now, one);

        assertThat(next.members()).isSameAs(one.members());
        assertThat(next.lookUp(Need.NOTHING, policy, () -> now)).isSameAs(left);
        Prepared changed = Prepared.of(first, policies.with("p", Policy.parse("tags(c)")), false, now, next);
        assertThat(changed.members()).isNotSameAs(one.members());
    }

    @Test
    void noticesWhenTimeAloneTakesAServerOutOfAPolicy() {
        ServerState replica = new ServerState(
                0,
                "db0",
                List.of(),
                ServerRole.REPLICA,
                ServerStatus.UP,
                null,
                new ServerIdentity("7", "start"),
                1,
                false,
                null,
                new Lag(now, Duration.ZERO));
        Policies policies = Policies.NONE.with("p", Policy.parse("maxlag(40ms); halt()"));
        Prepared prepared = Prepared.of(new RoutingTable(1, List.of(replica), null, "7"), policies, false, now, null);
        AppliedPolicy policy = prepared.members().policies().of("p");
        long begin = now;

        assertThat(prepared.lookUp(Need.NOTHING, policy, () -> begin).size()).isOne();
        assertThat(prepared.lookUp(Need.NOTHING, policy, () -> begin + 40_000_000)
                        .size())
                .isOne();
        assertThat(prepared.lookUp(Need.NOTHING, policy, () -> begin + 40_000_001)
                        .size())
                .isZero();
    }
}
