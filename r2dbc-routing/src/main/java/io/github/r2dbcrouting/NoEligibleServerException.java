package io.github.r2dbcrouting;

import io.r2dbc.spi.R2dbcTransientResourceException;
import org.jspecify.annotations.Nullable;

/**
 * No server could serve within the time allowed. It may work when tried again.
 *
 * <p>The message says what was asked, who was considered and why each was refused.
 *
 * @since 0.1.0
 */
public final class NoEligibleServerException extends R2dbcTransientResourceException {

    private static final long serialVersionUID = 1L;

    /**
     * Creates the exception.
     *
     * @param message what was asked, who was considered, and why each was refused
     * @param cause what the last server that was tried signalled, {@code null} if none was tried
     */
    public NoEligibleServerException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
