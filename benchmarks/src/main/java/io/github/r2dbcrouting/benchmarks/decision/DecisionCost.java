package io.github.r2dbcrouting.benchmarks.decision;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Lag;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.routing.Ejections;
import io.github.r2dbcrouting.internal.routing.Policies;
import io.github.r2dbcrouting.internal.routing.Route;
import io.github.r2dbcrouting.internal.routing.Router;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.policy.Policy;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.LoadBalancer;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a decision costs while the table stays as it is, and what a new table costs.
 *
 * <p>A decision shall take at most logarithmically longer with more servers, and no longer with more policies. Whatever
 * grows with both is done when a sample arrives: that is {@link #table}, and the first decision after it, which is
 * {@link #tableAndDecision}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class DecisionCost {

    private static final BitSet NOBODY = new BitSet();
    private static final int POSITIONS = 100;
    private static final int TABLES = 64;

    /** How many servers there are, the primary among them. */
    @Param({"3", "16", "64", "1024"})
    int servers = 3;

    /** How many policies there are, of five rules each. */
    @Param({"1", "10", "100"})
    int policies = 1;

    private final List<RoutingTable> tables = new ArrayList<>();
    private Router router = router(Policies.NONE);
    private Ask any = Ask.of(Routing.read().freshness(Freshness.any()), null);
    private Ask causal = any;
    private Ask aged = any;
    private int next;

    /** Makes a cluster of zones, in which a sample after the other moves one server. */
    @Setup
    public void cluster() {
        List<ServerState> states = new ArrayList<>();
        for (int i = 0; i < servers; i++) {
            states.add(state(i, 1 + i % POSITIONS));
        }
        tables.clear();
        for (int i = 0; i < TABLES; i++) {
            int moved = 1 + i % (servers - 1);
            states.set(moved, state(moved, 1 + (moved + i) % POSITIONS));
            tables.add(new RoutingTable(1, states, states.get(0), "7"));
        }
        Policies all = Policies.NONE;
        for (int i = 0; i < policies; i++) {
            String text = "tags(zone-%d)->min(2); tags(zone-%d, zone-%d); not(zone-%d)->min(3); all()->tags(eu); all()"
                    .formatted(i % 8, (i + 1) % 8, (i + 2) % 8, i % 8);
            all = all.with("p" + i, Policy.parse(text));
        }
        router = router(all);
        router.prepare(tables.get(0));
        String policy = "p" + (policies - 1);
        SessionState session = new SessionState();
        session.observe(CausalToken.of(List.of(new WalPosition("7", 1, POSITIONS / 2))));
        any = Ask.of(Routing.read().freshness(Freshness.any()).policy(policy), null);
        causal = Ask.of(Routing.read().freshness(Freshness.causal()).policy(policy), session);
        aged = Ask.of(
                Routing.read()
                        .freshness(Freshness.atMost(Duration.ofMillis(POSITIONS / 2)))
                        .policy(policy),
                null);
    }

    private static Router router(Policies policies) {
        return new Router(
                server -> 1,
                bound -> ThreadLocalRandom.current().nextInt(bound),
                Safeguards.all(),
                new Ejections(System::nanoTime),
                () -> 0,
                Duration.ZERO,
                new Router.Preferences(policies, false, LoadBalancer.powerOfTwoChoices()));
    }

    private static ServerState state(int index, int position) {
        return new ServerState(
                index,
                "db" + index,
                List.of("zone-" + index % 8, index % 2 == 0 ? "eu" : "us"),
                index == 0 ? ServerRole.PRIMARY : ServerRole.REPLICA,
                ServerStatus.UP,
                new WalPosition("7", 1, index == 0 ? POSITIONS + 1 : position),
                new ServerIdentity("7", "start " + index),
                1,
                false,
                null,
                new Lag((position - POSITIONS) * 1_000_000L, Duration.ZERO));
    }

    /**
     * A read that asks for nothing.
     *
     * @return where it goes
     */
    @Benchmark
    public Route any() {
        return router.choose(tables.get(0), any, NOBODY);
    }

    /**
     * A read that half of the replicas are fresh enough for.
     *
     * @return where it goes
     */
    @Benchmark
    public Route causal() {
        return router.choose(tables.get(0), causal, NOBODY);
    }

    /**
     * A read that half of the replicas are young enough for.
     *
     * @return where it goes
     */
    @Benchmark
    public Route aged() {
        return router.choose(tables.get(0), aged, NOBODY);
    }

    /** A sample that moves one server. */
    @Benchmark
    public void table() {
        router.prepare(tables.get(next++ % TABLES));
    }

    /**
     * A sample that moves one server, and the first read after it.
     *
     * @return where it goes
     */
    @Benchmark
    public Route tableAndDecision() {
        RoutingTable table = tables.get(next++ % TABLES);
        router.prepare(table);
        return router.choose(table, causal, NOBODY);
    }
}
