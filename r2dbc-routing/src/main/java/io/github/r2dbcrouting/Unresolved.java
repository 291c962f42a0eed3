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
 * @param exposedAt when the first of it was sent that a crash of the primary alone may lose, since it did not wait for the
 *     disk or that is not known, by the same clock; {@link #SAFE} if there is nothing of the kind
 * @since 0.1.0
 */
public record Unresolved(String cluster, @Nullable Position after, long until, long exposedAt) {

    /** Nothing was going on any longer: only the position was lacking. */
    public static final long ENDED = 0;

    /**
     * So long may something go on that had not ended when its token was made, in seconds: the backend of a lost connection
     * is waited for as long as 30 s, and the services' clocks may be as far apart.
     */
    public static final long LASTS = 60;

    /** What is on the disk of a primary survives its crash. */
    public static final long SAFE = 0;

    /** So far may the clocks of two services be apart, in seconds. */
    private static final long APART = 30;

    private static final int RADIX = 36;

    private static final Pattern TEXT =
            Pattern.compile("u\\.([0-9a-z]{1,8})\\.(?:e\\.([0-9a-z]{1,8})\\.)?(?:c\\.([A-Za-z0-9_-]{1,64})|a\\.(.*))");

    /**
     * Checks that the two belong together.
     *
     * @param cluster the cluster
     * @param after where its server was before; {@code null} if that is not known
     * @param until when it has surely ended
     * @param exposedAt when the first of it was sent that a crash may lose
     * @throws IllegalArgumentException if the position is another cluster's
     */
    public Unresolved {
        if (after != null && !after.cluster().equals(Objects.requireNonNull(cluster, "cluster"))) {
            throw new IllegalArgumentException("the position is one of another cluster");
        }
    }

    /**
     * Makes one of which a crash of the primary loses nothing.
     *
     * @param cluster the cluster
     * @param after where its server was before; {@code null} if that is not known
     * @param until when it has surely ended
     * @throws IllegalArgumentException if the position is another cluster's
     */
    public Unresolved(String cluster, @Nullable Position after, long until) {
        this(cluster, after, until, SAFE);
    }

    /**
     * Tells how long ago the primary must have been up, and ever since, so that nothing of it is lost in a crash. The
     * clocks of two services may be apart.
     *
     * @param now the time, in seconds since 1970
     * @return a number of seconds, at least 0; 0 if a crash loses nothing
     */
    public long exposedFor(long now) {
        return exposedAt == SAFE ? 0 : Math.max(0, now - exposedAt) + APART;
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

    /**
     * Tells whether what has ended of it may be lost already, and not only what may still be going on.
     *
     * @param present where the primary is, in the same cluster
     * @return whether it was on an earlier branch, or could be lost in a crash
     */
    public boolean mayBeLostOn(Position present) {
        return exposedAt != SAFE || (after != null && after.branch() < present.branch());
    }

    /** Both together, of one cluster: the position that is harder to be sure of, and the later end. */
    Unresolved merge(Unresolved other) {
        long exposed = exposedAt == SAFE || other.exposedAt == SAFE
                ? Math.max(exposedAt, other.exposedAt)
                : Math.min(exposedAt, other.exposedAt);
        return new Unresolved(cluster, doubtful(after, other.after), Math.max(until, other.until), exposed);
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
        long exposedAt = matcher.group(2) == null ? SAFE : Long.parseLong(matcher.group(2), RADIX);
        if (matcher.group(3) != null) {
            return new Unresolved(matcher.group(3), null, until, exposedAt);
        }
        Position after = positions.apply(matcher.group(4));
        return after == null ? null : new Unresolved(after.cluster(), after, until, exposedAt);
    }

    String text() {
        return "u." + Long.toString(until, RADIX) + '.'
                + (exposedAt == SAFE ? "" : "e." + Long.toString(exposedAt, RADIX) + '.')
                + (after == null ? "c." + cluster : "a." + after.text());
    }
}
