package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.clock.ElapsedTime;
import io.github.r2dbcrouting.internal.clock.Surroundings;
import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;

/**
 * How does a factory lose a mechanism, or its sense of time? By methods that the library keeps to its own package; this
 * module is no part of it and is never deployed.
 */
public final class Weakened {

    private Weakened() {}

    /**
     * Takes a mechanism away.
     *
     * @param builder the factory's description
     * @param missing the mechanism
     * @return the builder
     */
    public static RoutingConnectionFactory.Builder without(
            RoutingConnectionFactory.Builder builder, Safeguard missing) {
        return builder.safeguards(Safeguards.without(missing));
    }

    /**
     * Gives it another clock.
     *
     * @param builder the factory's description
     * @param clock the clock
     * @return the builder
     */
    public static RoutingConnectionFactory.Builder clock(RoutingConnectionFactory.Builder builder, ElapsedTime clock) {
        return builder.surroundings(new Surroundings(System::nanoTime, clock, Surroundings.CHANCE));
    }
}
