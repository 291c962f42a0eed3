package io.github.r2dbcrouting.spi;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntUnaryOperator;

/** See {@link LoadBalancer#roundRobin()}. */
final class RoundRobin implements LoadBalancer {

    private final AtomicInteger next = new AtomicInteger();

    @Override
    public int choose(Candidates candidates, IntUnaryOperator random) {
        return Math.floorMod(next.getAndIncrement(), candidates.size());
    }

    @Override
    public String toString() {
        return "round robin";
    }
}
