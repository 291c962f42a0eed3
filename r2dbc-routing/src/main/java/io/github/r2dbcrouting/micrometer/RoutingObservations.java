package io.github.r2dbcrouting.micrometer;

import io.github.r2dbcrouting.spi.ConnectionObserver;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.contextpropagation.ObservationThreadLocalAccessor;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import reactor.util.context.ContextView;

/**
 * Who observes what is routed?
 *
 * <p>Makes the {@linkplain RoutingObservation#CONNECTION observation} of each transaction, and of each statement outside
 * of one. Its parent is the observation in the subscriber's Context, under the key of Micrometer's context propagation,
 * or else the current one of the registry; what is sent to the server has it as its parent, unless a nearer one was
 * opened in between. Where the registry has no handlers, or refuses the observation, nothing is done.
 *
 * @since 0.1.0
 */
public final class RoutingObservations {

    private static final RoutedConnectionConvention DEFAULT = new DefaultRoutedConnectionConvention();

    private RoutingObservations() {}

    /**
     * Returns an observer for the builder of a factory, with the default convention.
     *
     * @param registry where the observations go
     * @return the observer
     */
    public static ConnectionObserver observer(ObservationRegistry registry) {
        return observer(registry, null);
    }

    /**
     * Returns an observer for the builder of a factory.
     *
     * @param registry where the observations go
     * @param convention names them; {@code null} for the default one, or the registry's
     * @return the observer
     */
    public static ConnectionObserver observer(
            ObservationRegistry registry, @Nullable RoutedConnectionConvention convention) {
        Objects.requireNonNull(registry, "registry");
        return (scope, context) -> begins(registry, convention, scope, context);
    }

    private static ConnectionObserver.@Nullable Use begins(
            ObservationRegistry registry,
            @Nullable RoutedConnectionConvention convention,
            ConnectionObserver.Scope scope,
            ContextView context) {
        if (registry.isNoop()) {
            return null;
        }
        RoutedConnectionContext routed = new RoutedConnectionContext(scope);
        Observation observation =
                RoutingObservation.CONNECTION.observation(convention, DEFAULT, () -> routed, registry);
        if (observation.getContext() != routed) {
            // the registry does not want it
            return null;
        }
        Observation around = context.getOrDefault(ObservationThreadLocalAccessor.KEY, null);
        Observation parent = around == null ? registry.getCurrentObservation() : around;
        if (parent != null) {
            observation.parentObservation(parent);
        }
        return new ObservedConnection(observation.start(), routed, around);
    }
}
