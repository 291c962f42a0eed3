package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.internal.reactive.Detached;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

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

    /** In place of those who wait for an acquisition that has ended. */
    private static final Object OVER = new Object();

    /** Returns the lease that is held, if one is. */
    @Nullable
    Lease held() {
        return content.get() instanceof Lease lease ? lease : null;
    }

    /**
     * Returns the lease, acquiring it if none is held or on its way. Nothing happens before it is asked for.
     *
     * @param acquisition acquires one; subscribed with the Context of the first who wants it
     */
    Mono<Lease> get(Mono<Lease> acquisition) {
        return new Mono<>() {
            @Override
            public void subscribe(CoreSubscriber<? super Lease> actual) {
                actual.onSubscribe(new Waiter(actual, acquisition));
            }
        };
    }

    /** Gives this lease back, whether or not its connection is any good, and makes room for another. */
    void leave(Lease lease) {
        if (content.compareAndSet(lease, null)) {
            lease.releaseDetached();
        }
    }

    /**
     * Ends the acquisition, if one is under way, and leaves the slot closed.
     *
     * @return the lease that was held, which the caller has to give back; {@code null} if none was
     */
    @Nullable
    Lease close() {
        Object before = content.getAndSet(CLOSED);
        if (before instanceof Arriving arriving) {
            arriving.end();
        }
        return before instanceof Lease lease ? lease : null;
    }

    /** Gives the lease back, if one is held, at a moment at which nobody waits for it. The next one is taken anew. */
    void vacate() {
        if (content.get() instanceof Lease lease && content.compareAndSet(lease, null)) {
            lease.releaseDetached();
        }
    }

    /** Somebody who wants the lease. */
    private final class Waiter extends AtomicInteger implements Subscription {

        private static final long serialVersionUID = 1L;

        private static final int NOT_ASKED = 0;
        private static final int WAITING = 1;
        private static final int DONE = 2;

        private final transient CoreSubscriber<? super Lease> actual;
        private final transient Mono<Lease> acquisition;
        private final transient AtomicReference<@Nullable Arriving> joined = new AtomicReference<>();
        private transient @Nullable Waiter next;

        Waiter(CoreSubscriber<? super Lease> actual, Mono<Lease> acquisition) {
            this.actual = actual;
            this.acquisition = acquisition;
        }

        @Override
        public void request(long n) {
            if (Operators.validate(n) && compareAndSet(NOT_ASKED, WAITING)) {
                seek();
            }
        }

        private void seek() {
            while (true) {
                Object now = content.get();
                if (now instanceof Lease lease) {
                    take(lease);
                    return;
                }
                if (CLOSED.equals(now)) {
                    fail(new R2dbcNonTransientResourceException("the connection is closed"));
                    return;
                }
                if (now instanceof Arriving arriving) {
                    if (arriving.add(this)) {
                        joins(arriving);
                        return;
                    }
                    arriving.abandon();
                } else {
                    Arriving arriving = new Arriving(this, actual.currentContext());
                    if (content.compareAndSet(null, arriving)) {
                        joins(arriving);
                        arriving.start(acquisition);
                        return;
                    }
                }
            }
        }

        /** Once it is counted in. A cancel that came before that had nothing to leave yet. */
        private void joins(Arriving arriving) {
            joined.set(arriving);
            if (get() == DONE) {
                leave();
            }
        }

        private void leave() {
            Arriving arriving = joined.getAndSet(null);
            if (arriving != null) {
                arriving.leave();
            }
        }

        void take(Lease lease) {
            if (compareAndSet(WAITING, DONE)) {
                actual.onNext(lease);
                actual.onComplete();
            }
        }

        void fail(Throwable error) {
            if (compareAndSet(WAITING, DONE)) {
                actual.onError(error);
            }
        }

        @Override
        public void cancel() {
            if (getAndSet(DONE) == WAITING) {
                leave();
            }
        }
    }

    /**
     * An acquisition under way, and those who wait for it, counted. What arrives is taken also after it was ended: the
     * cancel and the value may cross.
     */
    private final class Arriving extends AtomicInteger implements CoreSubscriber<Lease> {

        private static final long serialVersionUID = 1L;

        private static final int ABANDONED = -1;

        private final transient Context context;
        private final transient AtomicReference<@Nullable Object> waiters = new AtomicReference<>();
        private final transient AtomicReference<@Nullable Subscription> upstream = new AtomicReference<>();

        Arriving(Waiter first, Context context) {
            super(1);
            this.waiters.set(first);
            this.context = context;
        }

        void start(Mono<Lease> acquisition) {
            if (get() != ABANDONED) {
                acquisition.subscribe(this);
            }
        }

        /** Counts somebody in, unless it is over. */
        boolean add(Waiter waiter) {
            if (count(now -> now == ABANDONED ? ABANDONED : now + 1) == ABANDONED) {
                return false;
            }
            while (true) {
                Object before = waiters.get();
                if (OVER.equals(before)) {
                    return false;
                }
                waiter.next = (Waiter) before;
                if (waiters.compareAndSet(before, waiter)) {
                    return true;
                }
            }
        }

        void leave() {
            if (count(now -> now <= 1 ? ABANDONED : now - 1) == ABANDONED) {
                abandon();
            }
        }

        /** Written out, as in {@link Lease}, so that races before it are explored. */
        private int count(IntUnaryOperator change) {
            while (true) {
                int before = get();
                int after = change.applyAsInt(before);
                if (compareAndSet(before, after)) {
                    return after;
                }
            }
        }

        /** Nobody waits any longer. The last one to leave, or one who asks at this moment, ends the acquisition. */
        void abandon() {
            if (content.compareAndSet(this, null)) {
                cancel();
            }
        }

        void end() {
            cancel();
            failAll(new R2dbcNonTransientResourceException("the connection was closed"));
        }

        private void cancel() {
            Subscription subscription = upstream.getAndSet(Operators.cancelledSubscription());
            if (subscription != null) {
                subscription.cancel();
            }
        }

        @Override
        public Context currentContext() {
            return context;
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            if (upstream.compareAndSet(null, subscription)) {
                subscription.request(Long.MAX_VALUE);
            } else {
                subscription.cancel();
            }
        }

        @Override
        public void onNext(Lease lease) {
            if (content.compareAndSet(this, lease)) {
                for (Waiter one = allWaiters(); one != null; one = one.next) {
                    one.take(lease);
                }
            } else {
                Detached.run(lease.release(), error -> LOG.debug("a late connection was not given back", error));
            }
        }

        @Override
        public void onError(Throwable error) {
            if (content.compareAndSet(this, null)) {
                failAll(error);
            }
        }

        @Override
        public void onComplete() {
            // mostly behind the lease, and then there is nothing to do
            if (content.compareAndSet(this, null)) {
                failAll(new R2dbcNonTransientResourceException("the router was closed"));
            }
        }

        private void failAll(Throwable error) {
            for (Waiter one = allWaiters(); one != null; one = one.next) {
                one.fail(error);
            }
        }

        /** Whoever comes from here on looks at the slot again. */
        private @Nullable Waiter allWaiters() {
            return (Waiter) waiters.getAndSet(OVER);
        }
    }
}
