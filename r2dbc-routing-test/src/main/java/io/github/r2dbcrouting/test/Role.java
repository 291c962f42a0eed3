package io.github.r2dbcrouting.test;

/**
 * What is a server at the moment?
 *
 * @since 0.1.0
 */
public enum Role {
    /** It takes writes. */
    PRIMARY,
    /** It is in recovery: it follows another server and takes only reads. */
    REPLICA
}
