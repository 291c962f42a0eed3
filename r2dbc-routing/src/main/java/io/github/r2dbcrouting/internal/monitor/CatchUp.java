package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.Lag;
import java.time.Duration;

/**
 * How long does a replica take, judging by the last times, until it has what the primary has?
 *
 * <p>A replica that lacks something for longer than that is believed at once to take longer; one that was quicker is
 * believed by halves, each time that it has caught up with something new. So a single pause is forgotten after a few
 * writes, and a replica that applies everything late is known for it after the first. Time alone changes nothing: an
 * idle replica has shown nothing. Not thread-safe.
 */
final class CatchUp {

    private long estimate;
    private long longest;
    private boolean lacking;

    /**
     * Takes a sample into account.
     *
     * @param at when it was sent
     * @param lackingSince since when the replica has lacked something, {@link Lag#NEVER} if it lacks nothing
     * @param news whether the primary has written something since the replica last lacked nothing
     */
    void sampled(long at, long lackingSince, boolean news) {
        if (lackingSince != Lag.NEVER) {
            longest = Math.max(longest, at - lackingSince);
            estimate = Math.max(estimate, longest);
            lacking = true;
        } else if (lacking || news) {
            estimate -= (estimate - longest) / 2;
            longest = 0;
            lacking = false;
        }
    }

    Duration estimate() {
        return Duration.ofNanos(estimate);
    }
}
