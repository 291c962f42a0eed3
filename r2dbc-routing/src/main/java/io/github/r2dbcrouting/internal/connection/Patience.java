package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.WhenBehind;
import java.time.Duration;

/**
 * How long does a request wait for what, if it says nothing itself?
 *
 * @param firstTable for the first table
 * @param primary for a primary, if there is none
 * @param whenBehind what becomes of a read for which no replica is fresh enough
 * @param maxWait for a replica, before a read turns to the primary
 * @param readDeadline for a server, altogether, before a read fails
 */
public record Patience(
        Duration firstTable, Duration primary, WhenBehind whenBehind, Duration maxWait, Duration readDeadline) {}
