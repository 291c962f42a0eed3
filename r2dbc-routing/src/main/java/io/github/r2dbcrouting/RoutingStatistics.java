package io.github.r2dbcrouting;

/**
 * How do requests fare between the servers?
 *
 * <p>An immutable snapshot. The counts begin with the factory.
 *
 * @param waiting how many reads wait now for a replica or for the primary
 * @param fallbackLimit how many reads may be with the primary at once because no replica is fresh enough for them
 * @param fallbackInUse how many are, now
 * @param fallbackQueued how many of those that wait do so for a place among them
 * @param fallbackRefused how many reads found the queue for such a place full, and went on waiting for a replica only
 * @param primariesFollowed how often a server was found to be the primary and followed from then on: 1 once the first is
 *     known
 * @since 0.1.0
 */
public record RoutingStatistics(
        int waiting,
        int fallbackLimit,
        int fallbackInUse,
        int fallbackQueued,
        long fallbackRefused,
        long primariesFollowed) {}
