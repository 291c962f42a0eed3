package io.github.r2dbcrouting.internal.text;

import java.util.Locale;

/** How is a constant written in what people and meters read? */
public final class Lowercase {

    private Lowercase() {}

    /**
     * Returns a constant's name in lower case, whatever the language of the machine.
     *
     * @param constant any constant
     * @return such as {@code replica} for {@code REPLICA}
     */
    public static String of(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
