package io.github.r2dbcrouting;

import java.time.Duration;

/**
 * How far behind its primary is a replica, in time?
 *
 * <p>By the router's own clock alone: no clock of any server is compared with another.
 *
 * @param freshAt when the primary was asked for the newest position that the replica is known to have, by the router's
 *     clock: the replica has everything that the primary had on its disk then. {@link #NEVER} if that is not known
 * @param catchUp how long the replica has lately lacked what the primary had; zero if it was never seen to lack anything
 * @since 0.1.0
 */
public record Lag(long freshAt, Duration catchUp) {

    /** The value of {@code freshAt} for a replica that is not known to have anything. */
    public static final long NEVER = Long.MIN_VALUE;

    /** Of a server about which nothing is known, and of a primary. */
    public static final Lag UNKNOWN = new Lag(NEVER, Duration.ZERO);

    /**
     * Returns whether the replica is surely no older than a bound.
     *
     * @param now the time by the router's clock, in nanoseconds
     * @param bound how old it may be at that time, in nanoseconds
     * @return {@code false} also if its age is not known
     */
    public boolean within(long now, long bound) {
        return freshAt != NEVER && now - freshAt <= bound;
    }
}
