package io.github.r2dbcrouting.micrometer;

import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.RoutingListener;
import io.github.r2dbcrouting.spi.ConnectionObserver;
import io.micrometer.observation.Observation;
import io.micrometer.observation.contextpropagation.ObservationThreadLocalAccessor;
import org.jspecify.annotations.Nullable;
import reactor.util.context.Context;

/** What does the observation of one transaction, or of a statement outside of one, hear? */
final class ObservedConnection implements ConnectionObserver.Use {

    private final Observation observation;
    private final RoutedConnectionContext routed;
    private final @Nullable Observation around;

    /**
     * Observes one.
     *
     * @param observation is started
     * @param routed the observation's
     * @param around what was observed where it began; {@code null} if nothing was
     */
    ObservedConnection(Observation observation, RoutedConnectionContext routed, @Nullable Observation around) {
        this.observation = observation;
        this.routed = routed;
        this.around = around;
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // the very one that was there
    public Context within(Context context) {
        Observation nearest = context.getOrDefault(ObservationThreadLocalAccessor.KEY, null);
        RoutingListener subscriber = context.getOrDefault(RoutingListener.class, null);
        // something that was opened in the transaction is nearer to its statements than the transaction
        Context observed = nearest == around ? context.put(ObservationThreadLocalAccessor.KEY, observation) : context;
        return observed.put(
                RoutingListener.class, subscriber == null ? (RoutingListener) this::decided : both(subscriber));
    }

    private RoutingListener both(RoutingListener subscriber) {
        return decision -> {
            decided(decision);
            if (subscriber.wantsNext()) {
                subscriber.onDecision(decision);
            }
        };
    }

    private void decided(RouteDecision decision) {
        RouteDecision before = routed.decision();
        routed.decided(decision);
        if (before != null && before.server() != null) {
            observation.event(RoutingObservation.Event.MOVED);
        }
        if (!decision.waited().isZero()) {
            observation.event(RoutingObservation.Event.WAITED);
        }
    }

    @Override
    public void ended(ConnectionObserver.End end, @Nullable Throwable error) {
        routed.ended(end);
        if (error != null) {
            observation.error(error);
        }
        observation.stop();
    }
}
