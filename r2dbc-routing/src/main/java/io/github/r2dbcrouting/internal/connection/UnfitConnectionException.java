package io.github.r2dbcrouting.internal.connection;

import io.r2dbc.spi.R2dbcTransientResourceException;

/** A connection does not hold what the table says of its server. */
final class UnfitConnectionException extends R2dbcTransientResourceException {

    private static final long serialVersionUID = 1L;

    UnfitConnectionException(String message) {
        super(message);
    }
}
