package io.github.r2dbcrouting.micrometer;

import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.internal.text.Lowercase;
import io.micrometer.common.KeyValue;
import io.micrometer.common.KeyValues;
import org.jspecify.annotations.Nullable;

/**
 * Names the observation as {@link RoutingObservation#CONNECTION} does, and a span by what ran where, as
 * {@code statement on db1}. The keys are those of {@link RoutingObservation.Key}; none has a value that somebody outside
 * of the configuration makes up.
 *
 * @since 0.1.0
 */
public class DefaultRoutedConnectionConvention implements RoutedConnectionConvention {

    static final String NAME = "r2dbc.routing.connection";

    private static final String NONE = "none";

    /** Creates a convention; all are alike. */
    public DefaultRoutedConnectionConvention() {}

    @Override
    public String getName() {
        return NAME;
    }

    @Override
    public String getContextualName(RoutedConnectionContext context) {
        String server = server(context.decision());
        return server == null ? lower(context.scope()) : lower(context.scope()) + " on " + server;
    }

    @Override
    public KeyValues getLowCardinalityKeyValues(RoutedConnectionContext context) {
        RouteDecision decision = context.decision();
        return KeyValues.of(
                of(RoutingObservation.Key.SERVER, server(decision)),
                of(RoutingObservation.Key.ROLE, lower(decision == null ? ServerRole.UNKNOWN : decision.role())),
                of(RoutingObservation.Key.SCOPE, lower(context.scope())),
                of(RoutingObservation.Key.INTENT, decision == null ? null : lower(decision.intent())),
                of(
                        RoutingObservation.Key.FRESHNESS,
                        decision == null ? null : lower(decision.freshness().kind())),
                of(RoutingObservation.Key.REASON, decision == null ? null : lower(decision.reason())),
                of(RoutingObservation.Key.POLICY, decision == null ? null : decision.policy()),
                of(RoutingObservation.Key.END, lower(context.end())));
    }

    private static @Nullable String server(@Nullable RouteDecision decision) {
        return decision == null ? null : decision.server();
    }

    private static KeyValue of(RoutingObservation.Key key, @Nullable String value) {
        return KeyValue.of(key, value == null ? NONE : value);
    }

    private static String lower(@Nullable Enum<?> constant) {
        return constant == null ? NONE : Lowercase.of(constant);
    }
}
