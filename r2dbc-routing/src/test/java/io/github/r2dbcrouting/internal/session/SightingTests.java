package io.github.r2dbcrouting.internal.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import reactor.test.StepVerifier;

class SightingTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final String CLUSTER = "7";
    private static final ServerIdentity ONE = new ServerIdentity(CLUSTER, "one");
    private static final ServerIdentity OTHER = new ServerIdentity(CLUSTER, "other");

    private final SessionState session = new SessionState();
    private final AskedFloors floors = new AskedFloors();

    @Test
    void isThereFromBeforeTheReadIsSent() {
        OpenRead read = read(ONE, 5);

        assertThat(session.seen(CLUSTER)).singleElement().satisfies(sighting -> {
            assertThat(sighting.identity()).isEqualTo(ONE);
            assertThat(sighting.running()).isEqualTo(1);
        });
        read.ended(floors.tick());
        assertThat(session.seen(CLUSTER).get(0).running()).isZero();
        assertThat(session.hasPending(CLUSTER)).isFalse();
        assertThat(session.seen("8")).isEmpty();
    }

    @Test
    void includesConnectionsThatWereOpenWhenAnAnsweredReadWasSent() {
        floors.now = 100;
        read(ONE, 5).ended(200);

        Sighting sighting = session.seen(CLUSTER).get(0);

        assertThat(sighting.includes(ONE, 99)).isTrue();
        assertThat(sighting.includes(ONE, 100)).isFalse();
        assertThat(sighting.includes(ONE, 150)).isFalse();
        assertThat(sighting.includes(OTHER, 99)).isFalse();
    }

    @Test
    void includesNoNewerConnectionsWhereTheReadWasNotAnswered() {
        floors.now = 100;
        read(ONE, 5).brokenOff(200);

        Sighting sighting = session.seen(CLUSTER).get(0);

        assertThat(sighting.includes(ONE, 4)).isTrue();
        assertThat(sighting.includes(ONE, 50)).isFalse();
        assertThat(sighting.seenAt()).isEqualTo(200);
    }

    @Test
    void isOneForAllReadsInALifeAndAnotherForEachOther() {
        floors.now = 100;
        read(ONE, 5).ended(110);
        read(ONE, 50).ended(120);
        assertThat(session.seen(CLUSTER)).hasSize(1);

        read(ONE, 115).ended(130);
        read(OTHER, 5).ended(140);

        assertThat(session.seen(CLUSTER)).hasSize(3);
    }

    @Test
    void asksForNoFloorUntilItIsNeeded() {
        read(ONE, 5).ended(floors.tick());

        assertThat(floors.asked).isEmpty();
        StepVerifier.create(session.floors(CLUSTER))
                .expectSubscription()
                .then(() -> assertThat(floors.asked).hasSize(1))
                .then(() -> floors.asked.get(0).settle(token(50), floors.tick()))
                .expectComplete()
                .verify(LIMIT);
        assertThat(session.seen(CLUSTER)).isEmpty();
        assertThat(session.required(CLUSTER)).containsExactly(position(50));
    }

    @Test
    void takesAFloorOnlyFromALaterSampleOfTheSameLife() {
        floors.now = 100;
        read(ONE, 5).ended(200);
        askForFloors();

        SightedFloor floor = floors.asked.get(0);

        assertThat(floor.placedBy(99, 201)).isTrue();
        assertThat(floor.placedBy(99, 200)).isFalse();
        assertThat(floor.placedBy(100, 201)).isFalse();
        assertThat(floor.replica()).isEqualTo(ONE);
        assertThat(floor.mayHaveWritten()).isFalse();
    }

    @Test
    void staysWhileAReadIsUnderWayThoughItsFloorIsLearnt() {
        OpenRead read = read(ONE, 5);
        long before = floors.now;

        StepVerifier.create(session.token())
                .expectSubscription()
                .then(() -> assertThat(floors.asked.get(0).placedBy(4, before)).isFalse())
                .then(() -> floors.asked.get(0).settle(token(50), floors.tick()))
                .expectNext(token(50))
                .expectComplete()
                .verify(LIMIT);

        assertThat(session.seen(CLUSTER)).hasSize(1);
        read.ended(floors.tick());
        assertThat(session.seen(CLUSTER)).hasSize(1);
    }

    @Test
    void staysIfAnotherReadEndedMeanwhile() {
        read(ONE, 5).ended(floors.tick());
        askForFloors();
        read(ONE, 5).ended(floors.tick());

        floors.asked.get(0).settle(token(50), floors.tick());

        assertThat(session.seen(CLUSTER)).hasSize(1);
        assertThat(session.required(CLUSTER)).containsExactly(position(50));
    }

    @Test
    void giveWayToThePositionOfALaterWrite() {
        read(ONE, 5).ended(floors.tick());
        PendingWrite write = session.begin(CLUSTER, false, () -> {});
        OpenRead running = read(OTHER, 5);

        write.settle(token(50), floors.tick());

        assertThat(session.seen(CLUSTER)).extracting(Sighting::identity).containsExactly(OTHER);
        running.ended(floors.tick());
    }

    @Test
    void doNotGiveWayToAPositionThatWasAskedForBefore() {
        PendingWrite write = session.begin(CLUSTER, false, () -> {});
        long sentAt = floors.tick();
        read(ONE, 5).ended(floors.tick());

        write.settle(token(50), sentAt);

        assertThat(session.seen(CLUSTER)).hasSize(1);
    }

    /** The position is one of a primary whose history need not have what was seen. */
    @Test
    void doNotGiveWayToAPositionOfAnotherHistory() {
        read(ONE, 5).ended(floors.tick());
        PendingWrite write = session.begin(CLUSTER, false, () -> {});
        floors.partedAt = floors.tick();
        floors.tick();
        read(OTHER, 5).ended(floors.tick());

        write.settle(token(50), floors.tick());

        assertThat(session.seen(CLUSTER)).extracting(Sighting::identity).containsExactly(ONE);
    }

    @Test
    void asksForAPositionNowWhileAReadOnThePrimaryIsUnderWay() {
        PendingWrite read = session.beginRead(CLUSTER, false, () -> {}, floors);

        StepVerifier.create(session.token())
                .expectSubscription()
                .then(() -> assertThat(floors.asked.get(0).replica()).isNull())
                .then(() -> floors.asked.get(0).settle(token(50), floors.tick()))
                .expectNext(token(50))
                .expectComplete()
                .verify(LIMIT);
        assertThat(session.hasPending(CLUSTER)).isFalse();
        assertThat(session.hasPendingReads(CLUSTER)).isTrue();
        read.end();
        read.settle(token(60), floors.tick());
        assertThat(session.observed()).isEqualTo(token(60));
    }

    /** Whoever reads from a replica next must not un-see it. */
    @Test
    void waitForWhatWasSeenOnThePrimaryAsWell() {
        PendingWrite read = session.beginRead(CLUSTER, false, () -> {}, floors);
        PendingWrite elsewhere = session.beginRead("8", false, () -> {}, floors);
        read.end();
        elsewhere.end();

        StepVerifier.create(session.floors(CLUSTER))
                .expectSubscription()
                .expectNoEvent(Duration.ofMillis(1))
                .then(() -> read.settle(token(50), floors.tick()))
                .expectComplete()
                .verify(LIMIT);
        assertThat(session.required(CLUSTER)).containsExactly(position(50));
        assertThat(session.hasPendingReads("8")).isTrue();
    }

    @Test
    void tellWhoeverSawItThatItMayBeLost() {
        session.tellLostWrites();
        read(ONE, 5).ended(floors.tick());
        askForFloors();

        floors.asked.get(0).lost();

        assertThat(session.takeLost()).isTrue();
    }

    static List<Long> seeds() {
        return new Random().longs(20).boxed().toList();
    }

    /**
     * Servers go on and crash, reads and writes of a session begin and end, floors and captures arrive in any order: what
     * may be read from is never behind what was seen or written.
     */
    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void neverLetsReadFromWhatIsBehind(long seed) {
        World world = new World(new Random(seed));

        for (int step = 0; step < 10_000; step++) {
            world.step();
        }

        assertThat(world.served).as("reads on replicas").isGreaterThan(50);
    }

    private void askForFloors() {
        var unused = session.floors(CLUSTER).toFuture();
    }

    private OpenRead read(ServerIdentity server, long openedAt) {
        return session.beginRead(floors, server, openedAt, floors.now);
    }

    private static CausalToken token(long lsn) {
        return CausalToken.of(List.of(position(lsn)));
    }

    private static Position position(long lsn) {
        return new WalPosition(CLUSTER, 1, lsn);
    }

    /** A primary, two replicas that lag and crash, and a session that reads and writes; time passes with each step. */
    private static final class World {

        private static final class Replica {
            private final ServerIdentity identity;
            private long at = 1;
            private final List<Long> connections = new ArrayList<>();
            private long monitorOpenedAt;

            private Replica(String name) {
                identity = new ServerIdentity(CLUSTER, name);
            }
        }

        private record Reading(OpenRead read, Replica replica, long openedAt, long shown) {}

        private record Writing(PendingWrite write, long lsn) {}

        private final Random random;
        private final AskedFloors floors = new AskedFloors();
        private final SessionState session = new SessionState();
        private final List<Replica> replicas = List.of(new Replica("one"), new Replica("other"));
        private final List<Reading> reading = new ArrayList<>();
        private final List<Writing> writing = new ArrayList<>();
        private long primary = 1;
        private long floor;
        private int served;

        private World(Random random) {
            this.random = random;
        }

        private void step() {
            floors.tick();
            Replica replica = replicas.get(random.nextInt(2));
            switch (random.nextInt(10)) {
                case 0 -> primary++;
                case 1, 2 -> replica.at = Math.min(primary, replica.at + random.nextInt(20));
                case 3 -> connect(replica);
                case 4, 5 -> read(replica);
                case 6 -> endRead();
                case 7 -> {
                    if (random.nextInt(4) == 0) {
                        write();
                    }
                }
                case 8 -> capture();
                default -> {
                    if (random.nextInt(4) == 0) {
                        crash(replica);
                    } else {
                        learnFloors();
                    }
                }
            }
        }

        private void connect(Replica replica) {
            if (replica.monitorOpenedAt == 0) {
                replica.monitorOpenedAt = floors.now;
            }
            replica.connections.add(floors.now);
        }

        private void crash(Replica replica) {
            replica.at = Math.max(1, replica.at - random.nextInt(100));
            replica.connections.clear();
            replica.monitorOpenedAt = 0;
        }

        /** As the router and the check of a lease do. */
        private void read(Replica replica) {
            if (replica.connections.isEmpty() || session.hasPending(CLUSTER)) {
                return;
            }
            long openedAt = replica.connections.get(random.nextInt(replica.connections.size()));
            List<Sighting> seen = session.seen(CLUSTER);
            boolean stays = seen.stream().allMatch(sighting -> sighting.includes(replica.identity, openedAt));
            boolean covers = session.required(CLUSTER).stream()
                    .allMatch(required -> position(replica.at).covers(required));
            if (stays && covers) {
                assertThat(replica.at)
                        .as("where a read is served, against what the session knows")
                        .isGreaterThanOrEqualTo(floor);
                reading.add(new Reading(
                        session.beginRead(floors, replica.identity, openedAt, floors.now), replica, openedAt, 0));
                served++;
            } else if (random.nextInt(3) == 0) {
                var unused = session.floors(CLUSTER).toFuture();
            }
        }

        /** It is answered with what the replica has by then, and that may be read long after the replica has crashed. */
        private void endRead() {
            if (reading.isEmpty()) {
                return;
            }
            int n = random.nextInt(reading.size());
            Reading one = reading.get(n);
            if (one.shown > 0) {
                floor = Math.max(floor, one.shown);
                one.read.ended(floors.now);
                reading.remove(n);
            } else if (one.replica.connections.contains(one.openedAt)) {
                reading.set(n, new Reading(one.read, one.replica, one.openedAt, one.replica.at));
            } else {
                one.read.brokenOff(floors.now);
                reading.remove(n);
            }
        }

        private void write() {
            PendingWrite write = session.begin(CLUSTER, false, () -> {});
            writing.add(new Writing(write, ++primary));
            floor = Math.max(floor, primary);
            write.end();
        }

        private void capture() {
            long sentAt = floors.now;
            CausalToken token = token(primary);
            writing.forEach(writing -> writing.write.settle(token, sentAt));
            writing.clear();
        }

        /** As the monitor does: a sample of the same life if there is one, else the primary's position. */
        private void learnFloors() {
            for (SightedFloor asked : floors.asked) {
                Replica replica = replicas.stream()
                        .filter(one -> one.identity.equals(asked.replica()))
                        .findFirst()
                        .orElseThrow();
                boolean sameLife =
                        replica.monitorOpenedAt != 0 && asked.placedBy(replica.monitorOpenedAt, floors.now + 1);
                asked.settle(token(sameLife ? replica.at : primary), floors.now + 1);
            }
            floors.asked.clear();
        }
    }
}
