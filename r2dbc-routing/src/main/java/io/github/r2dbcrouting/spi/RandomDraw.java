package io.github.r2dbcrouting.spi;

import java.util.function.IntUnaryOperator;

/** See {@link LoadBalancer#random()}. */
final class RandomDraw implements LoadBalancer {

    static final LoadBalancer INSTANCE = new RandomDraw();

    /** Weights are drawn by parts of a million. */
    private static final int GRAIN = 1_000_000;

    private RandomDraw() {}

    /** In place of a candidate that is not to be drawn. */
    static final int NOBODY = -1;

    /** Of candidates with little weight beside one that has very much, the last one drawn is taken in the end. */
    private static final int MOST_DRAWS = 64;

    @Override
    public int choose(Candidates candidates, IntUnaryOperator random) {
        return draw(candidates, NOBODY, random);
    }

    /**
     * Draws any, and keeps it as often as its weight says in comparison with the greatest: no look at all of them.
     *
     * @param but one that is not to be drawn; {@link #NOBODY} if all are
     */
    static int draw(Candidates candidates, int but, IntUnaryOperator random) {
        int size = but == NOBODY ? candidates.size() : candidates.size() - 1;
        double greatest = candidates.greatestWeight();
        int drawn = NOBODY;
        for (int draws = 0; draws < MOST_DRAWS; draws++) {
            int place = random.applyAsInt(size);
            drawn = but == NOBODY || place < but ? place : place + 1;
            double weight = candidates.weight(drawn);
            if (weight >= greatest || random.applyAsInt(GRAIN) < weight / greatest * GRAIN) {
                return drawn;
            }
        }
        return drawn;
    }

    @Override
    public String toString() {
        return "random";
    }
}
