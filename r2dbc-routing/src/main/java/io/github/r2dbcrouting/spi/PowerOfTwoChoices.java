package io.github.r2dbcrouting.spi;

import java.util.function.IntUnaryOperator;

/** See {@link LoadBalancer#powerOfTwoChoices()}. */
final class PowerOfTwoChoices implements LoadBalancer {

    static final LoadBalancer INSTANCE = new PowerOfTwoChoices();

    /** Until a server has answered once it counts as quick, so that it is tried. */
    private static final double UNKNOWN_LATENCY = 1;

    private PowerOfTwoChoices() {}

    @Override
    public int choose(Candidates candidates, IntUnaryOperator random) {
        int size = candidates.size();
        if (size == 1) {
            return 0;
        }
        int one = random.applyAsInt(size);
        int drawn = random.applyAsInt(size - 1);
        int other = drawn < one ? drawn : drawn + 1;
        return cost(candidates, one) <= cost(candidates, other) ? one : other;
    }

    private static double cost(Candidates candidates, int candidate) {
        double latency = Math.max(candidates.latency(candidate), UNKNOWN_LATENCY);
        return latency * (candidates.inFlight(candidate) + 1) / candidates.weight(candidate);
    }

    @Override
    public String toString() {
        return "power of two choices";
    }
}
