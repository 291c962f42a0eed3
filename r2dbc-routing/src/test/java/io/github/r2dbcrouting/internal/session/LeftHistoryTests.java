package io.github.r2dbcrouting.internal.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Unresolved;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

/** What a session did or saw, and has no position of, may be gone with the history, or the life, that it was done in. */
class LeftHistoryTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final String CLUSTER = "7";
    private static final String ELSEWHERE = "8";
    private static final ServerIdentity PRIMARY = new ServerIdentity(CLUSTER, "primary");
    private static final ServerIdentity NEXT = new ServerIdentity(CLUSTER, "next");
    private static final ServerIdentity REPLICA = new ServerIdentity(CLUSTER, "replica");
    private static final long SENT = 100;

    private final SessionState session = new SessionState();
    private final AtomicInteger awaited = new AtomicInteger();
    private final AskedFloors floors = new AskedFloors();

    // ---- on an earlier branch

    @Test
    void waitsForWhatEndedOnAnEarlierBranch() {
        PendingWrite write = ended(begin(CLUSTER, on(1)));

        assertThat(session.endedBefore(CLUSTER, 2)).isTrue();
        completesWith(session.settledBefore(CLUSTER, 2), write);
        assertThat(session.endedBefore(CLUSTER, 2)).isFalse();
    }

    /** Its connection was lost with the server: what it has shown before may be lost, whatever still goes on there. */
    @Test
    void waitsForWhatWasLostFromSightOnAnEarlierBranch() {
        PendingWrite write = begin(CLUSTER, on(1));
        write.outOfSight();

        assertThat(session.endedBefore(CLUSTER, 2)).isTrue();
        assertThat(session.endedBefore(CLUSTER, 1)).isFalse();
    }

    @Test
    void waitsForWhatWasLostFromSightOnlyBeforeItIsServedByAnotherServer() {
        PendingWrite write = sent(begin(CLUSTER, on(1)), PRIMARY);
        assertThat(session.mayMissOn(CLUSTER, NEXT, SENT + 1, 1, LeftHistoryTests::never))
                .isFalse();

        write.outOfSight();

        assertThat(session.mayMissOn(CLUSTER, NEXT, SENT + 1, 1, LeftHistoryTests::never))
                .isTrue();
        assertThat(session.mayMissOn(CLUSTER, PRIMARY, SENT + 1, 1, LeftHistoryTests::never))
                .as("it may be under way there for long, and nobody was told that it took place")
                .isFalse();
    }

    /** What it has shown by now is of the history that was followed when it was sent, not when somebody asks. */
    @Test
    void asksForThePositionOfAReadThatIsUnderWayAsOfWhenItWasSent() {
        floors.now = SENT + 50;
        PendingWrite read = session.beginRead(CLUSTER, false, awaited::incrementAndGet, floors);
        read.sentTo(PRIMARY, SENT);

        var unused = session.floors(CLUSTER).subscribe();

        assertThat(floors.asked).singleElement().satisfies(floor -> {
            assertThat(floor.askedAt()).isEqualTo(SENT);
            assertThat(floor.placedBy(0, SENT + 50)).isFalse();
            assertThat(floor.placedBy(0, SENT + 51)).isTrue();
        });
    }

    @Test
    void waitsForNothingThatEndedOnThisBranchOrOnALaterOne() {
        ended(begin(CLUSTER, on(2)));
        ended(begin(CLUSTER, on(3)));

        assertThat(session.endedBefore(CLUSTER, 2)).isFalse();
        completesAtOnce(session.settledBefore(CLUSTER, 2));
    }

    @Test
    void waitsForNothingThatGoesOnOrOfWhichNoBranchIsKnown() {
        begin(CLUSTER, on(1));
        ended(begin(CLUSTER, null));

        assertThat(session.endedBefore(CLUSTER, 2)).isFalse();
        completesAtOnce(session.settledBefore(CLUSTER, 2));
    }

    @Test
    void waitsForNothingOfAnotherCluster() {
        ended(begin(ELSEWHERE, new WalPosition(ELSEWHERE, 1, 5)));

        assertThat(session.endedBefore(CLUSTER, 2)).isFalse();
        assertThat(session.endedBefore(ELSEWHERE, 2)).isTrue();
    }

    /** What replicas showed is judged by when it was asked for. */
    @Test
    void waitsForNothingSeenBecauseOfABranch() {
        session.beginRead(floors, REPLICA, 5, 10).ended(20);

        completesAtOnce(session.settledBefore(CLUSTER, 2));
        assertThat(floors.asked).isEmpty();
    }

    // ---- on a connection that leads elsewhere, or is newer

    @Test
    void mayMissWhatWasDoneOnAnotherServer() {
        PendingWrite write = ended(sent(begin(CLUSTER, on(1)), PRIMARY));

        assertThat(session.mayMissOn(CLUSTER, NEXT, SENT - 1, 1, LeftHistoryTests::never))
                .isTrue();
        completesWith(session.settledBeside(CLUSTER, NEXT, SENT - 1, 1, LeftHistoryTests::never), write);
    }

    @Test
    void mayMissOnAConnectionThatIsNotSurelyOlderThanTheWrite() {
        ended(sent(begin(CLUSTER, on(1)), PRIMARY));

        assertThat(session.mayMissOn(CLUSTER, PRIMARY, SENT, 1, LeftHistoryTests::never))
                .isTrue();
        assertThat(session.mayMissOn(CLUSTER, PRIMARY, SENT + 1, 1, LeftHistoryTests::never))
                .isTrue();
        assertThat(session.mayMissOn(CLUSTER, PRIMARY, SENT - 1, 1, LeftHistoryTests::never))
                .isFalse();
        completesAtOnce(session.settledBeside(CLUSTER, PRIMARY, SENT - 1, 1, LeftHistoryTests::never));
    }

    @Test
    void missesNothingThatGoesOnStill() {
        sent(begin(CLUSTER, on(1)), PRIMARY);

        assertThat(session.mayMissOn(CLUSTER, NEXT, SENT - 1, 2, LeftHistoryTests::never))
                .isFalse();
    }

    @Test
    void missesNothingOfAnotherCluster() {
        ended(sent(begin(ELSEWHERE, on(1)), PRIMARY));

        assertThat(session.mayMissOn(CLUSTER, NEXT, SENT - 1, 2, LeftHistoryTests::never))
                .isFalse();
    }

    /** Of what came from another process only the branch is known. */
    @Test
    void mayMissWhatCameFromAnotherProcessOnAnotherBranchOnly() {
        session.observe(unresolved(on(1)));
        assertThat(session.takeOver(CLUSTER, awaited::incrementAndGet, 0, null)).isNotNull();

        assertThat(session.mayMissOn(CLUSTER, NEXT, SENT, 2, LeftHistoryTests::never))
                .isTrue();
        assertThat(session.mayMissOn(CLUSTER, NEXT, SENT, 1, LeftHistoryTests::never))
                .isFalse();
    }

    @Test
    void missesNothingThatCameWithoutABranch() {
        session.observe(unresolved(null));
        assertThat(session.takeOver(CLUSTER, awaited::incrementAndGet, 0, null)).isNotNull();

        assertThat(session.mayMissOn(CLUSTER, NEXT, SENT, 2, LeftHistoryTests::never))
                .isFalse();
    }

    // ---- seen on a replica, while another history was followed

    @Test
    void mayMissWhatItSawWhileAnotherHistoryWasFollowed() {
        session.beginRead(floors, REPLICA, 5, 10).ended(20);

        assertThat(session.mayMissOn(CLUSTER, PRIMARY, SENT, 1, time -> time < 15))
                .isTrue();
        assertThat(session.sawWhile(CLUSTER, time -> time < 15)).isTrue();
        StepVerifier.create(session.settledBeside(CLUSTER, PRIMARY, SENT, 1, time -> time < 15))
                .expectSubscription()
                .then(() -> {
                    SightedFloor floor = floors.asked.get(0);
                    assertThat(floor.askedAt()).isEqualTo(10);
                    floor.settle(CausalToken.of(List.of(on(1))), 30);
                })
                .expectComplete()
                .verify(LIMIT);
        assertThat(session.sawWhile(CLUSTER, time -> time < 15)).isFalse();
    }

    @Test
    void missesNothingThatItSawOfTheHistoryThatIsFollowed() {
        session.beginRead(floors, REPLICA, 5, 10).ended(20);

        assertThat(session.sawWhile(CLUSTER, time -> time < 10)).isFalse();
        assertThat(session.mayMissOn(CLUSTER, PRIMARY, SENT, 1, time -> time < 10))
                .isFalse();
        completesAtOnce(session.settledBeside(CLUSTER, PRIMARY, SENT, 1, time -> time < 10));
        assertThat(floors.asked).isEmpty();
    }

    @Test
    void missesNothingThatItSawOfAnotherCluster() {
        session.beginRead(floors, REPLICA, 5, 10).ended(20);

        assertThat(session.sawWhile(ELSEWHERE, time -> true)).isFalse();
    }

    // ---- beyond the branch that is followed here

    @Test
    void knowsByAPositionOfALaterBranch() {
        session.observe(CausalToken.of(List.of(on(3))));

        assertThat(session.knowsBeyond(CLUSTER, 2)).isTrue();
        assertThat(session.knowsBeyond(CLUSTER, 3)).isFalse();
        assertThat(session.knowsBeyond(ELSEWHERE, 2)).isFalse();
    }

    @Test
    void knowsByWhatCameUnresolvedOfALaterBranch() {
        session.observe(unresolved(on(3)));

        assertThat(session.knowsBeyond(CLUSTER, 2)).isTrue();
        assertThat(session.knowsBeyond(CLUSTER, 3)).isFalse();
        assertThat(session.knowsBeyond(ELSEWHERE, 2)).isFalse();
    }

    @Test
    void doesNotKnowByWhatCameWithoutABranch() {
        session.observe(unresolved(null));

        assertThat(session.knowsBeyond(CLUSTER, 0)).isFalse();
    }

    // ---- what can be waited for

    @Test
    void settlesOnlyWhatItDidItself() {
        session.observe(unresolved(on(1)));
        assertThat(session.hasPending(CLUSTER)).isTrue();
        assertThat(session.settlesIn(CLUSTER)).isFalse();

        begin(CLUSTER, on(1));

        assertThat(session.settlesIn(CLUSTER)).isTrue();
        assertThat(session.settlesIn(ELSEWHERE)).isFalse();
    }

    @Test
    void tellsOfALossAlsoWhereAWindowOfItsOwnWasArranged() {
        session.primaryFor(Duration.ofHours(1).toNanos());
        session.tellLostWrites();

        begin(CLUSTER, on(1)).lost();

        assertThat(session.takeLost()).isTrue();
        assertThat(session.takeLost()).isFalse();
        assertThat(session.wroteLately(0)).as("its own window").isTrue();
    }

    private static boolean never(long time) {
        return false;
    }

    private PendingWrite begin(String cluster, @Nullable Position basis) {
        return session.begin(cluster, false, awaited::incrementAndGet, basis);
    }

    private static PendingWrite sent(PendingWrite write, ServerIdentity to) {
        write.sentTo(to, SENT);
        return write;
    }

    private static PendingWrite ended(PendingWrite write) {
        write.end();
        return write;
    }

    private static CausalToken unresolved(@Nullable Position after) {
        return CausalToken.of(List.of(), List.of(new Unresolved(CLUSTER, after, Unresolved.ENDED)));
    }

    private static Position on(int branch) {
        return new WalPosition(CLUSTER, branch, 5);
    }

    private void completesWith(Mono<Void> waiting, PendingWrite write) {
        StepVerifier.create(waiting)
                .expectSubscription()
                .then(() -> {
                    assertThat(awaited).as("who is told that somebody waits").hasValue(1);
                    write.settle(CausalToken.of(List.of(on(1))), SENT + 1);
                })
                .expectComplete()
                .verify(LIMIT);
    }

    private void completesAtOnce(Mono<Void> waiting) {
        StepVerifier.create(waiting).expectComplete().verify(LIMIT);
        assertThat(awaited).hasValue(0);
    }
}
