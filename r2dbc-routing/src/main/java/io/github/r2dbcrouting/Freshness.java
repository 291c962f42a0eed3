package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.text.Lowercase;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How fresh must a read be?
 *
 * @since 0.1.0
 */
public final class Freshness {

    private static final Duration LEAST_BOUND = Duration.ofMillis(1);
    private static final Duration LONGEST_BOUND = Duration.ofDays(1);

    private static final Freshness ANY = new Freshness(Kind.ANY);
    private static final Freshness CAUSAL = new Freshness(Kind.CAUSAL);
    private static final Freshness LATEST = new Freshness(Kind.LATEST);

    private final Kind kind;
    private final @Nullable Duration bound;

    private Freshness(Kind kind) {
        this(kind, null);
    }

    private Freshness(Kind kind, @Nullable Duration bound) {
        this.kind = kind;
        this.bound = bound;
    }

    /**
     * Whatever a live replica has that is not absurdly far behind; the session's own writes may be missing.
     *
     * @return the freshness
     */
    public static Freshness any() {
        return ANY;
    }

    /**
     * Everything that the session wrote or observed; without a session, or before its first write, as {@link #any()}.
     *
     * @return the freshness
     */
    public static Freshness causal() {
        return CAUSAL;
    }

    /**
     * Everything that the primary has: the read goes to the primary.
     *
     * @return the freshness
     */
    public static Freshness latest() {
        return LATEST;
    }

    /**
     * Everything that the primary had on its disk so long ago: the read is served by a replica of which that is sure at
     * the moment when the read is sent, by the router's own clock.
     *
     * <p>It is a bound of age and nothing else: the session's own writes may be missing if they are younger, and of two
     * reads the second may see less than the first. A commit that did not wait for the disk
     * ({@code synchronous_commit = off}) is as old as its flush. The bound below which the servers have to be asked more
     * often than at rest is about twice the pause between two probes.
     *
     * @param bound how old the read may be, from 1 ms
     * @return the freshness
     * @throws IllegalArgumentException if the bound is less than 1 ms
     */
    public static Freshness atMost(Duration bound) {
        if (bound.compareTo(LEAST_BOUND) < 0) {
            throw new IllegalArgumentException("a bound of age is at least 1 ms, not " + bound);
        }
        // nobody keeps longer than that what there was, and nanoseconds do not overflow
        return new Freshness(Kind.AT_MOST, bound.compareTo(LONGEST_BOUND) > 0 ? LONGEST_BOUND : bound);
    }

    /**
     * Returns how old a read may be.
     *
     * @return the bound of {@link #atMost}; {@code null} for the other kinds
     */
    public @Nullable Duration bound() {
        return bound;
    }

    /**
     * Returns which of the kinds this is.
     *
     * @return the kind
     */
    public Kind kind() {
        return kind;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Freshness freshness && freshness.kind == kind && Objects.equals(freshness.bound, bound);
    }

    @Override
    public int hashCode() {
        return Objects.hash(kind, bound);
    }

    @Override
    public String toString() {
        if (bound != null) {
            return "at most " + bound.toMillis() + " ms old";
        }
        return Lowercase.of(kind);
    }

    /** The kinds of freshness. */
    public enum Kind {
        /** See {@link Freshness#any()}. */
        ANY,
        /** See {@link Freshness#causal()}. */
        CAUSAL,
        /** See {@link Freshness#atMost(Duration)}. */
        AT_MOST,
        /** See {@link Freshness#latest()}. */
        LATEST
    }
}
