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

    private final transient @Nullable RouteDecision decision;

    /**
     * Creates the exception.
     *
     * @param message what was asked, who was considered, and why each was refused
     * @param cause what the last server that was tried signalled, {@code null} if none was tried
     */
    public NoEligibleServerException(String message, @Nullable Throwable cause) {
        this(message, null, cause);
    }

    /**
     * Creates the exception.
     *
     * @param message what was asked, who was considered, and why each was refused
     * @param decision the same for programs, {@code null} if no server was considered
     * @param cause what the last server that was tried signalled, {@code null} if none was tried
     */
    public NoEligibleServerException(String message, @Nullable RouteDecision decision, @Nullable Throwable cause) {
        super(message, cause);
        this.decision = decision;
    }

    /**
     * Returns what was decided when the time was over.
     *
     * @return who was considered and why each was refused; {@code null} if no server was considered, or if the exception
     *     was serialized
     */
    public @Nullable RouteDecision decision() {
        return decision;
    }
}
