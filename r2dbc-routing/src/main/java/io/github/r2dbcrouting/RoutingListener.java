package io.github.r2dbcrouting;

/**
 * Who wants to hear of every decision?
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface RoutingListener {

    /**
     * Called for each decision, on the thread that made it and before a connection is taken: it must be quick and must
     * not block. What it throws is logged and ignored.
     *
     * @param decision what was decided, and why
     */
    void onDecision(RouteDecision decision);
}
