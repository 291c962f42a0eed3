package io.github.r2dbcrouting.internal.routing;

import java.util.BitSet;

/**
 * Which replicas are ejected, and which start slowly, for as long as both stay so? Compared by identity: whatever is
 * worked out for one lasts as long as it does. Immutable.
 */
final class Outliers {

    private final BitSet ejected;
    private final BitSet starting;
    private final long from;
    private final long lasts;

    /**
     * Creates an account of one moment.
     *
     * @param ejected the indexes of those that are; not to be changed any more
     * @param starting the indexes of those that start slowly; not to be changed any more
     * @param from the moment, in nanoseconds
     * @param lasts how long after it the first of them is something else, in nanoseconds
     */
    Outliers(BitSet ejected, BitSet starting, long from, long lasts) {
        this.ejected = ejected;
        this.starting = starting;
        this.from = from;
        this.lasts = lasts;
    }

    boolean holdsAt(long now) {
        return now - from >= 0 && now - from < lasts;
    }

    boolean ejected(int server) {
        return ejected.get(server);
    }

    boolean starting(int server) {
        return starting.get(server);
    }

    @Override
    public String toString() {
        return "ejected " + ejected + ", starting " + starting;
    }
}
