package io.github.r2dbcrouting.internal.connection;

import static io.github.r2dbcrouting.Interleavings.must;

import io.github.r2dbcrouting.Interleavings;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.fake.FakeConnection;
import io.github.r2dbcrouting.fake.FakeServer;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/** Whatever a pool opens while it ends is refused, or is closed unless somebody has it. */
@Tag("race")
class OpenConnectionsRaceTests {

    private static final FakeServer SERVER = new FakeServer("db0", ServerRole.PRIMARY);

    @Test
    void forgetsNoConnectionThatIsOpenedWhileItsPoolEnds() {
        Interleavings.allHold(() -> opensWhileItEnds(new Real()));
    }

    @Test
    @Tag("planted")
    void isCaughtIfItLooksWhetherThePoolHasEndedAndThenRemembersTheConnection() {
        Interleavings.oneFails(() -> opensWhileItEnds(new LooksThenAdds()), "stays open");
    }

    @Test
    @Tag("planted")
    void isCaughtIfItClosesTheConnectionsAndThenEnds() {
        Interleavings.oneFails(() -> opensWhileItEnds(new ClosesThenEnds()), "stays open");
    }

    /** One connection is opened, and may be had, while the pool ends and another one is open that is lent. */
    private static void opensWhileItEnds(Opened opened) {
        FakeConnection lentDriver = new FakeConnection(SERVER);
        PhysicalConnection lent = physical(lentDriver);
        FakeConnection driver = new FakeConnection(SERVER);
        PhysicalConnection connection = physical(driver);
        must(opened.add(lent), "it has ended too early");

        Interleavings.together(
                () -> {
                    if (!opened.add(connection)) {
                        var unused = Mono.from(connection.close()).subscribe();
                    }
                },
                () -> opened.end(other -> other == lent));

        must(driver.closes() > 0, "a connection that nobody has stays open");
        must(driver.closes() == 1, "a connection is closed more than once");
        must(lentDriver.closes() == 0, "a connection that somebody has is closed");
    }

    private static PhysicalConnection physical(FakeConnection driver) {
        return new PhysicalConnection(driver, SERVER.introduction(), 0, 0, new OpenConnections());
    }

    private interface Opened {

        boolean add(PhysicalConnection connection);

        void end(Predicate<PhysicalConnection> lent);
    }

    private static final class Real implements Opened {

        private final OpenConnections opened = new OpenConnections();

        @Override
        public boolean add(PhysicalConnection connection) {
            return opened.add(connection);
        }

        @Override
        public void end(Predicate<PhysicalConnection> lent) {
            opened.end();
            var unused = opened.closeUnless(lent).subscribe();
        }
    }

    private abstract static class Careless implements Opened {

        final Queue<PhysicalConnection> open = new ConcurrentLinkedQueue<>();
        final AtomicBoolean ended = new AtomicBoolean();

        void closeUnless(Predicate<PhysicalConnection> lent) {
            for (PhysicalConnection connection : open) {
                if (!lent.test(connection)) {
                    var unused = Mono.from(connection.close()).subscribe();
                }
            }
        }
    }

    private static final class LooksThenAdds extends Careless {

        @Override
        public boolean add(PhysicalConnection connection) {
            boolean first = !ended.get();
            open.add(connection);
            return first;
        }

        @Override
        public void end(Predicate<PhysicalConnection> lent) {
            ended.set(true);
            closeUnless(lent);
        }
    }

    private static final class ClosesThenEnds extends Careless {

        @Override
        public boolean add(PhysicalConnection connection) {
            open.add(connection);
            return !ended.get();
        }

        @Override
        public void end(Predicate<PhysicalConnection> lent) {
            closeUnless(lent);
            ended.set(true);
        }
    }
}
