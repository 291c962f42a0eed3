package io.github.r2dbcrouting.spi;

import java.time.Duration;
import java.util.function.IntUnaryOperator;

/** See {@link LoadBalancer#nearest(Duration)}. */
final class Nearest implements LoadBalancer {

    private final Duration window;

    Nearest(Duration window) {
        if (window.isNegative()) {
            throw new IllegalArgumentException("the latency window is not negative, as " + window + " is");
        }
        this.window = window;
    }

    @Override
    public int choose(Candidates candidates, IntUnaryOperator random) {
        int size = candidates.size();
        double fastest = Double.POSITIVE_INFINITY;
        for (int i = 0; i < size; i++) {
            fastest = Math.min(fastest, candidates.latency(i));
        }
        double limit = fastest + window.toNanos();
        int near = 0;
        for (int i = 0; i < size; i++) {
            near += candidates.latency(i) <= limit ? 1 : 0;
        }
        int left = random.applyAsInt(near);
        int chosen = 0;
        while (candidates.latency(chosen) > limit || left-- > 0) {
            chosen++;
        }
        return chosen;
    }

    @Override
    public String toString() {
        return "nearest within " + window.toMillis() + " ms";
    }
}
