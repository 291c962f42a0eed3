package io.github.r2dbcrouting.chaos.fault;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Random;

/**
 * Which fault comes next? The same for the same seed: each kind comes once, in some order, before any comes again. When
 * exactly it comes, and what requests do meanwhile, is not decided by the seed.
 */
public final class Schedule {

    private final Random random;
    private final List<Fault> kinds;
    private final Deque<Fault> round = new ArrayDeque<>();

    /**
     * One fault.
     *
     * @param fault its kind
     * @param seed decides whom it strikes, and for how long
     * @param before how long all is well before it
     */
    public record Strike(Fault fault, long seed, Duration before) {}

    /**
     * Creates one.
     *
     * @param kinds the faults of one lane
     * @param seed what decides
     */
    public Schedule(List<Fault> kinds, long seed) {
        this.kinds = List.copyOf(kinds);
        this.random = new Random(seed);
    }

    /**
     * Returns the next fault.
     *
     * @return the fault
     */
    public Strike next() {
        if (round.isEmpty()) {
            List<Fault> shuffled = new ArrayList<>(kinds);
            Collections.shuffle(shuffled, random);
            round.addAll(shuffled);
        }
        return new Strike(round.removeFirst(), random.nextLong(), Duration.ofMillis(50 + random.nextInt(450)));
    }
}
