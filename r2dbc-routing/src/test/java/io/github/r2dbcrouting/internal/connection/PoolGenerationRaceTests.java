package io.github.r2dbcrouting.internal.connection;

import static io.github.r2dbcrouting.Interleavings.must;

import io.github.r2dbcrouting.Interleavings;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.fake.AtOnce;
import io.github.r2dbcrouting.fake.FakeConnection;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import reactor.core.scheduler.Schedulers;

/**
 * No connection of a generation that has ended stays open, lent or given back, and each borrower hears once of a lease or
 * of an error, while a primary is restarted and the router is closed.
 */
@Tag("race")
class PoolGenerationRaceTests {

    /** What pools refer to, and does not change. */
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
    void lendsNothingOfTheLifeBeforeThatIsNotClosed() {
        Interleavings.allHoldInAPool(() -> lendWhileItEnds(Interleavings.given(Real::new)));
    }

    @Test
    void closesWhatIsGivenBackWhileItEnds() {
        Interleavings.allHoldInAPool(() -> giveBackWhileItEnds(Interleavings.given(Real::new)));
    }

    @Test
    void leavesNoPoolOpenThatBeginsWhileTheRouterIsClosed() {
        Interleavings.allHoldInAPool(() -> {
            Real pool = Interleavings.given(Real::new);
            Interleavings.together(pool::end, pool::close);
            must(pool.pool.pool().isDisposed(), "a pool stays open");
            must(pool.server.stillOpen() == 0, "a connection stays open");
        });
    }

    @Test
    void lendsNothingOfTheLivesBeforeIfTheServerIsRestartedTwice() {
        Interleavings.allHoldInAPool(() -> {
            Real pool = Interleavings.given(Real::new);
            Interleavings.together(pool::lend, () -> {
                pool.end();
                pool.end();
            });
            must(pool.answers() == 1, "a borrower hears " + pool.answers() + " times");
            must(pool.open() == 0, "a connection to a life before goes on");
        });
    }

    @Test
    void lendsNothingOfAServerOnceItIsRemoved() {
        Interleavings.allHoldInAPool(() -> {
            Real pool = Interleavings.given(Real::new);
            Interleavings.together(pool::lend, pool::remove);
            must(pool.answers() == 1, "a borrower hears " + pool.answers() + " times");
            int lent = pool.lent();

            pool.lend();

            must(pool.answers() == 2, "a borrower hears " + (pool.answers() - 1) + " times");
            must(pool.lent() == lent, "it is lent after it was removed");
            pool.giveBack();
            must(pool.lent() == 0, pool.lent() + " places in the pool are lost");
            pool.closedOnce();
        });
    }

    @Test
    void closesWhatIsGivenBackWhileItsServerIsRemoved() {
        Interleavings.allHoldInAPool(() -> {
            Real pool = Interleavings.given(Real::new);
            pool.lend();
            Interleavings.together(pool::giveBack, pool::remove);
            must(pool.lent() == 0, pool.lent() + " places in the pool are lost");
            pool.closedOnce();
        });
    }

    @Test
    @Tag("planted")
    void isCaughtIfItLooksWhetherItHasEndedAndThenLends() {
        Interleavings.oneFails(() -> lendWhileItEnds(new LooksThenLends()), "goes on");
    }

    @Test
    @Tag("planted")
    void isCaughtIfItLooksWhetherItHasEndedAndThenKeepsWhatComesBack() {
        Interleavings.oneFails(() -> giveBackWhileItEnds(new LooksThenLends()), "stays open");
    }

    private static void lendWhileItEnds(Generation generation) {
        Interleavings.together(generation::lend, generation::end);

        must(generation.answers() == 1, "a borrower hears " + generation.answers() + " times");
        must(generation.open() == 0, "a connection to the life before goes on");
        generation.giveBack();
        must(generation.lent() == 0, generation.lent() + " places in the pool are lost");
    }

    private static void giveBackWhileItEnds(Generation generation) {
        generation.lend();

        Interleavings.together(generation::giveBack, generation::end);

        must(generation.open() == 0, "a connection stays open");
        must(generation.lent() == 0, generation.lent() + " places in the pool are lost");
    }

    /** Lends one connection at most of one life of a primary. */
    private interface Generation {

        void lend();

        void giveBack();

        void end();

        /** What the borrower has heard. */
        int answers();

        /** How many connections to that life are open. */
        int open();

        int lent();
    }

    private static final class Real implements Generation {

        private final FakeServer server = new FakeServer("db0", ServerRole.PRIMARY);
        private final Queue<Lease> leases = new ConcurrentLinkedQueue<>();
        private final Queue<Lease> lent = new ConcurrentLinkedQueue<>();
        private final AtomicInteger answers = new AtomicInteger();
        private final AtomicInteger lives = new AtomicInteger();
        private final ServerPool pool = new ServerPool(
                "db0",
                server,
                fixture.engine,
                fixture.monitor,
                Safeguards.all(),
                Duration.ofSeconds(5),
                configuration -> {});

        Real() {
            publish();
        }

        private void publish() {
            publish(state());
        }

        private void publish(ServerState state) {
            pool.published(new RoutingTable(1, List.of(state), null, "7", null, RoutingTable.NOBODY), 0);
        }

        private ServerState state() {
            return state(ServerStatus.UP);
        }

        private ServerState state(ServerStatus status) {
            return new ServerState(
                    0, "db0", List.of(), server.role, status, server.at(), server.identity(), 0, false, null);
        }

        @Override
        public void lend() {
            var unused = pool.lend(state())
                    .subscribe(
                            lease -> {
                                leases.add(lease);
                                lent.add(lease);
                                answers.incrementAndGet();
                            },
                            error -> answers.incrementAndGet());
        }

        @Override
        public void giveBack() {
            for (Lease lease = leases.poll(); lease != null; lease = leases.poll()) {
                var unused = lease.release().subscribe();
            }
        }

        @Override
        public void end() {
            server.startedAt = "life " + lives.incrementAndGet();
            publish();
        }

        void remove() {
            publish(state(ServerStatus.REMOVED));
        }

        /** Nothing is lent any more, and nothing of it shall be left. */
        void closedOnce() {
            for (FakeConnection connection : server.opened()) {
                must(connection.closes() > 0, "a connection stays open");
                must(connection.closes() == 1, "a connection is closed " + connection.closes() + " times");
            }
        }

        void close() {
            var unused = pool.close().subscribe();
        }

        @Override
        public int answers() {
            return answers.get();
        }

        @Override
        public int open() {
            int open = 0;
            for (Lease lease : lent) {
                boolean ofTheLifeBefore =
                        !lease.physical().introduction().identity().equals(server.identity());
                if (ofTheLifeBefore && ((FakeConnection) lease.connection()).closes() == 0) {
                    open++;
                }
            }
            return open;
        }

        @Override
        public int lent() {
            return pool.lent().get();
        }
    }

    /** One connection, which is lent or idle, in a generation that looks whether it has ended and does something then. */
    private static final class LooksThenLends implements Generation {

        private final AtomicBoolean ended = new AtomicBoolean();
        private final AtomicReference<AtomicBoolean> lent = new AtomicReference<>();
        private final AtomicReference<AtomicBoolean> idle = new AtomicReference<>(new AtomicBoolean(true));
        private final AtomicInteger answers = new AtomicInteger();
        private final AtomicBoolean connection = idle.get();

        @Override
        public void lend() {
            if (!ended.get()) {
                AtomicBoolean taken = idle.getAndSet(null);
                lent.set(taken);
            }
            answers.incrementAndGet();
        }

        @Override
        public void giveBack() {
            AtomicBoolean back = lent.getAndSet(null);
            if (back != null) {
                if (ended.get()) {
                    back.set(false);
                } else {
                    idle.set(back);
                }
            }
        }

        @Override
        public void end() {
            ended.set(true);
            close(idle.getAndSet(null));
            close(lent.get());
        }

        private static void close(AtomicBoolean open) {
            if (open != null) {
                open.set(false);
            }
        }

        @Override
        public int answers() {
            return answers.get();
        }

        @Override
        public int open() {
            return connection.get() ? 1 : 0;
        }

        @Override
        public int lent() {
            return lent.get() == null ? 0 : 1;
        }
    }
}
