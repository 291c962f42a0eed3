package io.github.r2dbcrouting.internal.safeguard;

/** A mechanism that one of the rules of {@code docs/architecture.md} hangs on. */
public enum Safeguard {
    /** Knowledge of a server counts only for connections of the life in which it was gained. */
    LIVES,
    /** A write is pending until a position read after its completion is known. */
    PENDING_WRITES,
    /** What a session saw from one server it never un-sees at the next. */
    MONOTONIC_READS,
    /** The history is nudged where the flush position cannot be relied on or does not move. */
    NUDGE,
    /** Positions count only where they lie on the line of history that led to the primary. */
    TIMELINES,
    /** A replica is on the branch of the primary only if its history has what was written to that one's. */
    BRANCH_MARKS,
    /** Of several primaries on equal branches only the one that was followed is followed, up or down. */
    ONE_PRIMARY,
    /** The connections of a server end with its life, and with its role. */
    POOL_GENERATIONS,
    /** A connection that arrives after its borrower has gone is given back, and one in use is not. */
    SHIELDED_ACQUISITION,
    /** A replica serves a read with a bound of age only if it is surely no older. */
    STALENESS_BOUND,
    /** Reads that fall back to the primary are bounded. */
    FALLBACK_BUDGET,
    /** Only a read outside a transaction that has emitted nothing is run again after a failure. */
    SAFE_RETRIES,
    /** A position that the primary has not come to is no reason to wait, or to read from the primary. */
    TOKEN_PLAUSIBILITY,
    /** A policy chooses among the replicas that are fresh enough, and not the other way round. */
    FRESHNESS_FIRST,
    /** All who wait for a replica share one stream of probes. */
    SHARED_WATCH,
    /** What a URL holds is kept out of the messages about it. */
    REDACTION
}
