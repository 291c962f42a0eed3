package io.github.r2dbcrouting.micrometer;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationConvention;

/**
 * How is {@link RoutingObservation#CONNECTION} called, and what is it told apart by? For those who want it otherwise.
 *
 * @since 0.1.0
 */
public interface RoutedConnectionConvention extends ObservationConvention<RoutedConnectionContext> {

    @Override
    default boolean supportsContext(Observation.Context context) {
        return context instanceof RoutedConnectionContext;
    }
}
