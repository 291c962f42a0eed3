package io.github.r2dbcrouting;

/**
 * How fresh must a read be?
 *
 * @since 0.1.0
 */
public final class Freshness {

    private static final Freshness ANY = new Freshness(Kind.ANY);
    private static final Freshness CAUSAL = new Freshness(Kind.CAUSAL);
    private static final Freshness LATEST = new Freshness(Kind.LATEST);

    private final Kind kind;

    private Freshness(Kind kind) {
        this.kind = kind;
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
     * Returns which of the kinds this is.
     *
     * @return the kind
     */
    public Kind kind() {
        return kind;
    }

    @Override
    public String toString() {
        return kind.name().toLowerCase(java.util.Locale.ROOT);
    }

    /** The kinds of freshness. */
    public enum Kind {
        /** See {@link Freshness#any()}. */
        ANY,
        /** See {@link Freshness#causal()}. */
        CAUSAL,
        /** See {@link Freshness#latest()}. */
        LATEST
    }
}
