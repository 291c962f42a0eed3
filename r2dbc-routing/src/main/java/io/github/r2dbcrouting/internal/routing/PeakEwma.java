package io.github.r2dbcrouting.internal.routing;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;

/**
 * How long does a server lately take to answer?
 *
 * <p>An average that weighs what it saw less the longer ago that was, but believes a peak at once: a server that becomes
 * slow is avoided by the next request, and trusted again only little by little. After {@link #DECAY} a third of what was
 * seen is left. Thread-safe, without locks.
 *
 * <p>The algorithm and the time are those of Finagle's {@code PeakEwma} load balancer.
 */
public final class PeakEwma {

    /** Within this time what was seen loses two thirds of its weight. */
    public static final Duration DECAY = Duration.ofSeconds(10);

    private static final long DECAY_NANOS = DECAY.toNanos();

    private final AtomicReference<Seen> seen = new AtomicReference<>(new Seen(0, 0));

    /** Creates an average that has seen nothing. */
    public PeakEwma() {}

    /**
     * Takes in how long an answer took.
     *
     * @param latency in nanoseconds; not negative
     * @param now nanoseconds since an arbitrary moment
     */
    public void add(long latency, long now) {
        seen.updateAndGet(before -> before.with(latency, now));
    }

    /**
     * Returns the average. Silence ages it as answers that took no time would: else a server that was slow once would
     * never be asked again, and so never be seen to be quick.
     *
     * @param now nanoseconds since the same moment as in {@link #add}
     * @return nanoseconds; 0 if nothing was seen
     */
    public double nanos(long now) {
        Seen last = Objects.requireNonNull(seen.get());
        return last.average == 0 ? 0 : Math.max(last.average * last.left(now), LEAST);
    }

    /** Whatever was seen is more than nothing. */
    private static final double LEAST = 1;

    private record Seen(double average, long at) {

        Seen with(long latency, long now) {
            double left = left(now);
            if (latency >= average * left) {
                return new Seen(Math.max((double) latency, LEAST), now);
            }
            return new Seen(average * left + latency * (1 - left), now);
        }

        /** The part of the weight of what was seen that is left. Two threads may bring their times out of order. */
        double left(long now) {
            long silent = now - at;
            return silent <= 0 ? 1 : Math.exp(-silent / (double) DECAY_NANOS);
        }
    }
}
