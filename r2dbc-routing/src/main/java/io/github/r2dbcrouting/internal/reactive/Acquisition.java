package io.github.r2dbcrouting.internal.reactive;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;
import reactor.core.scheduler.Scheduler;
import reactor.util.context.Context;

/**
 * Takes one resource from a source, and never loses it.
 *
 * <p>A value that comes after the cancel, or after the limit, is given back; a cancel that comes after the value is
 * ignored and never reaches the source. The second half matters with r2dbc-pool, which takes a connection back, while
 * its borrower uses it, when anything cancels after the value: {@code next()}, {@code take(1)} and
 * {@code Mono.from(flux)} all do.
 *
 * <p>Nothing happens before the subscriber's first request. The limit costs a timer only if the source does not answer
 * at once.
 *
 * @param <T> the resource
 */
public final class Acquisition<T> extends Mono<T> {

    private final Publisher<? extends T> source;
    private final Consumer<? super T> giveBack;
    private final Duration limit;
    private final Scheduler timer;
    private final Supplier<? extends Throwable> late;
    private final Mono<?> until;

    /**
     * Creates an acquisition that waits until its limit.
     *
     * @param source emits the resource
     * @param giveBack takes a resource that nobody waits for any longer; must not throw
     * @param limit how long to wait for the source
     * @param timer where the limit is watched
     * @param late makes the error to signal at the limit
     */
    public Acquisition(
            Publisher<? extends T> source,
            Consumer<? super T> giveBack,
            Duration limit,
            Scheduler timer,
            Supplier<? extends Throwable> late) {
        this(source, giveBack, limit, timer, late, Mono.never());
    }

    /**
     * Creates an acquisition that something else may end, too.
     *
     * @param source emits the resource
     * @param giveBack takes a resource that nobody waits for any longer; must not throw
     * @param limit how long to wait for the source
     * @param timer where the limit is watched
     * @param late makes the error to signal at the limit
     * @param until ends the wait by an error, which is signalled; subscribed only if the source does not answer at once
     */
    public Acquisition(
            Publisher<? extends T> source,
            Consumer<? super T> giveBack,
            Duration limit,
            Scheduler timer,
            Supplier<? extends Throwable> late,
            Mono<?> until) {
        this.source = source;
        this.giveBack = giveBack;
        this.limit = limit;
        this.timer = timer;
        this.late = late;
        this.until = until;
    }

    @Override
    public void subscribe(CoreSubscriber<? super T> actual) {
        actual.onSubscribe(new Shield<>(this, actual));
    }

    private static final class Shield<T> extends AtomicInteger implements CoreSubscriber<T>, Subscription {

        private static final long serialVersionUID = 1L;

        private static final int NOT_STARTED = 0;
        private static final int WAITING = 1;
        private static final int DONE = 2;

        private final transient Acquisition<T> acquisition;

        /**
         * {@code null} once it has heard the end: a source may remember whom it opened a connection for as long as that is
         * open, and with it whatever the subscriber was part of.
         */
        private transient volatile @Nullable CoreSubscriber<? super T> actual;

        private transient volatile @Nullable Subscription upstream;
        private transient volatile @Nullable Disposable deadline;
        private transient volatile @Nullable Disposable ending;

        Shield(Acquisition<T> acquisition, CoreSubscriber<? super T> actual) {
            this.acquisition = acquisition;
            this.actual = actual;
        }

        @Override
        public Context currentContext() {
            CoreSubscriber<? super T> subscriber = actual;
            return subscriber == null ? Context.empty() : subscriber.currentContext();
        }

        @Override
        public void request(long n) {
            if (Operators.validate(n) && compareAndSet(NOT_STARTED, WAITING)) {
                acquisition.source.subscribe(this);
                if (get() == WAITING) {
                    watch();
                }
            }
        }

        private void watch() {
            deadline = acquisition.timer.schedule(
                    () -> giveUp(acquisition.late), acquisition.limit.toNanos(), TimeUnit.NANOSECONDS);
            ending = acquisition.until.subscribe(ignored -> {}, error -> giveUp(() -> error));
            if (get() == DONE) {
                stopWatching();
            }
        }

        private void giveUp(Supplier<? extends Throwable> why) {
            if (compareAndSet(WAITING, DONE)) {
                stopWatching();
                cancelUpstream();
                last().onError(why.get());
            }
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            upstream = subscription;
            if (get() == DONE) {
                subscription.cancel();
            } else {
                subscription.request(Long.MAX_VALUE);
            }
        }

        @Override
        public void onNext(T value) {
            if (compareAndSet(WAITING, DONE)) {
                stopWatching();
                CoreSubscriber<? super T> subscriber = last();
                subscriber.onNext(value);
                subscriber.onComplete();
            } else {
                acquisition.giveBack.accept(value);
            }
        }

        @Override
        public void onError(Throwable error) {
            if (compareAndSet(WAITING, DONE)) {
                stopWatching();
                last().onError(error);
            }
        }

        @Override
        public void onComplete() {
            if (compareAndSet(WAITING, DONE)) {
                stopWatching();
                last().onComplete();
            }
        }

        /** Returns the subscriber, for the last time. To be called by whoever has ended it. */
        private CoreSubscriber<? super T> last() {
            CoreSubscriber<? super T> subscriber = Objects.requireNonNull(actual, "subscriber");
            actual = null;
            return subscriber;
        }

        @Override
        public void cancel() {
            int before = getAndSet(DONE);
            if (before == WAITING) {
                stopWatching();
                cancelUpstream();
            }
            if (before != DONE) {
                actual = null;
            }
        }

        private void cancelUpstream() {
            Subscription subscription = upstream;
            if (subscription != null) {
                subscription.cancel();
            }
        }

        private void stopWatching() {
            dispose(deadline);
            dispose(ending);
        }

        private static void dispose(@Nullable Disposable watched) {
            if (watched != null) {
                watched.dispose();
            }
        }
    }
}
