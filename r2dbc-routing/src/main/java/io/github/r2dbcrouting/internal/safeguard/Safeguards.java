package io.github.r2dbcrouting.internal.safeguard;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/**
 * Which mechanisms are in force?
 *
 * <p>All of them, in every factory that an application can build. Tests in the root package take one away to see the
 * rule break.
 */
public final class Safeguards {

    private static final Safeguards ALL = new Safeguards(Collections.unmodifiableSet(EnumSet.allOf(Safeguard.class)));

    private final Set<Safeguard> inForce;

    private Safeguards(Set<Safeguard> inForce) {
        this.inForce = inForce;
    }

    /**
     * Returns every mechanism.
     *
     * @return the mechanisms
     */
    public static Safeguards all() {
        return ALL;
    }

    /**
     * Returns every mechanism but one.
     *
     * @param missing the one that is taken away
     * @return the mechanisms
     */
    public static Safeguards without(Safeguard missing) {
        return new Safeguards(EnumSet.complementOf(EnumSet.of(missing)));
    }

    /**
     * Returns whether a mechanism is in force.
     *
     * @param safeguard the mechanism
     * @return whether it is in force
     */
    public boolean has(Safeguard safeguard) {
        return inForce.contains(safeguard);
    }
}
