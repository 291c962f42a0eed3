package io.github.r2dbcrouting;

import java.util.Objects;

/**
 * Under which name and with which password is a connection opened?
 *
 * @param user the name of the database's user
 * @param password its password
 * @since 0.1.0
 */
public record Credentials(String user, CharSequence password) {

    /**
     * Checks that both are there.
     *
     * @param user the name of the database's user
     * @param password its password
     */
    public Credentials {
        Objects.requireNonNull(user, "user");
        Objects.requireNonNull(password, "password");
    }

    /** Returns the name; the password is left out. */
    @Override
    public String toString() {
        return "Credentials[user=" + user + ", password=<hidden>]";
    }
}
