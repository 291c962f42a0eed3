package io.github.r2dbcrouting.internal.connection;

import io.r2dbc.spi.R2dbcNonTransientResourceException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

/**
 * Sends something on a leased connection, unless it is being given back, and keeps it from being given back meanwhile.
 *
 * <p>Without it a cancel that crosses a subscription does harm: the connection is given back, and then the subscription
 * sends its command, into the transaction of the next borrower. The driver sends a command during {@code subscribe}, and
 * also if it is cancelled within that call, so the use lasts until the call has returned and the stream is over.
 */
final class InUse<T> extends Flux<T> {

    private final Lease lease;
    private final Publisher<? extends T> source;
    private final Runnable onEntered;
    private final Ending ending;
    private final boolean sends;

    InUse(Lease lease, Publisher<? extends T> source) {
        this(lease, source, () -> {}, Ending.UNWATCHED);
    }

    /**
     * Creates a use.
     *
     * @param lease the connection
     * @param source sends something on it when it is subscribed
     * @param onEntered runs at the moment from which the connection is surely not given back any more
     * @param ending hears how it ended, while the connection is still in use
     */
    InUse(Lease lease, Publisher<? extends T> source, Runnable onEntered, Ending ending) {
        this(lease, source, onEntered, ending, true);
    }

    /**
     * Creates a use.
     *
     * @param lease the connection
     * @param source sends something on it when it is subscribed
     * @param onEntered runs at the moment from which the connection is surely not given back any more
     * @param ending hears how it ended, while the connection is still in use
     * @param sends whether what it sends is part of the transaction, so that a begin that was held back goes ahead of it
     */
    InUse(Lease lease, Publisher<? extends T> source, Runnable onEntered, Ending ending, boolean sends) {
        this.lease = lease;
        this.source = source;
        this.onEntered = onEntered;
        this.ending = ending;
        this.sends = sends;
    }

    @Override
    public void subscribe(CoreSubscriber<? super T> actual) {
        if (!lease.enter()) {
            Operators.error(actual, new R2dbcNonTransientResourceException("the connection is closed"));
            return;
        }
        onEntered.run();
        Use<T> use = new Use<>(lease, ending, actual);
        try {
            HeldBegin begin = sends ? lease.heldBegin() : null;
            if (begin == null) {
                source.subscribe(use);
            } else {
                begin.<T>ahead(source, actual.currentContext()).subscribe(use);
            }
        } finally {
            use.partOver();
        }
    }

    private static final class Use<T> implements CoreSubscriber<T>, Subscription {

        private final Lease lease;
        private final Ending ending;
        private final CoreSubscriber<? super T> actual;
        private final AtomicInteger parts = new AtomicInteger(2);
        private final AtomicBoolean streamOver = new AtomicBoolean();
        private volatile @Nullable Subscription upstream;

        Use(Lease lease, Ending ending, CoreSubscriber<? super T> actual) {
            this.lease = lease;
            this.ending = ending;
            this.actual = actual;
        }

        void partOver() {
            if (parts.decrementAndGet() == 0) {
                lease.exit();
            }
        }

        private boolean endsStream() {
            return streamOver.compareAndSet(false, true);
        }

        @Override
        public Context currentContext() {
            return actual.currentContext();
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            upstream = subscription;
            actual.onSubscribe(this);
        }

        @Override
        public void onNext(T value) {
            actual.onNext(value);
        }

        @Override
        public void onError(Throwable error) {
            if (endsStream()) {
                ending.failed(error);
                partOver();
            }
            actual.onError(error);
        }

        @Override
        public void onComplete() {
            if (endsStream()) {
                ending.completed();
                partOver();
            }
            actual.onComplete();
        }

        @Override
        public void request(long n) {
            Subscription subscription = upstream;
            if (subscription != null) {
                subscription.request(n);
            }
        }

        @Override
        public void cancel() {
            boolean ends = endsStream();
            if (ends) {
                ending.cancelled();
            }
            Subscription subscription = upstream;
            if (subscription != null) {
                subscription.cancel();
            }
            if (ends) {
                partOver();
            }
        }
    }
}
