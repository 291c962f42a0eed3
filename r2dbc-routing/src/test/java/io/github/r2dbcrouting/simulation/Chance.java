package io.github.r2dbcrouting.simulation;

/** What happens by chance? The same for the same seed: SplitMix64. */
final class Chance {

    private long state;

    Chance(long seed) {
        this.state = seed;
    }

    /** A stream of its own, which depends on the label and not on what was drawn before. */
    static Chance of(long seed, long label) {
        return new Chance(mix(mix(seed) + 0x9E3779B97F4A7C15L * (label + 1)));
    }

    static long mix(long value) {
        long z = value;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    private long next() {
        state += 0x9E3779B97F4A7C15L;
        return mix(state);
    }

    /** From 0 to below the bound. */
    int below(int bound) {
        return (int) Math.floorMod(next() >>> 1, (long) bound);
    }

    /** From 0 to below the bound. */
    long below(long bound) {
        return Math.floorMod(next() >>> 1, bound);
    }

    /** From the one to the other, both included. */
    int between(int least, int most) {
        return least + below(most - least + 1);
    }

    boolean percent(int likely) {
        return below(100) < likely;
    }

    <T> T oneOf(java.util.List<T> all) {
        return all.get(below(all.size()));
    }

    /** Mostly quick, now and then ten times and seldom a hundred times as slow: what overtakes what is open. */
    long latency(long usual) {
        int luck = below(100);
        long scale = luck < 85 ? usual : luck < 98 ? 10 * usual : 60 * usual;
        return 1 + below(scale);
    }
}
