package io.github.r2dbcrouting.internal.connection;

import static io.github.r2dbcrouting.Interleavings.must;

import io.github.r2dbcrouting.Interleavings;
import io.github.r2dbcrouting.fake.AtOnce;
import io.github.r2dbcrouting.fake.FakeConnection;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;

/**
 * A slot gives one lease to all who ask at once, loses none that arrives after a cancel or the close, and acquires none
 * for nobody.
 */
@Tag("race")
class LeaseSlotRaceTests {

    /** What leases refer to, and does not change. */
    private static Fixture fixture;

    @BeforeAll
    static void withoutOtherThreads() {
        AtOnce.install();
        fixture = new Fixture();
    }

    @AfterAll
    static void realThreads() {
        Schedulers.resetFactory();
    }

    @Test
    void acquiresOnceForTwoWhoAskAtOnce() {
        Interleavings.allHold(() -> twoAsk(new Real()));
    }

    @Test
    void endsAnAcquisitionThatItsOnlyWaiterLeavesWhileAnotherOneAsks() {
        Interleavings.allHold(() -> oneAsksWhileAnotherLeaves(new Real()));
    }

    @Test
    void losesNoLeaseThatArrivesWhileItsOnlyWaiterLeaves() {
        Interleavings.allHold(() -> leavesWhileItArrives(new Real()));
    }

    @Test
    void losesNoLeaseThatArrivesWhileTheSlotIsClosed() {
        Interleavings.allHold(() -> closesWhileItArrives(new Real()));
    }

    @Test
    void givesALeaseBackOnceThatIsVacatedWhileItIsLeft() {
        Interleavings.allHold(() -> {
            LeaseSlot slot = new LeaseSlot();
            Source source = Interleavings.given(Source::new);
            slot.get(source).subscribe(new Borrower());
            source.emit();

            Interleavings.together(slot::vacate, () -> slot.leave(source.lease));

            must(source.pooled.closes() == 1, "it was given back " + source.pooled.closes() + " times");
        });
    }

    @Test
    void givesALeaseBackOnceThatIsVacatedWhileTheSlotIsClosed() {
        Interleavings.allHold(() -> {
            LeaseSlot slot = new LeaseSlot();
            Source source = Interleavings.given(Source::new);
            slot.get(source).subscribe(new Borrower());
            source.emit();

            Interleavings.together(slot::vacate, () -> {
                release(slot.close());
            });

            must(source.pooled.closes() == 1, "it was given back " + source.pooled.closes() + " times");
        });
    }

    @Test
    void acquiresForNobodyOnceItIsClosed() {
        Interleavings.allHold(() -> asksWhileItIsClosed(new Real()));
    }

    @Test
    @Tag("planted")
    void isCaughtIfItLooksWhetherItIsClosedAndThenAcquires() {
        Interleavings.oneFails(() -> asksWhileItIsClosed(new Counting()), "is lost");
    }

    @Test
    @Tag("planted")
    void isCaughtIfTheLastOneEndsWhatAnotherOneHasJustJoined() {
        Interleavings.oneFails(() -> oneAsksWhileAnotherLeaves(new Counting()), "for nobody");
    }

    @Test
    @Tag("planted")
    void isCaughtIfItDropsWhatArrivesAfterTheLastOneLeft() {
        Interleavings.oneFails(() -> leavesWhileItArrives(new Counting()), "is lost");
    }

    @Test
    @Tag("planted")
    void isCaughtIfItLooksAndThenAcquires() {
        Interleavings.oneFails(() -> twoAsk(new LooksThenAcquires()), "not one connection for both");
    }

    @Test
    @Tag("planted")
    void isCaughtIfItDropsWhatArrivesAfterTheClose() {
        Interleavings.oneFails(() -> closesWhileItArrives(new LooksThenAcquires()), "is lost");
    }

    private static void twoAsk(Slot slot) {
        Source source = Interleavings.given(Source::new);
        Borrower one = new Borrower();
        Borrower other = new Borrower();

        Interleavings.together(
                () -> slot.get(source).subscribe(one), () -> slot.get(source).subscribe(other));

        must(source.subscriptions.get() == 1, "there is not one connection for both");
        source.emit();
        must(
                one.lease.get() == source.lease && other.lease.get() == source.lease,
                "there is not one connection for both");
        slot.close();
        must(source.pooled.closes() == 1, "the connection is lost, or given back twice");
    }

    private static void oneAsksWhileAnotherLeaves(Slot slot) {
        Source source = Interleavings.given(Source::new);
        Borrower leaving = new Borrower();
        Borrower staying = new Borrower();
        slot.get(source).subscribe(leaving);

        Interleavings.together(leaving::cancel, () -> slot.get(source).subscribe(staying));

        must(source.subscriptions.get() - source.cancels.get() == 1, "an acquisition goes on for nobody");
        source.emit();
        must(staying.lease.get() == source.lease, "somebody waits for ever");
    }

    private static void leavesWhileItArrives(Slot slot) {
        Source source = Interleavings.given(Source::new);
        Borrower leaving = new Borrower();
        slot.get(source).subscribe(leaving);

        Interleavings.together(leaving::cancel, source::emit);

        slot.close();
        must(source.pooled.closes() == 1, "the connection is lost, or given back twice");
    }

    private static void closesWhileItArrives(Slot slot) {
        Source source = Interleavings.given(Source::new);
        Borrower waiting = new Borrower();
        slot.get(source).subscribe(waiting);

        Interleavings.together(slot::close, source::emit);

        must(source.pooled.closes() == 1, "the connection is lost, or given back twice");
        must(waiting.signals.get() == 1, "whoever waits hears nothing, or too much");
    }

    private static void asksWhileItIsClosed(Slot slot) {
        Source source = Interleavings.given(Source::new);
        Borrower asking = new Borrower();

        Interleavings.together(() -> slot.get(source).subscribe(asking), slot::close);

        if (source.subscriptions.get() > 0) {
            source.emit();
            must(source.pooled.closes() == 1, "the connection is lost, or given back twice");
        }
        must(asking.signals.get() == 1, "whoever waits hears nothing, or too much");
    }

    private static void release(@Nullable Lease held) {
        if (held != null) {
            var unused = held.release().subscribe();
        }
    }

    private interface Slot {

        Mono<Lease> get(Mono<Lease> acquisition);

        void close();
    }

    private static final class Real implements Slot {

        private final LeaseSlot slot = new LeaseSlot();

        @Override
        public Mono<Lease> get(Mono<Lease> acquisition) {
            return slot.get(acquisition);
        }

        @Override
        public void close() {
            release(slot.close());
        }
    }

    /** Holds what has arrived, and gives back what it holds when it is closed. */
    private static final class LooksThenAcquires implements Slot {

        private final AtomicReference<Lease> held = new AtomicReference<>();
        private final AtomicBoolean asked = new AtomicBoolean();
        private final AtomicBoolean closed = new AtomicBoolean();

        @Override
        public Mono<Lease> get(Mono<Lease> acquisition) {
            return Mono.defer(() -> {
                if (asked.get()) {
                    return Mono.justOrEmpty(held.get());
                }
                asked.set(true);
                return acquisition.doOnNext(lease -> {
                    if (!closed.get()) {
                        held.set(lease);
                    }
                });
            });
        }

        @Override
        public void close() {
            closed.set(true);
            Lease lease = held.getAndSet(null);
            if (lease != null) {
                lease.releaseDetached();
            }
        }
    }

    /** Counts those who wait, and looks at the count before it changes it. */
    private static final class Counting implements Slot {

        private final AtomicReference<Sinks.One<Lease>> arriving = new AtomicReference<>();
        private final AtomicInteger waiting = new AtomicInteger();
        private final AtomicReference<Lease> held = new AtomicReference<>();
        private final AtomicBoolean closed = new AtomicBoolean();
        private final Disposable.Swap subscription = Disposables.swap();

        @Override
        public Mono<Lease> get(Mono<Lease> acquisition) {
            return Mono.defer(() -> {
                if (closed.get()) {
                    return Mono.error(new IllegalStateException("closed"));
                }
                Sinks.One<Lease> joined = arriving.get();
                if (joined == null) {
                    Sinks.One<Lease> mine = Sinks.one();
                    arriving.set(mine);
                    waiting.set(1);
                    return leaving(mine).doOnSubscribe(s -> subscription.update(acquisition.subscribe(this::arrived)));
                }
                waiting.set(waiting.get() + 1);
                return leaving(joined);
            });
        }

        private Mono<Lease> leaving(Sinks.One<Lease> joined) {
            return joined.asMono().doOnCancel(() -> {
                waiting.set(waiting.get() - 1);
                if (waiting.get() == 0) {
                    subscription.update(Disposables.disposed());
                    arriving.set(null);
                }
            });
        }

        private void arrived(Lease lease) {
            Sinks.One<Lease> mine = arriving.get();
            if (mine != null) {
                held.set(lease);
                mine.tryEmitValue(lease).orThrow();
            }
        }

        @Override
        public void close() {
            closed.set(true);
            Lease lease = held.getAndSet(null);
            if (lease != null) {
                lease.releaseDetached();
            }
        }
    }

    /** Emits the one lease to whoever waits for it last, whether it was cancelled or not. */
    private static final class Source extends Mono<Lease> {

        private final FakeConnection pooled = new FakeConnection(fixture.server);
        private final Lease lease = fixture.lease(new FakeConnection(fixture.server), pooled);
        private final AtomicInteger subscriptions = new AtomicInteger();
        private final AtomicInteger cancels = new AtomicInteger();
        private final AtomicReference<CoreSubscriber<? super Lease>> last = new AtomicReference<>();

        @Override
        public void subscribe(CoreSubscriber<? super Lease> actual) {
            subscriptions.incrementAndGet();
            last.set(actual);
            actual.onSubscribe(new Subscription() {
                private final AtomicBoolean cancelled = new AtomicBoolean();

                @Override
                public void request(long n) {}

                @Override
                public void cancel() {
                    if (cancelled.compareAndSet(false, true)) {
                        cancels.incrementAndGet();
                    }
                }
            });
        }

        void emit() {
            last.get().onNext(lease);
            last.get().onComplete();
        }
    }

    private static final class Borrower implements CoreSubscriber<Lease> {

        private final AtomicReference<Lease> lease = new AtomicReference<>();
        private final AtomicInteger signals = new AtomicInteger();
        private final Disposable.Swap subscription = Disposables.swap();

        void cancel() {
            subscription.dispose();
        }

        @Override
        public void onSubscribe(Subscription upstream) {
            subscription.update(upstream::cancel);
            upstream.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(Lease value) {
            lease.set(value);
            signals.incrementAndGet();
        }

        @Override
        public void onError(Throwable error) {
            signals.incrementAndGet();
        }

        @Override
        public void onComplete() {}
    }
}
