package io.github.r2dbcrouting.internal.session;

import io.github.r2dbcrouting.spi.Position;
import java.util.concurrent.atomic.AtomicReference;
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

    private static final Sinks.Empty<Void> SETTLED = Sinks.empty();

    static {
        SETTLED.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);
    }

    private final SessionState session;
    private final String cluster;
    private final Runnable onAwaited;
    /** Made by the first who waits: most writes have their position before anybody asks. */
    private final AtomicReference<Sinks.@Nullable Empty<Void>> waiting = new AtomicReference<>();

    private volatile boolean openTransaction;

    PendingWrite(SessionState session, String cluster, boolean transaction, Runnable onAwaited) {
        this.session = session;
        this.cluster = cluster;
        this.onAwaited = onAwaited;
        this.openTransaction = transaction;
    }

    /** Its outcome is decided, known or not: from here on only its position is awaited. */
    public void end() {
        openTransaction = false;
        session.wrote();
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
        Sinks.Empty<Void> waiters = waiting.getAndSet(SETTLED);
        if (waiters != null) {
            // not within the monitor's task, which nobody else may hold up
            Schedulers.parallel().schedule(() -> waiters.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST));
        }
    }

    String cluster() {
        return cluster;
    }

    boolean openTransaction() {
        return openTransaction;
    }

    /** Waits until it is settled, and says that somebody does. */
    Mono<Void> settled() {
        return Mono.defer(() -> {
            Sinks.Empty<Void> own = Sinks.empty();
            Sinks.Empty<Void> waiters = waiting.compareAndSet(null, own) ? own : waiting.get();
            onAwaited.run();
            return waiters == null ? own.asMono() : waiters.asMono();
        });
    }
}
