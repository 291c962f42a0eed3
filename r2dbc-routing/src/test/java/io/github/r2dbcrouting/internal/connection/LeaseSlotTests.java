package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.fake.FakeConnection;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;
import reactor.util.context.Context;

class LeaseSlotTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final Fixture fixture = new Fixture();
    private final FakeConnection driver = new FakeConnection(fixture.server);
    private final FakeConnection pooled = new FakeConnection(fixture.server);
    private final Lease lease = fixture.lease(driver, pooled);
    private final LeaseSlot slot = new LeaseSlot();
    private final Source source = new Source();

    @Test
    void takesNothingBeforeItIsSubscribed() {
        Mono<Lease> wanted = slot.get(source);

        assertThat(source.subscriptions).isZero();
        assertThat(slot.held()).isNull();
        StepVerifier.create(wanted)
                .then(() -> source.emit(lease))
                .expectNext(lease)
                .expectComplete()
                .verify(LIMIT);
        assertThat(slot.held()).isSameAs(lease);
    }

    @Test
    void takesALeaseThatIsThereAtOnce() {
        StepVerifier.create(slot.get(Mono.just(lease)))
                .expectNext(lease)
                .expectComplete()
                .verify(LIMIT);
        assertThat(slot.held()).isSameAs(lease);
    }

    @Test
    void acquiresOnceForAllWhoWaitAndForThoseWhoComeLater() {
        List<Lease> arrived = new ArrayList<>();
        Disposable one = slot.get(source).subscribe(arrived::add);
        Disposable other = slot.get(source).subscribe(arrived::add);

        source.emit(lease);
        Disposable late = slot.get(source).subscribe(arrived::add);

        assertThat(source.subscriptions).isEqualTo(1);
        assertThat(arrived).containsExactly(lease, lease, lease);
        assertThat(List.of(one, other, late)).allMatch(Disposable::isDisposed);
        assertThat(pooled.closes()).isZero();
    }

    @Test
    void tellsAllWhoWaitOfAFailureAndTriesAgainForTheNext() {
        List<Throwable> errors = new ArrayList<>();
        Disposable one = slot.get(source).subscribe(never -> {}, errors::add);
        Disposable other = slot.get(source).subscribe(never -> {}, errors::add);
        IllegalStateException failure = new IllegalStateException("expected");

        source.subscriber.onError(failure);

        assertThat(errors).containsExactly(failure, failure);
        assertThat(List.of(one, other)).allMatch(Disposable::isDisposed);
        StepVerifier.create(slot.get(Mono.just(lease)))
                .expectNext(lease)
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void failsIfTheAcquisitionIsEmpty() {
        StepVerifier.create(slot.get(Mono.empty()))
                .expectError(R2dbcNonTransientResourceException.class)
                .verify(LIMIT);
        assertThat(slot.held()).isNull();
    }

    @Test
    void goesOnAcquiringWhileOneOfTwoStillWaits() {
        List<Lease> arrived = new ArrayList<>();
        Disposable one = slot.get(source).subscribe(arrived::add);
        Disposable other = slot.get(source).subscribe(arrived::add);

        one.dispose();
        assertThat(source.cancelled).isFalse();
        source.emit(lease);

        assertThat(arrived).containsExactly(lease);
        assertThat(other.isDisposed()).isTrue();
    }

    @Test
    void goesOnAcquiringForTheOtherIfOneCancelsTwice() {
        List<Lease> arrived = new ArrayList<>();
        Twice one = new Twice();
        slot.get(source).subscribe(one);
        Disposable other = slot.get(source).subscribe(arrived::add);

        one.subscription.cancel();
        one.subscription.cancel();
        assertThat(source.cancelled).isFalse();
        source.emit(lease);

        assertThat(arrived).containsExactly(lease);
        assertThat(other.isDisposed()).isTrue();
    }

    @Test
    void endsTheAcquisitionWhenTheLastWhoWaitedGivesUp() {
        Disposable one = slot.get(source).subscribe();
        Disposable other = slot.get(source).subscribe();

        one.dispose();
        other.dispose();

        assertThat(source.cancelled).isTrue();
        assertThat(slot.held()).isNull();
    }

    @Test
    void acquiresAnewForWhoComesAfterTheLastGaveUp() {
        slot.get(source).subscribe().dispose();
        Source next = new Source();

        StepVerifier.create(slot.get(next))
                .then(() -> next.emit(lease))
                .expectNext(lease)
                .expectComplete()
                .verify(LIMIT);
        assertThat(source.cancelled).isTrue();
    }

    @Test
    void givesBackALeaseThatArrivesAfterTheLastGaveUp() {
        slot.get(source).subscribe().dispose();

        // the value was on its way when the cancel came
        source.emit(lease);

        assertThat(slot.held()).isNull();
        assertThat(pooled.closes()).isEqualTo(1);
    }

    @Test
    void givesBackALeaseThatArrivesAfterItWasClosed() {
        List<Throwable> errors = new ArrayList<>();
        Disposable waiting = slot.get(source).subscribe(never -> {}, errors::add);

        close(slot);
        source.emit(lease);

        assertThat(errors).hasSize(1);
        assertThat(waiting.isDisposed()).isTrue();
        assertThat(slot.held()).isNull();
        assertThat(pooled.closes()).isEqualTo(1);
    }

    @Test
    void keepsTheLeaseWhenACancelComesAfterIt() {
        Twice one = new Twice();
        slot.get(source).subscribe(one);
        source.emit(lease);

        one.subscription.cancel();

        assertThat(slot.held()).isSameAs(lease);
        assertThat(pooled.closes()).isZero();
        assertThat(source.cancelled).isFalse();
    }

    @Test
    void givesTheLeaseBackOnceWhenClosed() {
        StepVerifier.create(slot.get(Mono.just(lease)))
                .expectNextCount(1)
                .expectComplete()
                .verify(LIMIT);

        close(slot);
        close(slot);

        assertThat(pooled.closes()).isEqualTo(1);
        assertThat(slot.held()).isNull();
    }

    @Test
    void givesTheLeaseBackWhenVacatedAndTakesAnotherForTheNext() {
        Blocking.run(slot.get(Mono.just(lease)));
        FakeConnection another = new FakeConnection(fixture.server);
        Lease next = fixture.lease(another, another);

        slot.vacate();
        slot.vacate();

        assertThat(slot.held()).isNull();
        assertThat(pooled.closes()).isEqualTo(1);
        assertThat(Blocking.value(slot.get(Mono.just(next)))).isSameAs(next);
    }

    @Test
    void leavesALeaseThatIsStillArrivingToThoseWhoWaitForIt() {
        List<Lease> arrived = new ArrayList<>();
        Disposable waiting = slot.get(source).subscribe(arrived::add);

        slot.vacate();
        source.emit(lease);

        assertThat(arrived).containsExactly(lease);
        assertThat(waiting.isDisposed()).isTrue();
        assertThat(slot.held()).isSameAs(lease);
    }

    @Test
    void givesNothingOnceClosed() {
        close(slot);

        StepVerifier.create(slot.get(source))
                .expectError(R2dbcNonTransientResourceException.class)
                .verify(LIMIT);
        assertThat(source.subscriptions).isZero();
    }

    @Test
    void acquiresWithTheContextOfTheFirstWhoWants() {
        Mono<Lease> asked = slot.get(Mono.deferContextual(context -> Mono.just(context.get(Lease.class))));

        StepVerifier.create(asked.contextWrite(Context.of(Lease.class, lease)))
                .expectNext(lease)
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void losesNoLeaseWhenArrivalAndCancelAndCloseRace() throws Exception {
        int rounds = 3_000;
        CyclicBarrier together = new CyclicBarrier(2);
        Source[] current = {source};
        Lease[] arriving = {lease};
        Thread emitting = new Thread(() -> {
            for (int round = 0; round < rounds; round++) {
                await(together);
                current[0].emit(arriving[0]);
                await(together);
            }
        });
        emitting.start();
        for (int round = 0; round < rounds; round++) {
            FakeConnection back = new FakeConnection(fixture.server);
            LeaseSlot racing = new LeaseSlot();
            current[0] = new Source();
            arriving[0] = fixture.lease(driver, back);
            Disposable waiting = racing.get(current[0]).subscribe(got -> {}, error -> {});
            await(together);
            if (round % 2 == 0) {
                waiting.dispose();
            } else {
                close(racing);
            }
            await(together);

            assertThat(racing.held() == arriving[0] ? 1 : 0).isEqualTo(1 - back.closes());
        }
        emitting.join(10_000);
    }

    private static void await(CyclicBarrier barrier) {
        try {
            int unused = barrier.await(10, TimeUnit.SECONDS);
        } catch (Exception broken) {
            throw new AssertionError("the other thread is gone", broken);
        }
    }

    /** Emits when it is told to, also after a cancel: a value may be on its way when the cancel comes. */
    private static final class Source extends Mono<Lease> implements Subscription {

        volatile CoreSubscriber<? super Lease> subscriber;
        volatile boolean cancelled;
        volatile int subscriptions;

        @Override
        public void subscribe(CoreSubscriber<? super Lease> asking) {
            int before = subscriptions;
            subscriptions = before + 1;
            subscriber = asking;
            asking.onSubscribe(this);
        }

        void emit(Lease value) {
            subscriber.onNext(value);
            subscriber.onComplete();
        }

        @Override
        public void request(long n) {}

        @Override
        public void cancel() {
            cancelled = true;
        }
    }

    private static final class Twice implements CoreSubscriber<Lease> {

        Subscription subscription;

        @Override
        public void onSubscribe(Subscription own) {
            subscription = own;
            own.request(1);
        }

        @Override
        public void onNext(Lease value) {}

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onComplete() {}
    }

    private static void close(LeaseSlot slot) {
        Lease held = slot.close();
        if (held != null) {
            Blocking.run(held.release());
        }
    }
}
