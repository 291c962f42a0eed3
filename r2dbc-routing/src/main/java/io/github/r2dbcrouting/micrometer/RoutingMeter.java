package io.github.r2dbcrouting.micrometer;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which meters are there, and what does each measure?
 *
 * @since 0.1.0
 */
public enum RoutingMeter {
    /** Counts decisions; only with a listener. */
    DECISIONS(
            "r2dbc.routing.decisions",
            Kind.COUNTER,
            "Decisions on where a statement or transaction runs",
            null,
            "server",
            "role",
            "intent",
            "freshness",
            "reason",
            "policy"),
    /** Times how long a read waited for its server, of those that waited at all; only with a listener. */
    WAIT(
            "r2dbc.routing.wait",
            Kind.TIMER,
            "How long reads waited for a replica or a place in the fallback budget",
            null),
    /** Reads that wait now. */
    WAITING("r2dbc.routing.waiting", "Reads that wait for a replica or a place in the fallback budget", null),
    /** How many reads may be with the primary because no replica is fresh enough. */
    FALLBACK_LIMIT(
            "r2dbc.routing.fallback.limit", "Reads that may be with the primary for want of a fresh replica", null),
    /** How many are. */
    FALLBACK_USED("r2dbc.routing.fallback.used", "Reads with the primary for want of a fresh replica", null),
    /** How many wait for that. */
    FALLBACK_QUEUED("r2dbc.routing.fallback.queued", "Reads that wait for a place in the fallback budget", null),
    /** How many found the queue full. */
    FALLBACK_REFUSED(
            "r2dbc.routing.fallback.refused",
            Kind.COUNTER,
            "Reads that found the queue for the fallback budget full",
            null),
    /** How often a server was followed as the primary from then on. */
    PRIMARIES_FOLLOWED(
            "r2dbc.routing.primaries.followed",
            Kind.COUNTER,
            "How often a server was followed as the primary from then on",
            null),
    /** Positions of tokens that the primary has not come to. */
    POSITIONS_REJECTED(
            "r2dbc.routing.positions.rejected",
            Kind.COUNTER,
            "Positions in tokens that the primary has not come to: forged, or of a restored backup",
            null),
    /** Whether a {@code server} may be used, 1 or 0. */
    SERVER_UP("r2dbc.routing.server.up", "Whether a server is up", null, "server"),
    /** How old the knowledge about a {@code server} is. */
    SAMPLE_AGE("r2dbc.routing.server.sample.age", "How old what is known of a server is", "seconds", "server"),
    /** How long the latest probe of a {@code server} took that was answered. */
    PROBE_TIME("r2dbc.routing.server.probe.time", "How long the latest answered probe took", "seconds", "server"),
    /** Whether requests leave a {@code server} alone, 1 or 0. */
    SERVER_EJECTED(
            "r2dbc.routing.server.ejected", "Whether requests leave a server alone that failed some", null, "server"),
    /** Whether a {@code server} is the primary that is followed, 1 or 0. */
    SERVER_PRIMARY("r2dbc.routing.server.primary", "Whether a server is the primary that is followed", null, "server"),
    /** How long the replica {@code server} has lately lacked what the primary had. */
    CATCH_UP(
            "r2dbc.routing.replica.catch.up",
            "How long a replica lately lacked what the primary had",
            "seconds",
            "server"),
    /** How old at most what the replica {@code server} has is. */
    STALENESS("r2dbc.routing.replica.staleness", "How old at most what a replica has is", "seconds", "server"),
    /** How much history the replica {@code server} lacks. */
    BYTES_BEHIND(
            "r2dbc.routing.replica.behind", "How much of the primary's history a replica lacks", "bytes", "server"),
    /** Connections of a server that are in use: as Spring Boot names those of a pool, with the server as {@code name}. */
    POOL_ACQUIRED(
            "r2dbc.pool.acquired", "Size of successfully acquired connections which are in active use.", null, "name"),
    /** Connections of a server. */
    POOL_ALLOCATED(
            "r2dbc.pool.allocated",
            "Size of allocated connections in the pool which are in active use or idle.",
            null,
            "name"),
    /** Idle connections of a server. */
    POOL_IDLE("r2dbc.pool.idle", "Size of idle connections in the pool.", null, "name"),
    /** Those who wait for a connection of a server. */
    POOL_PENDING(
            "r2dbc.pool.pending",
            "Size of pending to acquire connections from the underlying connection factory.",
            null,
            "name"),
    /** Most connections of a server. */
    POOL_MAX_ALLOCATED(
            "r2dbc.pool.max.allocated", "Maximum size of allocated connections that this pool allows.", null, "name"),
    /** Writes, and reads on the primary, that wait for a position. */
    PENDING("r2dbc.routing.pending", "Writes and reads on the primary that wait for their position", null),
    /** How long the first of those has waited. */
    PENDING_AGE("r2dbc.routing.pending.age", "How long the first of them has waited", "seconds"),
    /** Positions of the primary that were captured. */
    CAPTURES("r2dbc.routing.captures", Kind.COUNTER, "Positions of the primary that were captured for somebody", null),
    /** Writes, and reads on the primary, that were given a position. */
    CAPTURED(
            "r2dbc.routing.captured", Kind.COUNTER, "Writes and reads on the primary that were given a position", null),
    /** How long the latest captured position took to come. */
    CAPTURE_TIME("r2dbc.routing.capture.time", "How long the latest captured position took to come", "seconds"),
    /** Marks that were written to the primary's history. */
    NUDGES("r2dbc.routing.nudges", Kind.COUNTER, "Marks that were written to the primary's history", null),
    /** Writes that a failover or a crash may have lost. */
    POSSIBLY_LOST("r2dbc.routing.possibly.lost", Kind.COUNTER, "Writes that a failover or a crash may have lost", null),
    /** Replicas that lack the newest position which a session was given. */
    UNCOVERED("r2dbc.routing.uncovered", "Replicas that lack the newest position a session was given", null),
    /** How long they have lacked it. */
    UNCOVERED_AGE("r2dbc.routing.uncovered.age", "How long replicas have lacked that position", "seconds");

    private final String meterName;
    private final Kind kind;

    @SuppressWarnings("ImmutableEnumChecker") // it is one of List.of
    private final List<String> tags;

    private final String description;
    private final @Nullable String unit;

    RoutingMeter(String meterName, String description, @Nullable String unit, String... tags) {
        this(meterName, Kind.GAUGE, description, unit, tags);
    }

    RoutingMeter(String meterName, Kind kind, String description, @Nullable String unit, String... tags) {
        this.meterName = meterName;
        this.kind = kind;
        this.tags = List.of(tags);
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

    /**
     * Returns how it is to be read.
     *
     * @return the kind
     */
    public Kind kind() {
        return kind;
    }

    /**
     * Returns what its values are told apart by. A tag has as many values as there are servers, policies or constants of
     * an enum.
     *
     * @return the tags' names, besides those that are given for all meters
     */
    public List<String> tags() {
        return tags;
    }

    /** How a meter is to be read. */
    public enum Kind {
        /** What is, at the moment of the scrape. */
        GAUGE,
        /** What has been so far. */
        COUNTER,
        /** How often, and how long. */
        TIMER
    }
}
