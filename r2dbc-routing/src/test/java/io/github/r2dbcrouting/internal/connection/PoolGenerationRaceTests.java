package io.github.r2dbcrouting.internal.connection;

import static io.github.r2dbcrouting.Interleavings.must;

import io.github.r2dbcrouting.Collisions;
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
        Collisions.allHold(() -> lendWhileItEnds(new Real()));
    }

    @Test
    void closesWhatIsGivenBackWhileItEnds() {
        Collisions.allHold(() -> giveBackWhileItEnds(new Real()));
    }

    @Test
    void leavesNoPoolOpenThatBeginsWhileTheRouterIsClosed() {
        Collisions.allHold(() -> {
            Real pool = new Real();
            Collisions.together(pool::end, pool::close);
            must(pool.pool.pool().isDisposed(), "a pool stays open");
            must(pool.server.stillOpen() == 0, "a connection stays open");
        });
    }

    @Test
    @Tag("planted")
    void isCaughtIfItLooksWhetherItHasEndedAndThenLends() {
        Collisions.oneFails(() -> lendWhileItEnds(new LooksThenLends()), "goes on");
    }

    @Test
    @Tag("planted")
    void isCaughtIfItLooksWhetherItHasEndedAndThenKeepsWhatComesBack() {
        Collisions.oneFails(() -> giveBackWhileItEnds(new LooksThenLends()), "stays open");
    }

    private static void lendWhileItEnds(Generation generation) {
        Collisions.together(generation::lend, generation::end);

        must(generation.answers() == 1, "a borrower hears " + generation.answers() + " times");
        must(generation.open() == 0, "a connection to the life before goes on");
        generation.giveBack();
        must(generation.lent() == 0, generation.lent() + " places in the pool are lost");
    }

    private static void giveBackWhileItEnds(Generation generation) {
        generation.lend();

        Collisions.together(generation::giveBack, generation::end);

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
            ServerState state = state();
            pool.published(new RoutingTable(1, List.of(state), null, "7", null, RoutingTable.NOBODY), 0);
        }

        private ServerState state() {
            return new ServerState(
                    0, "db0", List.of(), server.role, ServerStatus.UP, server.at(), server.identity(), 0, false, null);
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
            server.startedAt = "again";
            publish();
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
                Collisions.dawdle();
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
                    Collisions.dawdle();
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
