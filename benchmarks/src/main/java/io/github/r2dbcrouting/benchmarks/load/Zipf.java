package io.github.r2dbcrouting.benchmarks.load;

import java.util.Arrays;

/**
 * Which key does a request ask for, where few keys get most of the requests?
 *
 * <p>The key with rank r, from 1, is drawn with a probability that is proportional to 1 / r^s.
 */
final class Zipf {

    private final double[] cumulated;

    /**
     * Creates a distribution.
     *
     * @param keys the number of keys, at least 1
     * @param skew s; 0 draws all keys alike
     */
    Zipf(int keys, double skew) {
        if (keys < 1 || !(skew >= 0)) {
            throw new IllegalArgumentException(
                    "expected at least 1 key and a skew of at least 0, not " + keys + " and " + skew);
        }
        cumulated = new double[keys];
        double sum = 0;
        for (int i = 0; i < keys; i++) {
            sum += Math.pow(i + 1.0, -skew);
            cumulated[i] = sum;
        }
        for (int i = 0; i < keys; i++) {
            cumulated[i] /= sum;
        }
    }

    /**
     * Returns the key that belongs to a uniformly drawn number.
     *
     * @param uniform from 0 to below 1
     * @return a key from 0; the lower, the more frequent
     */
    int key(double uniform) {
        int found = Arrays.binarySearch(cumulated, uniform);
        int place = found < 0 ? -found - 1 : found + 1;
        return Math.min(place, cumulated.length - 1);
    }
}
