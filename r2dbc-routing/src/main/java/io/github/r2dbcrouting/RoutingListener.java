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

    /**
     * Asked for each decision before it is put into words, on the thread that made it: where nobody wants to hear of it,
     * that is not done. Must be quick and must not block. One that listens to a sample says {@code true} now and then.
     *
     * @return whether to hear of this one; by default of each
     */
    default boolean wantsNext() {
        return true;
    }
}
