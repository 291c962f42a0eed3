package io.github.r2dbcrouting;

import io.r2dbc.spi.R2dbcNonTransientResourceException;

/**
 * A write of the session, one that it has seen, or one that its token covers, may not have survived a failover or a crash
 * of the primary.
 *
 * <p>Signalled only where {@link RoutingConnectionFactory.Builder#strictLostWrites} asks for it, and once: nothing was
 * sent for what it answers, and whatever comes next goes on from the present primary's position. The application knows
 * what it has written, and can look whether that is there.
 *
 * @since 0.1.0
 */
public final class PossiblyLostWriteException extends R2dbcNonTransientResourceException {

    private static final long serialVersionUID = 1L;

    /**
     * Creates the exception.
     *
     * @param message what may have been lost, and why
     */
    public PossiblyLostWriteException(String message) {
        super(message);
    }
}
