package io.github.r2dbcrouting.micrometer;

import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.spi.ConnectionObserver.End;
import io.github.r2dbcrouting.spi.ConnectionObserver.Scope;
import io.micrometer.observation.Observation;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a transaction, or of a statement outside of one, that is observed?
 *
 * <p>Thread-safe.
 *
 * @since 0.1.0
 */
public final class RoutedConnectionContext extends Observation.Context {

    private final Scope scope;
    private volatile @Nullable RouteDecision decision;
    private volatile @Nullable End end;

    RoutedConnectionContext(Scope scope) {
        this.scope = scope;
    }

    /**
     * Returns what is routed.
     *
     * @return a statement or a transaction
     */
    public Scope scope() {
        return scope;
    }

    /**
     * Returns where it runs, and why.
     *
     * @return the latest decision; {@code null} before the first
     */
    public @Nullable RouteDecision decision() {
        return decision;
    }

    /**
     * Returns how it ended.
     *
     * @return {@code null} until it is over
     */
    public @Nullable End end() {
        return end;
    }

    void decided(RouteDecision latest) {
        decision = latest;
    }

    void ended(End how) {
        end = how;
    }
}
