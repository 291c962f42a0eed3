package io.github.r2dbcrouting.simulation;

import io.github.r2dbcrouting.WhenBehind;
import io.github.r2dbcrouting.spi.LoadBalancer;
import java.util.List;

/**
 * Under which circumstances does a story happen?
 *
 * @param replicas how many there are at first
 * @param privileged whether the router may read whom a replica follows, and where timelines were left
 * @param nudged whether it may write to the history
 * @param asynchronousCommits whether commits do not wait for the disk at first
 * @param strict whether sessions are told of lost writes by an error
 * @param lazyBegin whether a begin waits for the first statement
 * @param whenBehind what reads do by default
 * @param balancer the number of a balancer
 * @param atRest between two probes, in milliseconds
 * @param watched between two probes while somebody waits, in milliseconds
 */
record Settings(
        int replicas,
        boolean privileged,
        boolean nudged,
        boolean asynchronousCommits,
        boolean strict,
        boolean lazyBegin,
        WhenBehind whenBehind,
        int balancer,
        int atRest,
        int watched) {

    /** So many reads may fall back to the primary at a time. */
    static final int BUDGET = 2;

    private static final int BALANCERS = 3;

    static Settings drawn(Chance chance) {
        return new Settings(
                chance.percent(80) ? 2 : chance.between(1, 3),
                chance.percent(80),
                chance.percent(90),
                chance.percent(25),
                chance.percent(30),
                chance.percent(30),
                chance.percent(70) ? WhenBehind.WAIT_THEN_PRIMARY : chance.oneOf(List.of(WhenBehind.values())),
                chance.below(BALANCERS),
                chance.oneOf(List.of(20, 50, 100)),
                chance.oneOf(List.of(2, 5, 10)));
    }

    /**
     * A new one, since some remember whom they chose last; and none that looks at latencies, since those are measured by
     * the clock of the system.
     */
    LoadBalancer loadBalancer() {
        return switch (balancer) {
            case 0 -> LoadBalancer.roundRobin();
            case 1 -> LoadBalancer.random();
            default -> LoadBalancer.leastInFlight();
        };
    }

    @Override
    public String toString() {
        return replicas + " replicas, probes every " + atRest + " ms and " + watched + " ms while watched, "
                + whenBehind + " when behind, " + loadBalancer() + " balancer"
                + (privileged ? "" : ", without privileges")
                + (nudged ? "" : ", nudges refused")
                + (asynchronousCommits ? ", asynchronous commits" : "")
                + (strict ? ", strict about lost writes" : "")
                + (lazyBegin ? ", lazy begin" : "");
    }
}
