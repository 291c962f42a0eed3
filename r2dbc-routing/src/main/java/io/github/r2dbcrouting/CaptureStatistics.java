package io.github.r2dbcrouting;

import java.time.Duration;

/**
 * How do the positions of what sessions did come in?
 *
 * <p>An immutable snapshot. The counts begin with the factory.
 *
 * @param pending how many writes, and reads on the primary, have ended and wait for a position now
 * @param oldestPending how long the first of them has waited; zero if there is none
 * @param captures how many positions of the primary have been given to at least one of them
 * @param captured how many of them have been given a position
 * @param lastCapture how long the latest of those positions had been asked for when it came; zero before the first
 * @param nudges how many times a mark was written to the primary's history
 * @param possiblyLost how many {@link RoutingEvent.WritePossiblyLost} were told
 * @param uncovered how many replicas that answer have not reached the newest position that a session was given
 * @param oldestUncovered how long ago that position was given; zero if {@code uncovered} is
 * @since 0.1.0
 */
public record CaptureStatistics(
        int pending,
        Duration oldestPending,
        long captures,
        long captured,
        Duration lastCapture,
        long nudges,
        long possiblyLost,
        int uncovered,
        Duration oldestUncovered) {}
