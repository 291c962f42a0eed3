package io.github.r2dbcrouting.internal.routing;

import java.util.concurrent.atomic.AtomicReference;

/**
 * May this read go to the primary although it is no read of the primary's?
 *
 * <p>One place in the {@link FallbackBudget}. It is offered to a request, adopted by the connection that the read is sent
 * on, and released when the read is over. A cancel that crosses the offer withdraws it; one that comes later does not,
 * since the server may still be reading. Thread-safe; releasing it twice has no further effect.
 */
public final class Permit {

    private enum State {
        OFFERED,
        ADOPTED,
        RELEASED
    }

    private final AtomicReference<State> state = new AtomicReference<>(State.OFFERED);
    private final Runnable onReleased;

    Permit(Runnable onReleased) {
        this.onReleased = onReleased;
    }

    /**
     * Takes over the duty to release it.
     *
     * @return whether it is held: not if it was withdrawn meanwhile
     */
    public boolean adopt() {
        return state.compareAndSet(State.OFFERED, State.ADOPTED);
    }

    /** Releases it if nobody has adopted it. */
    public void withdraw() {
        if (state.compareAndSet(State.OFFERED, State.RELEASED)) {
            onReleased.run();
        }
    }

    /** Releases it: the read is over. */
    public void release() {
        if (state.getAndSet(State.RELEASED) != State.RELEASED) {
            onReleased.run();
        }
    }
}
