package io.github.r2dbcrouting.benchmarks;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * The middle half of some measurements.
 *
 * @param lower a quarter of them is less
 * @param median half of them is less
 * @param upper a quarter of them is more
 */
public record Quartiles(double lower, double median, double upper) {

    /**
     * Finds the quartiles.
     *
     * @param measurements at least one
     * @return the quartiles
     */
    public static Quartiles of(List<Double> measurements) {
        double[] sorted = measurements.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        return new Quartiles(at(sorted, 0.25), at(sorted, 0.5), at(sorted, 0.75));
    }

    private static double at(double[] sorted, double fraction) {
        double place = fraction * (sorted.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%.3f [%.3f .. %.3f]", median, lower, upper);
    }
}
