package io.github.r2dbcrouting.internal.session;

import io.github.r2dbcrouting.spi.Position;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;

/**
 * One write of a session whose position is not yet known.
 *
 * <p>It is pending from before it is sent until a position at or behind its commit is known. Thread-safe; settling it
 * twice has no further effect.
 */
public final class PendingWrite {

    private final SessionState session;
    private final String cluster;
    private final Sinks.Empty<Void> settled = Sinks.empty();
    private volatile boolean openTransaction;

    PendingWrite(SessionState session, String cluster, boolean transaction) {
        this.session = session;
        this.cluster = cluster;
        this.openTransaction = transaction;
    }

    /** Its outcome is decided, known or not: from here on only its position is awaited. */
    public void end() {
        openTransaction = false;
    }

    /**
     * The write, if it took place, lies at or before the position.
     *
     * @param position the position, or {@code null} if the write cannot have taken place or nothing can be said of it
     */
    public void settle(@Nullable Position position) {
        if (!session.settle(this, position)) {
            return;
        }
        if (settled.currentSubscriberCount() == 0) {
            settled.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);
        } else {
            // not within the monitor's task, which nobody else may hold up
            Schedulers.parallel().schedule(() -> settled.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST));
        }
    }

    String cluster() {
        return cluster;
    }

    boolean openTransaction() {
        return openTransaction;
    }

    Mono<Void> settled() {
        return settled.asMono();
    }
}
