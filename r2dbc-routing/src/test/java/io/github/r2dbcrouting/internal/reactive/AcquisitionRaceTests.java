package io.github.r2dbcrouting.internal.reactive;

import static io.github.r2dbcrouting.Interleavings.must;

import io.github.r2dbcrouting.Interleavings;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/** The value, the cancel and the limit cross. */
@Tag("race")
class AcquisitionRaceTests {

    @Test
    void deliversTheResourceOrGivesItBackOnceWhateverCrosses() {
        Interleavings.allHold(() -> valueCancelAndLimit(AcquisitionRaceTests::real));
    }

    @Test
    void asksTheSourceForNothingIfItIsCancelledWhileItBegins() {
        Interleavings.allHold(() -> cancelCrossesTheSubscription(AcquisitionRaceTests::real));
    }

    @Test
    @Tag("planted")
    void isCaughtIfItLooksAndThenSays() {
        Interleavings.oneFails(() -> valueCancelAndLimit(CheckThenAct::new), "more than once");
    }

    @Test
    @Tag("planted")
    void isCaughtIfItDropsWhatComesLate() {
        Interleavings.oneFails(() -> valueCancelAndLimit(Dropping::new), "lost");
    }

    @Test
    @Tag("planted")
    void isCaughtIfItLeavesTheSourceRunningAfterACancel() {
        Interleavings.oneFails(() -> cancelCrossesTheSubscription(Dropping::new), "goes on");
    }

    private static Mono<Object> real(Publisher<Object> source, Consumer<Object> giveBack, Timer timer) {
        return new Acquisition<>(
                source, giveBack, Duration.ofSeconds(1), timer, () -> new IllegalStateException("late"));
    }

    private static void valueCancelAndLimit(Kind kind) {
        Source source = new Source();
        Timer timer = new Timer();
        AtomicInteger givenBack = new AtomicInteger();
        Borrower borrower = new Borrower();
        kind.of(source, resource -> givenBack.incrementAndGet(), timer).subscribe(borrower);
        borrower.subscription.request(1);

        Interleavings.together(
                () -> {
                    source.subscriber.onNext("resource");
                    source.subscriber.onComplete();
                },
                () -> borrower.subscription.cancel(),
                timer::fire);

        int delivered = borrower.values.get();
        must(delivered + givenBack.get() > 0, "the resource is lost");
        must(delivered + givenBack.get() == 1, "the resource is somewhere more than once");
        must(borrower.ends.get() <= 1, "the stream has ended more than once");
        must(delivered == 0 || source.cancels.get() == 0, "a cancel reached the source after the value");
    }

    private static void cancelCrossesTheSubscription(Kind kind) {
        Source source = new Source();
        Borrower borrower = new Borrower();
        kind.of(source, resource -> {}, new Timer()).subscribe(borrower);

        Interleavings.together(() -> borrower.subscription.request(1), () -> borrower.subscription.cancel());

        must(source.subscriber == null || source.cancels.get() > 0, "the source goes on for nobody");
    }

    private interface Kind {

        Mono<Object> of(Publisher<Object> source, Consumer<Object> giveBack, Timer timer);
    }

    /** Emits, whatever has been cancelled: a cancel may always be too late for it. */
    private static final class Source implements Publisher<Object> {

        private final AtomicInteger cancels = new AtomicInteger();
        private volatile Subscriber<? super Object> subscriber;

        @Override
        public void subscribe(Subscriber<? super Object> subscriber) {
            this.subscriber = subscriber;
            subscriber.onSubscribe(new Subscription() {
                @Override
                public void request(long n) {}

                @Override
                public void cancel() {
                    cancels.incrementAndGet();
                }
            });
        }
    }

    private static final class Borrower implements CoreSubscriber<Object> {

        private final AtomicInteger values = new AtomicInteger();
        private final AtomicInteger ends = new AtomicInteger();
        private volatile Subscription subscription;

        @Override
        public void onSubscribe(Subscription subscription) {
            this.subscription = subscription;
        }

        @Override
        public void onNext(Object value) {
            values.incrementAndGet();
        }

        @Override
        public void onError(Throwable error) {
            ends.incrementAndGet();
        }

        @Override
        public void onComplete() {
            ends.incrementAndGet();
        }
    }

    /** Holds one task until it is fired. */
    private static final class Timer implements Scheduler {

        private volatile Runnable task = () -> {};

        void fire() {
            task.run();
        }

        @Override
        public Disposable schedule(Runnable task) {
            throw new UnsupportedOperationException("without a delay");
        }

        @Override
        public Disposable schedule(Runnable task, long delay, TimeUnit unit) {
            this.task = task;
            return Disposables.disposed();
        }

        @Override
        public Worker createWorker() {
            throw new UnsupportedOperationException("without a worker");
        }
    }

    /** Begins without any care, and leaves the rest to those who extend it. */
    private abstract static class Careless extends Mono<Object> implements CoreSubscriber<Object>, Subscription {

        private final Publisher<Object> source;
        private volatile Subscription upstream;
        volatile CoreSubscriber<? super Object> actual;
        volatile boolean done;

        Careless(Publisher<Object> source) {
            this.source = source;
        }

        @Override
        public void subscribe(CoreSubscriber<? super Object> actual) {
            this.actual = actual;
            actual.onSubscribe(this);
        }

        @Override
        public void request(long n) {
            source.subscribe(this);
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            upstream = subscription;
            subscription.request(Long.MAX_VALUE);
        }

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onComplete() {}

        @Override
        public void cancel() {
            done = true;
            if (upstream != null) {
                upstream.cancel();
            }
        }
    }

    /** Delivers if it was not cancelled a moment ago, and gives back if it is cancelled now. */
    private static final class CheckThenAct extends Careless {

        private final Consumer<Object> giveBack;

        CheckThenAct(Publisher<Object> source, Consumer<Object> giveBack, Timer timer) {
            super(source);
            this.giveBack = giveBack;
        }

        @Override
        public void onNext(Object value) {
            if (!done) {
                actual.onNext(value);
            }
            if (done) {
                giveBack.accept(value);
            }
        }
    }

    /** What most operators do with a value after the cancel. */
    private static final class Dropping extends Careless {

        Dropping(Publisher<Object> source, Consumer<Object> giveBack, Timer timer) {
            super(source);
        }

        @Override
        public void onNext(Object value) {
            if (!done) {
                actual.onNext(value);
            }
        }
    }
}
