package io.github.r2dbcrouting.test;

/**
 * Which of a server's network links is meant?
 *
 * @since 0.1.0
 */
public enum Side {
    /** What lies between the server and its clients. */
    CLIENTS,
    /** What lies between the server and the other servers: a replica receives no WAL, a primary sends none. */
    UPSTREAM,
    /** Both of them. */
    BOTH;

    boolean clients() {
        return this != UPSTREAM;
    }

    boolean upstream() {
        return this != CLIENTS;
    }
}
