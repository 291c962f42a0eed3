package io.github.r2dbcrouting.micrometer;

import org.jspecify.annotations.Nullable;

/**
 * Which meters are there, and what does each measure?
 *
 * @since 0.1.0
 */
public enum RoutingMeter {
    /** Counts decisions by {@code server}, {@code role}, {@code reason} and {@code intent}; only with a listener. */
    DECISIONS("r2dbc.routing.decisions", "Decisions on where a statement or transaction runs", null),
    /** Times how long a read waited for its server, of those that waited at all; only with a listener. */
    WAIT("r2dbc.routing.wait", "How long reads waited for a replica or a place in the fallback budget", null),
    /** Whether a {@code server} may be used, 1 or 0. */
    SERVER_UP("r2dbc.routing.server.up", "Whether a server is up", null),
    /** Whether a {@code server} is the primary that is followed, 1 or 0. */
    SERVER_PRIMARY("r2dbc.routing.server.primary", "Whether a server is the primary that is followed", null),
    /** How long the replica {@code server} has lately lacked what the primary had. */
    CATCH_UP("r2dbc.routing.replica.catch.up", "How long a replica lately lacked what the primary had", "seconds"),
    /** Writes, and reads on the primary, that wait for a position. */
    PENDING("r2dbc.routing.pending", "Writes and reads on the primary that wait for their position", null),
    /** How long the first of those has waited. */
    PENDING_AGE("r2dbc.routing.pending.age", "How long the first of them has waited", "seconds"),
    /** Positions of the primary that were captured. */
    CAPTURES("r2dbc.routing.captures", "Positions of the primary that were captured for somebody", null),
    /** Writes, and reads on the primary, that were given a position. */
    CAPTURED("r2dbc.routing.captured", "Writes and reads on the primary that were given a position", null),
    /** How long the latest captured position took to come. */
    CAPTURE_TIME("r2dbc.routing.capture.time", "How long the latest captured position took to come", "seconds"),
    /** Marks that were written to the primary's history. */
    NUDGES("r2dbc.routing.nudges", "Marks that were written to the primary's history", null),
    /** Writes that a failover or a crash may have lost. */
    POSSIBLY_LOST("r2dbc.routing.possibly.lost", "Writes that a failover or a crash may have lost", null),
    /** Replicas that lack the newest position which a session was given. */
    UNCOVERED("r2dbc.routing.uncovered", "Replicas that lack the newest position a session was given", null),
    /** How long they have lacked it. */
    UNCOVERED_AGE("r2dbc.routing.uncovered.age", "How long replicas have lacked that position", "seconds");

    private final String meterName;
    private final String description;
    private final @Nullable String unit;

    RoutingMeter(String meterName, String description, @Nullable String unit) {
        this.meterName = meterName;
        this.description = description;
        this.unit = unit;
    }

    /**
     * Returns what the meter is called.
     *
     * @return the name, with dots
     */
    public String meterName() {
        return meterName;
    }

    /**
     * Returns what it measures, for people.
     *
     * @return the description
     */
    public String description() {
        return description;
    }

    @Nullable
    String unit() {
        return unit;
    }
}
