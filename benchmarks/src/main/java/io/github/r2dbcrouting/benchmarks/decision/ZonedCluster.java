package io.github.r2dbcrouting.benchmarks.decision;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Lag;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.internal.clock.Surroundings;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.routing.Ejections;
import io.github.r2dbcrouting.internal.routing.Policies;
import io.github.r2dbcrouting.internal.routing.Router;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.policy.Policy;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.LoadBalancer;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A primary and replicas in eight zones, at positions from 1 to {@link #POSITIONS} in turn, of which one moves from each
 * table to the next.
 */
final class ZonedCluster {

    static final int POSITIONS = 100;

    private static final int ZONES = 8;

    private final int servers;
    private final int policies;

    /**
     * Describes a cluster.
     *
     * @param servers how many servers there are, the primary among them
     * @param policies how many policies there are, of six rules each
     */
    ZonedCluster(int servers, int policies) {
        this.servers = servers;
        this.policies = policies;
    }

    List<RoutingTable> tables(int count) {
        List<ServerState> states = new ArrayList<>();
        for (int i = 0; i < servers; i++) {
            states.add(state(i, 1 + i % POSITIONS));
        }
        List<RoutingTable> tables = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int moved = 1 + i % (servers - 1);
            states.set(moved, state(moved, 1 + (moved + i) % POSITIONS));
            tables.add(new RoutingTable(1, states, states.get(0), "7"));
        }
        return tables;
    }

    Router router(Ejections ejections) {
        Policies all = Policies.NONE;
        for (int i = 0; i < policies; i++) {
            String text = "tags(zone-%d)->min(2); tags(zone-%d, zone-%d); not(zone-%d)->min(3); all()->tags(eu); all()"
                    .formatted(i % ZONES, (i + 1) % ZONES, (i + 2) % ZONES, i % ZONES);
            all = all.with("p" + i, Policy.parse(text));
        }
        return new Router(
                server -> 1,
                Surroundings.CHANCE,
                Safeguards.all(),
                ejections,
                () -> 0,
                Duration.ZERO,
                new Router.Preferences(all, false, LoadBalancer.powerOfTwoChoices()));
    }

    /** The last of the policies, so that whoever looks through them is found out. */
    private Routing read(Freshness freshness) {
        return Routing.read().freshness(freshness).policy("p" + (policies - 1));
    }

    Ask any() {
        return Ask.of(read(Freshness.any()), null);
    }

    Ask causal(int position) {
        SessionState session = new SessionState();
        session.observe(CausalToken.of(List.of(new WalPosition("7", 1, position))));
        return Ask.of(read(Freshness.causal()), session);
    }

    Ask atMost(Duration age) {
        return Ask.of(read(Freshness.atMost(age)), null);
    }

    private static ServerState state(int index, int position) {
        return new ServerState(
                index,
                "db" + index,
                List.of("zone-" + index % ZONES, index % 2 == 0 ? "eu" : "us"),
                index == 0 ? ServerRole.PRIMARY : ServerRole.REPLICA,
                ServerStatus.UP,
                new WalPosition("7", 1, index == 0 ? POSITIONS + 1 : position),
                new ServerIdentity("7", "start " + index),
                1,
                false,
                null,
                new Lag((position - POSITIONS) * 1_000_000L, Duration.ZERO));
    }
}
