package io.github.r2dbcrouting;

import io.github.r2dbcrouting.spi.Position;
import java.util.Objects;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * In which cluster was something written, or seen, whose position was not known when a token was made?
 *
 * <p>It is resolved by any position of that cluster's primary that is asked for after everything it stands for has ended.
 *
 * @param cluster the cluster
 * @param after where its server was before it was written or read there, so that it can be told whether it may be lost;
 *     {@code null} if that is not known
 * @param until when what was still going on has surely ended, in seconds since 1970 by the clock of whoever made the
 *     token; {@link #ENDED} if all of it had ended by then
 * @since 0.1.0
 */
public record Unresolved(String cluster, @Nullable Position after, long until) {

    /** Nothing was going on any longer: only the position was lacking. */
    public static final long ENDED = 0;

    /**
     * So long may something go on that had not ended when its token was made, in seconds: the backend of a lost connection
     * is waited for as long as 30 s, and the services' clocks may be as far apart.
     */
    public static final long LASTS = 60;

    private static final int RADIX = 36;

    private static final Pattern TEXT = Pattern.compile("u\\.([0-9a-z]{1,8})\\.(?:c\\.([A-Za-z0-9_-]{1,64})|a\\.(.*))");

    /**
     * Checks that the two belong together.
     *
     * @param cluster the cluster
     * @param after where its server was before; {@code null} if that is not known
     * @param until when it has surely ended
     * @throws IllegalArgumentException if the position is another cluster's
     */
    public Unresolved {
        if (after != null && !after.cluster().equals(Objects.requireNonNull(cluster, "cluster"))) {
            throw new IllegalArgumentException("the position is one of another cluster");
        }
    }

    /**
     * Tells whether something that it stands for may still be going on: a position that is asked for now need not cover
     * it.
     *
     * @param now the time, in seconds since 1970
     * @return {@code false} also where the end is farther away than any that this class gives: nobody honest said that
     */
    public boolean goesOn(long now) {
        return until > now && until - now <= 2 * LASTS;
    }

    /** Both together, of one cluster: the position that is harder to be sure of, and the later end. */
    Unresolved merge(Unresolved other) {
        return new Unresolved(cluster, doubtful(after, other.after), Math.max(until, other.until));
    }

    private static @Nullable Position doubtful(@Nullable Position one, @Nullable Position other) {
        if (one == null || other == null) {
            return one == null ? other : one;
        }
        // of two branches the older one may have lost; on one branch, whoever went back is behind the later position
        return one.branch() == other.branch()
                ? (one.covers(other) ? one : other)
                : one.branch() < other.branch() ? one : other;
    }

    static @Nullable Unresolved parse(String text, Function<String, @Nullable Position> positions) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            return null;
        }
        long until = Long.parseLong(matcher.group(1), RADIX);
        if (matcher.group(2) != null) {
            return new Unresolved(matcher.group(2), null, until);
        }
        Position after = positions.apply(matcher.group(3));
        return after == null ? null : new Unresolved(after.cluster(), after, until);
    }

    String text() {
        return "u." + Long.toString(until, RADIX) + '.' + (after == null ? "c." + cluster : "a." + after.text());
    }
}
