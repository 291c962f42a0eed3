package io.github.r2dbcrouting.benchmarks.decision;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.routing.Ejections;
import io.github.r2dbcrouting.internal.routing.Route;
import io.github.r2dbcrouting.internal.routing.Router;
import java.time.Duration;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * What a decision costs while the table stays as it is, and what a new table costs.
 *
 * <p>The decision that it serves: what is prepared with the table and what is left to each request, and whether every
 * subscription may choose anew, however many servers and policies there are.
 *
 * <p>A decision shall take at most logarithmically longer with more servers, and no longer with more policies. Whatever
 * grows with both is done when a sample arrives: that is {@link #table}, and the first decision after it, which is
 * {@link #tableAndDecision}.
 */
@State(Scope.Benchmark)
public class DecisionCost extends Decision {

    private static final int TABLES = 64;
    private static final Duration SOON = Duration.ofMillis(100);

    /** How many servers there are, the primary among them. */
    @Param({"2", "3", "16", "64", "1024"})
    int servers = 3;

    /** How many policies there are, of six rules each. */
    @Param({"1", "10", "100"})
    int policies = 1;

    private final ZonedCluster smallest = new ZonedCluster(2, 1);
    private List<RoutingTable> tables = smallest.tables(TABLES);
    private Router router = smallest.router(nobodyFails());
    private Ask any = smallest.any();
    private Ask all = any;
    private Ask half = any;
    private Ask none = any;
    private Ask aged = any;
    private int next;

    private static Ejections nobodyFails() {
        return new Ejections(System::nanoTime);
    }

    /** Makes the cluster. */
    @Setup
    public void cluster() {
        ZonedCluster cluster = new ZonedCluster(servers, policies);
        tables = cluster.tables(TABLES);
        router = cluster.router(nobodyFails());
        router.prepare(tables.get(0));
        any = cluster.any();
        all = cluster.causal(1);
        half = cluster.causal(ZonedCluster.POSITIONS / 2);
        none = cluster.causal(ZonedCluster.POSITIONS + 1);
        aged = cluster.atMost(Duration.ofMillis(ZonedCluster.POSITIONS / 2));
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
     * A read that all replicas are fresh enough for.
     *
     * @return where it goes
     */
    @Benchmark
    public Route coveredByAll() {
        return router.choose(tables.get(0), all, NOBODY);
    }

    /**
     * A read that half of the replicas are fresh enough for.
     *
     * @return where it goes
     */
    @Benchmark
    public Route coveredByHalf() {
        return router.choose(tables.get(0), half, NOBODY);
    }

    /**
     * A read that no replica is fresh enough for.
     *
     * @return where it goes
     */
    @Benchmark
    public Route coveredByNone() {
        return router.choose(tables.get(0), none, NOBODY);
    }

    /**
     * The same read before it waits.
     *
     * @return whether it is worth it
     */
    @Benchmark
    public boolean worthWaitingFor() {
        return router.predicts(tables.get(0), none, NOBODY, SOON);
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
        return router.choose(table, half, NOBODY);
    }
}
