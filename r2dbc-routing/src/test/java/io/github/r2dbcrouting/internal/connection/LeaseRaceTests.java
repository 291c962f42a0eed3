package io.github.r2dbcrouting.internal.connection;

import static io.github.r2dbcrouting.Interleavings.must;

import io.github.r2dbcrouting.Interleavings;
import io.github.r2dbcrouting.fake.AtOnce;
import io.github.r2dbcrouting.fake.FakeConnection;
import io.github.r2dbcrouting.internal.routing.FallbackBudget;
import io.github.r2dbcrouting.internal.routing.Permit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Schedulers;

/**
 * A lease is given back exactly once, after its last use, and nothing is sent on it from then on, whatever ends, cancels,
 * releases, discards and severs it at once.
 */
@Tag("race")
class LeaseRaceTests {

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
    void isGivenBackOnceAfterItsLastUse() {
        Interleavings.allHold(() -> usedWhileItIsReleased(Interleavings.given(Real::new)));
    }

    @Test
    void isGivenBackOnceByTwoWhoReleaseIt() {
        Interleavings.allHold(() -> releasedTwice(Interleavings.given(Real::new)));
    }

    @Test
    void isGivenBackOnceWhileACommandIsSentAndCancelled() {
        Interleavings.allHold(() -> {
            Real lent = Interleavings.given(Real::new);
            Command command = new Command(lent.pooled);
            AtomicInteger returned = new AtomicInteger();

            Interleavings.together(
                    () -> {
                        Disposable use =
                                Flux.from(new InUse<>(lent.lease, command)).subscribe(value -> {}, error -> {});
                        use.dispose();
                    },
                    () -> {
                        var unused =
                                lent.lease.release().subscribe(never -> {}, error -> {}, returned::incrementAndGet);
                    });

            must(!command.tooLate.get(), "something was sent on a connection that is given back");
            must(lent.givenBack() == 1, "it was given back " + lent.givenBack() + " times");
            must(returned.get() == 1, "whoever released it hears nothing");
        });
    }

    @Test
    void isClosedOnceIfItIsDiscardedAndSevered() {
        Interleavings.allHold(() -> {
            Real lent = Interleavings.given(Real::new);

            Interleavings.together(
                    () -> {
                        var unused = lent.lease.discard().subscribe();
                    },
                    lent.lease::sever);

            must(lent.givenBack() == 1, "it was given back " + lent.givenBack() + " times");
            must(lent.driver.closes() == 1, "its connection is lent again, or closed more than once");
        });
    }

    @Test
    void freesItsPlaceInTheBudgetWhetherItWasTakenBeforeOrAfterTheEnd() {
        Interleavings.allHold(() -> adoptsWhileItIsGivenBack(Interleavings.given(Real::new)));
    }

    @Test
    @Tag("planted")
    void isCaughtIfItLooksWhetherItIsOverAndThenTakesAPlace() {
        Interleavings.oneFails(() -> adoptsWhileItIsGivenBack(new Hasty()), "for ever");
    }

    @Test
    @Tag("planted")
    void isCaughtIfItLooksWhetherItIsReleasedAndThenIsUsed() {
        Interleavings.oneFails(() -> usedWhileItIsReleased(new Hasty()), "is given back");
    }

    @Test
    @Tag("planted")
    void isCaughtIfTheReleaseAndTheLastUseBothGiveItBack() {
        Interleavings.oneFails(() -> usedWhileItIsReleased(new Twice()), "2 times");
    }

    @Test
    @Tag("planted")
    void isCaughtIfItLooksWhetherItIsReleasedAndThenReleasesIt() {
        Interleavings.oneFails(() -> releasedTwice(new Hasty()), "2 times");
    }

    private static void usedWhileItIsReleased(Returning lease) {
        AtomicBoolean tooLate = new AtomicBoolean();

        Interleavings.together(
                () -> {
                    if (lease.enter()) {
                        if (lease.givenBack() > 0) {
                            tooLate.set(true);
                        }
                        lease.exit();
                    }
                },
                lease::release);

        must(!tooLate.get(), "something was sent on a connection that is given back");
        must(lease.givenBack() == 1, "it was given back " + lease.givenBack() + " times");
    }

    private static void releasedTwice(Returning lease) {
        Interleavings.together(lease::release, lease::release);

        must(lease.givenBack() == 1, "it was given back " + lease.givenBack() + " times");
    }

    private static void adoptsWhileItIsGivenBack(Returning lease) {
        FallbackBudget budget = new FallbackBudget(() -> 1, 1);
        AtomicReference<Permit> permit = new AtomicReference<>();
        var unused = budget.request(permit::set);

        Interleavings.together(() -> lease.adopt(permit.get()), lease::release);

        must(budget.inUse() == 0, "a place in the budget is taken for ever");
    }

    /** What is used, and given back once. */
    private interface Returning {

        boolean enter();

        void exit();

        void release();

        /** Takes a place in the budget over, which is free again when this is given back. */
        void adopt(Permit permit);

        int givenBack();
    }

    private static final class Real implements Returning {

        private final FakeConnection driver = new FakeConnection(fixture.server);
        private final FakeConnection pooled = new FakeConnection(fixture.server);
        private final Lease lease = fixture.lease(driver, pooled);

        @Override
        public boolean enter() {
            return lease.enter();
        }

        @Override
        public void exit() {
            lease.exit();
        }

        @Override
        public void release() {
            var unused = lease.release().subscribe();
        }

        @Override
        public void adopt(Permit permit) {
            lease.adopt(permit);
        }

        @Override
        public int givenBack() {
            return pooled.closes();
        }
    }

    /** Looks whether it is released, or over, and does something then. */
    private static final class Hasty implements Returning {

        private final AtomicBoolean released = new AtomicBoolean();
        private final AtomicInteger uses = new AtomicInteger();
        private final AtomicInteger givenBack = new AtomicInteger();
        private final AtomicReference<Permit> adopted = new AtomicReference<>();

        @Override
        public boolean enter() {
            if (released.get()) {
                return false;
            }
            uses.incrementAndGet();
            return true;
        }

        @Override
        public void exit() {
            if (uses.decrementAndGet() == 0 && released.get()) {
                giveBack();
            }
        }

        @Override
        public void release() {
            if (!released.get()) {
                released.set(true);
                if (uses.get() == 0) {
                    giveBack();
                }
            }
        }

        @Override
        public void adopt(Permit permit) {
            if (givenBack.get() > 0) {
                permit.release();
            } else {
                adopted.set(permit);
            }
        }

        private void giveBack() {
            givenBack.incrementAndGet();
            Permit permit = adopted.get();
            if (permit != null) {
                permit.release();
            }
        }

        @Override
        public int givenBack() {
            return givenBack.get();
        }
    }

    /** Notes that it is released, and both who released it and its last use see that nothing uses it. */
    private static final class Twice implements Returning {

        private final AtomicBoolean released = new AtomicBoolean();
        private final AtomicInteger uses = new AtomicInteger();
        private final AtomicInteger givenBack = new AtomicInteger();

        @Override
        public boolean enter() {
            uses.incrementAndGet();
            if (released.get()) {
                uses.decrementAndGet();
                return false;
            }
            return true;
        }

        @Override
        public void exit() {
            if (uses.decrementAndGet() == 0 && released.get()) {
                givenBack.incrementAndGet();
            }
        }

        @Override
        public void release() {
            if (released.compareAndSet(false, true)) {
                if (uses.get() == 0) {
                    givenBack.incrementAndGet();
                }
            }
        }

        @Override
        public void adopt(Permit permit) {
            throw new UnsupportedOperationException("takes no place");
        }

        @Override
        public int givenBack() {
            return givenBack.get();
        }
    }

    /** Is sent when it is subscribed, and is never answered. */
    private static final class Command implements Publisher<Object> {

        private final FakeConnection connection;
        private final AtomicBoolean tooLate = new AtomicBoolean();

        Command(FakeConnection connection) {
            this.connection = connection;
        }

        @Override
        public void subscribe(Subscriber<? super Object> subscriber) {
            subscriber.onSubscribe(new Subscription() {
                @Override
                public void request(long n) {}

                @Override
                public void cancel() {}
            });
            // as the driver does, at the end of the call
            if (connection.closes() > 0) {
                tooLate.set(true);
            }
        }
    }
}
