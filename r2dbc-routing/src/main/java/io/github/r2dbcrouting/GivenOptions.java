package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.text.Printable;
import io.r2dbc.spi.ConnectionFactoryOptions;
import io.r2dbc.spi.Option;
import org.jspecify.annotations.Nullable;

/** What was given for an option, and if it cannot be used: what is said of it without what is secret? */
final class GivenOptions {

    private static final int LONGEST_SHOWN = 80;

    private final ConnectionFactoryOptions options;

    GivenOptions(ConnectionFactoryOptions options) {
        this.options = options;
    }

    boolean has(Option<?> option) {
        return options.hasOption(option);
    }

    /** Returns the value, or {@code null} if none was given. */
    <T> @Nullable T get(Option<T> option, OptionType<T> type) {
        Object given = options.getValue(option);
        if (given == null) {
            return null;
        }
        T value = type.read(given);
        if (value == null) {
            throw new IllegalArgumentException("the option '" + option.name() + "' is '" + shown(given.toString())
                    + "', expected " + type.expected());
        }
        return value;
    }

    /** Returns the value, or another if none was given. */
    <T> T get(Option<T> option, OptionType<T> type, T otherwise) {
        T value = get(option, type);
        return value != null ? value : otherwise;
    }

    /** A password is soon in the wrong place: a text that holds it is not shown, nor is one that is strangely long. */
    String shown(String text) {
        Object password = options.getValue(ConnectionFactoryOptions.PASSWORD);
        boolean secret =
                password instanceof CharSequence hidden && hidden.length() > 0 && text.contains(hidden.toString());
        return secret || text.length() > LONGEST_SHOWN ? "<hidden>" : Printable.of(text);
    }
}
