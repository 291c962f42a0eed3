package io.github.r2dbcrouting;

/**
 * May a replica serve it?
 *
 * @since 0.1.0
 */
public enum Intent {
    /** A replica may serve it, if one is fresh enough. */
    READ,
    /** Only the primary may serve it. */
    WRITE
}
