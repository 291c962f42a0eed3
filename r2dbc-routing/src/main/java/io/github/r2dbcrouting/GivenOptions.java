package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.text.Printable;
import io.r2dbc.spi.ConnectionFactoryOptions;
import io.r2dbc.spi.Option;
import org.jspecify.annotations.Nullable;

/** What was given for an option, and if it cannot be used: what is said of it without what is secret? */
final class GivenOptions {

    private static final int LONGEST_SHOWN = 80;

    private static final String SIGNS_OF_A_URL = "@:/";

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

    /**
     * Whether an option's value must not be shown: a password is soon in the wrong place, and what holds an '@', a ':' or a
     * '/' may be a part of another URL.
     */
    boolean isSecret(Option<?> option) {
        Object value = options.getValue(option);
        return value != null && isSecret(value.toString());
    }

    private boolean isSecret(String text) {
        Object password = options.getValue(ConnectionFactoryOptions.PASSWORD);
        boolean known =
                password instanceof CharSequence hidden && hidden.length() > 0 && text.contains(hidden.toString());
        return known || text.chars().anyMatch(sign -> SIGNS_OF_A_URL.indexOf(sign) >= 0);
    }

    /** A text that is secret is not shown, nor is one that is strangely long. */
    String shown(String text) {
        return isSecret(text) || text.length() > LONGEST_SHOWN ? "<hidden>" : Printable.of(text);
    }
}
