package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.internal.reactive.Detached;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/**
 * Holds at most one lease for a routed connection, however many of its statements want one at once.
 *
 * <p>The slot owns the acquisition and the lease: a statement that is cancelled while it waits gives up its place only,
 * and the last one to do so ends the acquisition. After {@link #close()} nothing is held, also if a connection arrives
 * later. Thread-safe.
 */
final class LeaseSlot {

    private static final Logger LOG = LoggerFactory.getLogger(LeaseSlot.class);

    /** {@code null} while empty, an {@link Arriving} while one is acquired, a {@link Lease} once it is held. */
    private final AtomicReference<@Nullable Object> content = new AtomicReference<>();

    private static final Object CLOSED = new Object();

    /** Returns the lease that is held, if one is. */
    @Nullable
    Lease held() {
        return content.get() instanceof Lease lease ? lease : null;
    }

    /**
     * Returns the lease, acquiring it if none is held or on its way.
     *
     * @param acquisition acquires one; subscribed with the Context of the first who wants it
     */
    Mono<Lease> get(Mono<Lease> acquisition) {
        return Mono.deferContextual(context -> {
            while (true) {
                Object now = content.get();
                if (now instanceof Lease lease) {
                    return Mono.just(lease);
                }
                if (CLOSED.equals(now)) {
                    return Mono.error(new R2dbcNonTransientResourceException("the connection is closed"));
                }
                if (now instanceof Arriving arriving) {
                    if (arriving.join()) {
                        return arriving.lease();
                    }
                    arriving.abandon();
                } else {
                    Arriving arriving = new Arriving();
                    if (content.compareAndSet(null, arriving)) {
                        return arriving.lease().doOnSubscribe(s -> arriving.start(acquisition.contextWrite(context)));
                    }
                }
            }
        });
    }

    /** Gives this lease back, whether or not its connection is any good, and makes room for another. */
    void leave(Lease lease) {
        if (content.compareAndSet(lease, null)) {
            lease.releaseDetached();
        }
    }

    /** Gives the lease back, or ends the acquisition, and leaves the slot closed. */
    Mono<Void> close() {
        return Mono.defer(() -> {
            Object before = content.getAndSet(CLOSED);
            if (before instanceof Arriving arriving) {
                arriving.end();
            }
            return before instanceof Lease lease ? lease.release() : Mono.empty();
        });
    }

    /** Gives the lease back, if one is held, at a moment at which nobody waits for it. The next one is taken anew. */
    void vacate() {
        if (content.get() instanceof Lease lease && content.compareAndSet(lease, null)) {
            lease.releaseDetached();
        }
    }

    /** An acquisition under way, and those who wait for it. */
    private final class Arriving {

        private static final int ABANDONED = -1;

        private final Sinks.One<Lease> result = Sinks.one();
        private final Disposable.Swap subscription = Disposables.swap();
        private final AtomicInteger waiting = new AtomicInteger(1);

        boolean join() {
            return count(now -> now == ABANDONED ? ABANDONED : now + 1) != ABANDONED;
        }

        Mono<Lease> lease() {
            AtomicBoolean left = new AtomicBoolean();
            return result.asMono().doOnCancel(() -> {
                // a subscription may be cancelled more than once
                if (left.compareAndSet(false, true)) {
                    leave();
                }
            });
        }

        void start(Mono<Lease> acquisition) {
            Arrival arrival = new Arrival();
            subscription.update(arrival);
            acquisition.subscribe(arrival);
        }

        private void leave() {
            int left = count(now -> now <= 1 ? ABANDONED : now - 1);
            if (left == ABANDONED) {
                abandon();
            }
        }

        /** Written out, as in {@link Lease}, so that races before it are explored. */
        private int count(IntUnaryOperator change) {
            while (true) {
                int before = waiting.get();
                int after = change.applyAsInt(before);
                if (waiting.compareAndSet(before, after)) {
                    return after;
                }
            }
        }

        /** Nobody waits any longer. The last one to leave, or one who asks at this moment, ends the acquisition. */
        void abandon() {
            if (content.compareAndSet(this, null)) {
                subscription.dispose();
            }
        }

        void end() {
            subscription.dispose();
            result.emitError(
                    new R2dbcNonTransientResourceException("the connection was closed"),
                    Sinks.EmitFailureHandler.FAIL_FAST);
        }

        /** Takes what arrives also after it was disposed of: the cancel and the value may cross. */
        private final class Arrival extends BaseSubscriber<Lease> {

            @Override
            protected void hookOnSubscribe(Subscription upstream) {
                requestUnbounded();
            }

            @Override
            protected void hookOnNext(Lease lease) {
                arrived(lease);
            }

            @Override
            protected void hookOnError(Throwable error) {
                failed(error);
            }

            @Override
            protected void hookOnComplete() {
                failed(null);
            }
        }

        private void arrived(Lease lease) {
            if (content.compareAndSet(this, lease)) {
                result.emitValue(lease, Sinks.EmitFailureHandler.FAIL_FAST);
            } else {
                Detached.run(lease.release(), error -> LOG.debug("a late connection was not given back", error));
            }
        }

        private void failed(@Nullable Throwable error) {
            if (content.compareAndSet(this, null)) {
                Throwable reason =
                        error != null ? error : new R2dbcNonTransientResourceException("the router was closed");
                result.emitError(reason, Sinks.EmitFailureHandler.FAIL_FAST);
            }
        }
    }
}
