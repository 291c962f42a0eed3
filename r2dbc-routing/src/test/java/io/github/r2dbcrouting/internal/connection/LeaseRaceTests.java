package io.github.r2dbcrouting.internal.connection;

import static io.github.r2dbcrouting.Interleavings.must;

import io.github.r2dbcrouting.Collisions;
import io.github.r2dbcrouting.fake.AtOnce;
import io.github.r2dbcrouting.fake.FakeConnection;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
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
        Collisions.allHold(() -> useAndTwoReleases(new Real()));
    }

    @Test
    void isGivenBackOnceWhileACommandIsSentAndCancelled() {
        Collisions.allHold(() -> {
            FakeConnection pooled = new FakeConnection(fixture.server);
            Lease lease = fixture.lease(new FakeConnection(fixture.server), pooled);
            Command command = new Command(pooled);
            AtomicInteger returned = new AtomicInteger();

            Collisions.together(
                    () -> {
                        Disposable use = Flux.from(new InUse<>(lease, command)).subscribe(value -> {}, error -> {});
                        use.dispose();
                    },
                    () -> {
                        var unused = lease.release().subscribe(never -> {}, error -> {}, returned::incrementAndGet);
                    });

            must(!command.tooLate.get(), "something was sent on a connection that is given back");
            must(pooled.closes() == 1, "it was given back " + pooled.closes() + " times");
            must(returned.get() == 1, "whoever released it hears nothing");
        });
    }

    @Test
    void isGivenBackOnceIfItIsReleasedDiscardedAndSevered() {
        Collisions.allHold(() -> {
            FakeConnection driver = new FakeConnection(fixture.server);
            FakeConnection pooled = new FakeConnection(fixture.server);
            Lease lease = fixture.lease(driver, pooled);

            Collisions.together(
                    () -> {
                        var unused = lease.release().subscribe();
                    },
                    () -> {
                        var unused = lease.discard().subscribe();
                    },
                    lease::sever);

            must(pooled.closes() == 1, "it was given back " + pooled.closes() + " times");
            must(driver.closes() > 0, "its connection is lent again");
        });
    }

    @Test
    @Tag("planted")
    void isCaughtIfItLooksWhetherItIsReleasedAndThenIsUsed() {
        Collisions.oneFails(() -> useAndTwoReleases(new Hasty()), "is given back");
    }

    @Test
    @Tag("planted")
    void isCaughtIfTheReleaseAndTheLastUseBothGiveItBack() {
        Collisions.oneFails(() -> useAndTwoReleases(new Twice()), "2 times");
    }

    private static void useAndTwoReleases(Returning lease) {
        AtomicBoolean tooLate = new AtomicBoolean();

        Collisions.together(
                () -> {
                    if (lease.enter()) {
                        if (lease.givenBack() > 0) {
                            tooLate.set(true);
                        }
                        lease.exit();
                    }
                },
                lease::release,
                lease::release);

        must(!tooLate.get(), "something was sent on a connection that is given back");
        must(lease.givenBack() == 1, "it was given back " + lease.givenBack() + " times");
    }

    /** What is used, and given back once. */
    private interface Returning {

        boolean enter();

        void exit();

        void release();

        int givenBack();
    }

    private static final class Real implements Returning {

        private final FakeConnection pooled = new FakeConnection(fixture.server);
        private final Lease lease = fixture.lease(new FakeConnection(fixture.server), pooled);

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
        public int givenBack() {
            return pooled.closes();
        }
    }

    /** Looks whether it is released, and counts the use then. */
    private static final class Hasty implements Returning {

        private final AtomicBoolean released = new AtomicBoolean();
        private final AtomicInteger uses = new AtomicInteger();
        private final AtomicInteger givenBack = new AtomicInteger();
        private final AtomicBoolean returned = new AtomicBoolean();

        @Override
        public boolean enter() {
            if (released.get()) {
                return false;
            }
            Collisions.dawdle();
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
            if (released.compareAndSet(false, true) && uses.get() == 0) {
                giveBack();
            }
        }

        private void giveBack() {
            if (returned.compareAndSet(false, true)) {
                givenBack.incrementAndGet();
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
                Collisions.dawdle();
                if (uses.get() == 0) {
                    givenBack.incrementAndGet();
                }
            }
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
