package io.github.r2dbcrouting;

/**
 * What is a server in its cluster? Observed, never configured.
 *
 * @since 0.1.0
 */
public enum ServerRole {
    /** Accepts writes. */
    PRIMARY,
    /** Follows the primary and serves reads of what it has replayed. */
    REPLICA,
    /** Not learnt yet, or no longer known. */
    UNKNOWN
}
