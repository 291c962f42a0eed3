package io.github.r2dbcrouting.internal.connection;

import org.jspecify.annotations.Nullable;

/** Was an argument given? The R2DBC specification asks for an {@link IllegalArgumentException} where it was not. */
final class Required {

    private Required() {}

    static <T> T argument(@Nullable T value, String name) {
        if (value == null) {
            throw new IllegalArgumentException(name + " must not be null");
        }
        return value;
    }
}
