package io.github.r2dbcrouting.internal.connection;

import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.R2dbcNonTransientResourceException;

/** What is said of a statement that a replica refused, and that nobody can run elsewhere? */
final class RefusedByReplica {

    private RefusedByReplica() {}

    /** Keeps the SQLSTATE, the code and, as far as callers tell them apart, the type: the driver has none of its own. */
    static Throwable of(String server, String why, Throwable error) {
        if (!(error instanceof R2dbcException refusal)) {
            return error;
        }
        return new R2dbcNonTransientResourceException(
                refusal.getMessage() + " (replica " + server + " refused it: " + why + ")",
                refusal.getSqlState(),
                refusal.getErrorCode(),
                refusal);
    }
}
