package io.github.r2dbcrouting.spi;

import java.time.Duration;
import java.util.function.IntUnaryOperator;

/** See {@link LoadBalancer#powerOfTwoChoices()}. */
final class PowerOfTwoChoices implements LoadBalancer {

    static final LoadBalancer INSTANCE = new PowerOfTwoChoices();

    /** While it has not answered the first request, nobody else goes to a server if another one will do. */
    private static final double UNKNOWN_LATENCY = Duration.ofMinutes(15).toNanos();

    private PowerOfTwoChoices() {}

    @Override
    public int choose(Candidates candidates, IntUnaryOperator random) {
        int size = candidates.size();
        if (size == 1) {
            return 0;
        }
        int one = RandomDraw.draw(candidates, RandomDraw.NOBODY, random);
        int other = RandomDraw.draw(candidates, one, random);
        return cost(candidates, one) <= cost(candidates, other) ? one : other;
    }

    private static double cost(Candidates candidates, int candidate) {
        double latency = candidates.latency(candidate);
        int inFlight = candidates.inFlight(candidate);
        if (latency == 0 && inFlight > 0) {
            latency = UNKNOWN_LATENCY;
        }
        return latency * (1 + inFlight / candidates.weight(candidate));
    }

    @Override
    public String toString() {
        return "power of two choices";
    }
}
