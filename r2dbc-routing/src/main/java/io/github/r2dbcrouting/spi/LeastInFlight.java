package io.github.r2dbcrouting.spi;

import java.util.function.IntUnaryOperator;

/** See {@link LoadBalancer#leastInFlight()}. */
final class LeastInFlight implements LoadBalancer {

    static final LoadBalancer INSTANCE = new LeastInFlight();

    private LeastInFlight() {}

    @Override
    public int choose(Candidates candidates, IntUnaryOperator random) {
        int best = 0;
        int equals = 0;
        double least = Double.POSITIVE_INFINITY;
        for (int i = 0; i < candidates.size(); i++) {
            double load = (candidates.inFlight(i) + 1) / candidates.weight(i);
            if (load < least) {
                least = load;
                best = i;
                equals = 1;
            } else if (load == least && random.applyAsInt(++equals) == 0) {
                // the n-th of equals takes the place of the one before with a chance of one in n: each is as likely
                best = i;
            }
        }
        return best;
    }

    @Override
    public String toString() {
        return "least in flight";
    }
}
