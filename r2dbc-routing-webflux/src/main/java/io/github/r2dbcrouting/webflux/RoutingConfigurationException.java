package io.github.r2dbcrouting.webflux;

import org.jspecify.annotations.Nullable;

/**
 * What an application's configuration says of routing cannot work. The application does not start, and says why and what
 * to do about it.
 *
 * <p>Neither text holds a password or a key.
 *
 * @since 0.1.0
 */
public class RoutingConfigurationException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String action;

    /**
     * Creates an exception.
     *
     * @param description what is wrong, and where
     * @param action what to do about it
     */
    public RoutingConfigurationException(String description, String action) {
        this(description, action, null);
    }

    /**
     * Creates an exception with a cause.
     *
     * @param description what is wrong, and where
     * @param action what to do about it
     * @param cause what found it out, {@code null} if nothing else did
     */
    public RoutingConfigurationException(String description, String action, @Nullable Throwable cause) {
        super(description, cause);
        this.action = action;
    }

    /**
     * Returns what to do about it.
     *
     * @return the advice, for people
     */
    public String action() {
        return action;
    }
}
