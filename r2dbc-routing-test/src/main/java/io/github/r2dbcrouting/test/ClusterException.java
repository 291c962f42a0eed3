package io.github.r2dbcrouting.test;

import org.jspecify.annotations.Nullable;

/**
 * Says that a cluster could not be brought into the state that was asked for. Messages hold no password.
 *
 * @since 0.1.0
 */
public final class ClusterException extends RuntimeException {

    ClusterException(String message) {
        super(message);
    }

    ClusterException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
