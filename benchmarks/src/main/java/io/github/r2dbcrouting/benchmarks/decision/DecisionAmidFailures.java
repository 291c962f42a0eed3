package io.github.r2dbcrouting.benchmarks.decision;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.routing.Ejections;
import io.github.r2dbcrouting.internal.routing.Route;
import io.github.r2dbcrouting.internal.routing.Router;
import java.time.Duration;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * What a decision costs while a replica is left alone that failed requests.
 *
 * <p>That must not be the moment in which each decision begins to look at every server: the cluster is in trouble already.
 */
@State(Scope.Benchmark)
public class DecisionAmidFailures extends Decision {

    private static final int POLICIES = 10;
    private static final int ONE = 1;
    private static final Duration EJECTION = Duration.ofSeconds(1);
    private static final Duration HALF_STARTED = Duration.ofMillis(2_500);

    /** How many servers there are, the primary among them. */
    @Param({"3", "16", "64", "1024"})
    int servers = 3;

    /** What one of the replicas is. */
    @Param({"EJECTED", "STARTING"})
    Failure one = Failure.EJECTED;

    private final ZonedCluster smallest = new ZonedCluster(3, POLICIES);
    private RoutingTable table = smallest.tables(1).get(0);
    private Router router = smallest.router(new Ejections(System::nanoTime));
    private Ask any = smallest.any();
    private Ask half = any;
    private long time;

    /** What has become of a replica that failed requests. */
    public enum Failure {
        /** Nothing is sent to it. */
        EJECTED,
        /** It gets half of its share. */
        STARTING
    }

    /** Makes the cluster. */
    @Setup
    public void cluster() {
        ZonedCluster cluster = new ZonedCluster(servers, POLICIES);
        Ejections ejections = new Ejections(this::standingClock);
        for (int i = 0; i < Ejections.FAILURES; i++) {
            ejections.failed(ONE, servers - 1);
        }
        if (one == Failure.STARTING) {
            time += EJECTION.plus(HALF_STARTED).toNanos();
        }
        table = cluster.tables(1).get(0);
        router = cluster.router(ejections);
        router.prepare(table);
        any = cluster.any();
        half = cluster.causal(ZonedCluster.POSITIONS / 2);
    }

    /** Costs what a clock costs, and shows the same time, so that a run is as long as one likes. */
    private long standingClock() {
        return System.nanoTime() == Long.MIN_VALUE ? 0 : time;
    }

    /**
     * A read that asks for nothing.
     *
     * @return where it goes
     */
    @Benchmark
    public Route any() {
        return router.choose(table, any, NOBODY);
    }

    /**
     * A read that half of the replicas are fresh enough for.
     *
     * @return where it goes
     */
    @Benchmark
    public Route coveredByHalf() {
        return router.choose(table, half, NOBODY);
    }
}
