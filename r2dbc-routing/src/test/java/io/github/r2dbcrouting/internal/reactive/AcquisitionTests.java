package io.github.r2dbcrouting.internal.reactive;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.test.StepVerifier;
import reactor.test.scheduler.VirtualTimeScheduler;
import reactor.util.context.Context;

class AcquisitionTests {

    private static final Duration LIMIT = Duration.ofSeconds(5);

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final List<String> givenBack = new CopyOnWriteArrayList<>();
    private final Source source = new Source();
    private final Borrower borrower = new Borrower();

    @Test
    void takesNothingBeforeItIsAskedTo() {
        acquire(source).subscribe(borrower);

        assertThat(source.subscriber).isNull();
        borrower.request();
        assertThat(source.subscriber).isNotNull();
    }

    @Test
    void handsOnTheValueAndCompletes() {
        start();

        source.emit("a");

        assertThat(borrower.signals).containsExactly("a", "complete");
        assertThat(givenBack).isEmpty();
        assertThat(source.cancelled).isFalse();
    }

    /** Which a pool may keep for as long as the connection is open that it was given. */
    @Test
    void keepsNothingOfItsSubscriberOnceItIsOver() {
        acquire(source).contextWrite(Context.of("request", "a")).subscribe(borrower);
        borrower.request();
        Context before = contextAtTheSource();

        source.emit("a");

        assertThat(before.<String>get("request")).isEqualTo("a");
        assertThat(contextAtTheSource().isEmpty()).isTrue();
    }

    @Test
    void keepsNothingOfASubscriberThatHasCancelled() {
        acquire(source).contextWrite(Context.of("request", "a")).subscribe(borrower);
        borrower.request();

        borrower.cancel();

        assertThat(contextAtTheSource().isEmpty()).isTrue();
    }

    @Test
    void handsOnAnErrorOfTheSource() {
        start();

        source.subscriber.onError(new IllegalStateException("expected"));

        assertThat(borrower.signals).containsExactly("IllegalStateException");
        assertThat(source.cancelled).isFalse();
    }

    @Test
    void isEmptyIfTheSourceIs() {
        start();

        source.subscriber.onComplete();

        assertThat(borrower.signals).containsExactly("complete");
    }

    @Test
    void takesNothingWhenCancelledBeforeItIsAsked() {
        acquire(source).subscribe(borrower);

        borrower.cancel();
        borrower.request();

        assertThat(source.subscriber).isNull();
        assertThat(borrower.signals).isEmpty();
    }

    @Test
    void cancelsTheSourceWhileItWaits() {
        start();

        borrower.cancel();

        assertThat(source.cancelled).isTrue();
        assertThat(borrower.signals).isEmpty();
    }

    @Test
    void givesBackAValueThatComesAfterTheCancel() {
        start();

        borrower.cancel();
        source.emit("late");

        assertThat(givenBack).containsExactly("late");
        assertThat(borrower.signals).isEmpty();
    }

    @Test
    void asksForNothingIfTheSourceAnswersItsSubscriptionAfterTheCancel() {
        Source hesitant = new Source();
        hesitant.greets = false;
        acquire(hesitant).subscribe(borrower);
        borrower.request();

        borrower.cancel();
        hesitant.greet();

        assertThat(hesitant.cancelled).isTrue();
        assertThat(hesitant.requested).isZero();
    }

    @Test
    void ignoresACancelAfterTheValue() {
        start();

        source.subscriber.onNext("a");
        borrower.cancel();

        assertThat(source.cancelled).isFalse();
        assertThat(givenBack).isEmpty();
        assertThat(borrower.signals).containsExactly("a", "complete");
    }

    @Test
    void ignoresTheCancelOfABorrowerThatWantsOneOnly() {
        StepVerifier.create(Flux.from(acquire(source)).take(1))
                .then(() -> source.emit("a"))
                .expectNext("a")
                .expectComplete()
                .verify(LIMIT);

        assertThat(source.cancelled).isFalse();
        assertThat(givenBack).isEmpty();
    }

    @Test
    void givesBackASecondValue() {
        start();

        source.emit("a");
        source.emit("b");

        assertThat(borrower.signals).containsExactly("a", "complete");
        assertThat(givenBack).containsExactly("b");
    }

    @Test
    void failsAtTheLimitAndCancelsTheSource() {
        start();

        time.advanceTimeBy(LIMIT);

        assertThat(borrower.signals).containsExactly("TimeoutException");
        assertThat(source.cancelled).isTrue();
    }

    @Test
    void waitsUpToTheLimit() {
        start();

        time.advanceTimeBy(LIMIT.minusNanos(1));
        source.emit("a");
        time.advanceTimeBy(LIMIT);

        assertThat(borrower.signals).containsExactly("a", "complete");
        assertThat(source.cancelled).isFalse();
    }

    @Test
    void givesBackAValueThatComesAfterTheLimit() {
        start();

        time.advanceTimeBy(LIMIT);
        source.emit("late");

        assertThat(givenBack).containsExactly("late");
        assertThat(borrower.signals).containsExactly("TimeoutException");
    }

    @Test
    void leavesNoTimerBehindWhenCancelled() {
        start();

        borrower.cancel();
        time.advanceTimeBy(LIMIT);

        assertThat(borrower.signals).isEmpty();
    }

    @Test
    void setsNoTimerIfTheSourceAnswersAtOnce() {
        acquire(Mono.just("a")).subscribe(borrower);
        borrower.request();

        assertThat(borrower.signals).containsExactly("a", "complete");
        assertThat(time.getScheduledTaskCount()).isZero();
    }

    @Test
    void subscribesOnceHoweverOftenItIsAsked() {
        start();
        Subscriber<?> first = source.subscriber;

        borrower.request();

        assertThat(source.subscriber).isSameAs(first);
        assertThat(source.subscriptions).isEqualTo(1);
    }

    @Test
    void handsTheContextOfItsSubscriberUp() {
        Mono<String> asked = acquire(Mono.deferContextual(context -> Mono.just(context.get("key"))))
                .contextWrite(Context.of("key", "value"));

        StepVerifier.create(asked).expectNext("value").expectComplete().verify(LIMIT);
    }

    @Test
    void eitherDeliversOrGivesBackWhenCancelAndValueRace() throws Exception {
        AtomicInteger delivered = new AtomicInteger();
        AtomicInteger returned = new AtomicInteger();
        int rounds = 10_000;
        int cancelledAfterwards = race(
                rounds,
                new Acquisition<>(source, value -> returned.incrementAndGet(), LIMIT, time, TimeoutException::new),
                delivered,
                borrowed -> borrowed.cancel());

        assertThat(delivered.get() + returned.get()).isEqualTo(rounds);
        assertThat(cancelledAfterwards).isLessThanOrEqualTo(rounds - delivered.get());
    }

    @Test
    void eitherDeliversOrGivesBackWhenLimitAndValueRace() throws Exception {
        AtomicInteger delivered = new AtomicInteger();
        AtomicInteger returned = new AtomicInteger();
        int rounds = 10_000;
        int cancelledAfterwards = race(
                rounds,
                new Acquisition<>(source, value -> returned.incrementAndGet(), LIMIT, time, TimeoutException::new),
                delivered,
                borrowed -> time.advanceTimeBy(LIMIT));

        assertThat(delivered.get() + returned.get()).isEqualTo(rounds);
        assertThat(cancelledAfterwards).isLessThanOrEqualTo(rounds - delivered.get());
    }

    /** Emits on one thread while another ends the wait. Returns how often the source was cancelled. */
    private int race(
            int rounds,
            Acquisition<String> acquisition,
            AtomicInteger delivered,
            java.util.function.Consumer<Borrower> ending)
            throws Exception {
        CyclicBarrier together = new CyclicBarrier(2);
        Borrower[] current = new Borrower[1];
        int[] cancels = new int[1];
        Thread emitting = new Thread(() -> {
            for (int round = 0; round < rounds; round++) {
                await(together);
                source.subscriber.onNext("a");
                source.subscriber.onComplete();
                await(together);
            }
        });
        emitting.start();
        for (int round = 0; round < rounds; round++) {
            source.cancelled = false;
            current[0] = new Borrower();
            acquisition.subscribe(current[0]);
            current[0].request();
            await(together);
            ending.accept(current[0]);
            await(together);
            if (current[0].signals.contains("a")) {
                delivered.incrementAndGet();
                assertThat(current[0].signals).containsExactly("a", "complete");
                assertThat(source.cancelled).isFalse();
            }
            cancels[0] += source.cancelled ? 1 : 0;
        }
        emitting.join(10_000);
        return cancels[0];
    }

    private static void await(CyclicBarrier barrier) {
        try {
            int unused = barrier.await(10, TimeUnit.SECONDS);
        } catch (Exception broken) {
            throw new AssertionError("the other thread is gone", broken);
        }
    }

    @Test
    void givesUpWhenItsWaitIsEnded() {
        Sinks.Empty<String> until = Sinks.empty();
        acquire(source, until.asMono()).subscribe(borrower);
        borrower.request();

        until.emitError(new IllegalStateException("expected"), Sinks.EmitFailureHandler.FAIL_FAST);

        assertThat(borrower.signals).containsExactly("IllegalStateException");
        assertThat(source.cancelled).isTrue();
        source.emit("late");
        time.advanceTimeBy(LIMIT);
        assertThat(givenBack).containsExactly("late");
        assertThat(borrower.signals).hasSize(1);
    }

    @Test
    void looksNoLongerForTheEndOfAWaitThatIsOver() {
        Sinks.Empty<String> until = Sinks.empty();
        acquire(source, until.asMono()).subscribe(borrower);
        borrower.request();
        assertThat(until.currentSubscriberCount()).isEqualTo(1);

        source.emit("a");

        assertThat(until.currentSubscriberCount()).isZero();
        assertThat(borrower.signals).containsExactly("a", "complete");
        assertThat(source.cancelled).isFalse();
    }

    @Test
    void givesUpAtOnceWhereTheWaitHasEndedAlready() {
        acquire(source, Mono.error(new IllegalStateException("expected"))).subscribe(borrower);

        borrower.request();

        assertThat(borrower.signals).containsExactly("IllegalStateException");
        assertThat(source.cancelled).isTrue();
    }

    private Context contextAtTheSource() {
        return ((CoreSubscriber<?>) source.subscriber).currentContext();
    }

    private void start() {
        acquire(source).subscribe(borrower);
        borrower.request();
        assertThat(source.subscriber).isNotNull();
    }

    private Acquisition<String> acquire(Publisher<String> from) {
        return new Acquisition<>(from, givenBack::add, LIMIT, time, TimeoutException::new);
    }

    private Acquisition<String> acquire(Publisher<String> from, Mono<String> until) {
        return new Acquisition<>(from, givenBack::add, LIMIT, time, TimeoutException::new, until);
    }

    /** Emits when it is told to, also after a cancel, as a pool may. */
    private static final class Source implements Publisher<String>, Subscription {

        volatile Subscriber<? super String> subscriber;
        volatile boolean cancelled;
        volatile long requested;
        volatile int subscriptions;
        boolean greets = true;

        @Override
        public void subscribe(Subscriber<? super String> asking) {
            int before = subscriptions;
            subscriptions = before + 1;
            subscriber = asking;
            if (greets) {
                greet();
            }
        }

        void greet() {
            subscriber.onSubscribe(this);
        }

        void emit(String value) {
            subscriber.onNext(value);
            subscriber.onComplete();
        }

        @Override
        public void request(long n) {
            requested = n;
        }

        @Override
        public void cancel() {
            cancelled = true;
        }
    }

    private static final class Borrower implements CoreSubscriber<String> {

        final List<String> signals = new CopyOnWriteArrayList<>();
        private volatile Subscription subscription;

        void request() {
            subscription.request(1);
        }

        void cancel() {
            subscription.cancel();
        }

        @Override
        public void onSubscribe(Subscription own) {
            subscription = own;
        }

        @Override
        public void onNext(String value) {
            signals.add(value);
        }

        @Override
        public void onError(Throwable error) {
            signals.add(error.getClass().getSimpleName());
        }

        @Override
        public void onComplete() {
            signals.add("complete");
        }
    }
}
