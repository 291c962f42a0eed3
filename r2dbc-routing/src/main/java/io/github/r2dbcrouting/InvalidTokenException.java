package io.github.r2dbcrouting;

/**
 * A text that was given as a causal token is none.
 *
 * @since 0.1.0
 */
public final class InvalidTokenException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    InvalidTokenException(String message) {
        super(message);
    }
}
