package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.text.Lowercase;
import io.github.r2dbcrouting.spi.LoadBalancer;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * How is the text of an option read?
 *
 * @param expected what a value looks like, for messages
 * @param reader reads a text; {@code null} if it is no such value
 * @param type what it reads to; such an object may be given in place of a text
 */
record OptionType<T>(String expected, Function<String, @Nullable T> reader, Class<T> type) {

    static final OptionType<String> TEXT = new OptionType<>("a text", text -> text, String.class);

    static final OptionType<Integer> COUNT = new OptionType<>("a whole number", OptionType::count, Integer.class);

    static final OptionType<Boolean> FLAG = new OptionType<>("true or false", OptionType::flag, Boolean.class);

    static final OptionType<Duration> DURATION =
            new OptionType<>("a duration such as 100ms, 2s, 5m or PT0.1S", OptionType::duration, Duration.class);

    static final OptionType<LoadBalancer> BALANCER = new OptionType<>(
            "one of powerOfTwoChoices, roundRobin, random, leastInFlight, nearest",
            text -> LoadBalancer.named(text).orElse(null),
            LoadBalancer.class);

    private static final Pattern WITH_UNIT = Pattern.compile("(\\d{1,12})(ms|s|m|h)");

    /** One of the constants of an enum, in any case, with {@code -} for {@code _} if one likes. */
    static <E extends Enum<E>> OptionType<E> oneOf(Class<E> constants) {
        String expected = Arrays.stream(constants.getEnumConstants())
                .map(Lowercase::of)
                .collect(Collectors.joining(", ", "one of ", ""));
        return new OptionType<>(
                expected,
                text -> Arrays.stream(constants.getEnumConstants())
                        .filter(constant -> constant.name().equalsIgnoreCase(text.replace('-', '_')))
                        .findFirst()
                        .orElse(null),
                constants);
    }

    /** Returns the value; {@code null} if it is none of this type. */
    @Nullable
    T read(Object value) {
        if (type.isInstance(value)) {
            return type.cast(value);
        }
        return value instanceof CharSequence text ? reader.apply(text.toString().trim()) : null;
    }

    private static @Nullable Integer count(String text) {
        try {
            return Integer.valueOf(text);
        } catch (NumberFormatException other) {
            return null;
        }
    }

    private static @Nullable Boolean flag(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "true" -> Boolean.TRUE;
            case "false" -> Boolean.FALSE;
            default -> null;
        };
    }

    private static @Nullable Duration duration(String text) {
        Matcher matcher = WITH_UNIT.matcher(text);
        if (matcher.matches()) {
            long amount = Long.parseLong(matcher.group(1));
            return switch (matcher.group(2)) {
                case "ms" -> Duration.ofMillis(amount);
                case "s" -> Duration.ofSeconds(amount);
                case "m" -> Duration.ofSeconds(TimeUnit.MINUTES.toSeconds(amount));
                default -> Duration.ofSeconds(TimeUnit.HOURS.toSeconds(amount));
            };
        }
        try {
            return Duration.parse(text);
        } catch (DateTimeParseException other) {
            return null;
        }
    }
}
