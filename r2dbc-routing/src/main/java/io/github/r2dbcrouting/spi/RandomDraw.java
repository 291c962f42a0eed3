package io.github.r2dbcrouting.spi;

import java.util.function.IntUnaryOperator;

/** See {@link LoadBalancer#random()}. */
final class RandomDraw implements LoadBalancer {

    static final LoadBalancer INSTANCE = new RandomDraw();

    /** Weights are drawn by parts of a million. */
    private static final int GRAIN = 1_000_000;

    private RandomDraw() {}

    @Override
    public int choose(Candidates candidates, IntUnaryOperator random) {
        int size = candidates.size();
        double total = 0;
        for (int i = 0; i < size; i++) {
            total += candidates.weight(i);
        }
        double left = total * random.applyAsInt(GRAIN) / GRAIN;
        for (int i = 0; i < size - 1; i++) {
            left -= candidates.weight(i);
            if (left < 0) {
                return i;
            }
        }
        return size - 1;
    }

    @Override
    public String toString() {
        return "random";
    }
}
