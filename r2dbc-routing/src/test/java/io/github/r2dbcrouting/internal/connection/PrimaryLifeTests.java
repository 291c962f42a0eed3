package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.NoEligibleServerException;
import io.github.r2dbcrouting.PossiblyLostWriteException;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.fake.FakeConnection;
import io.github.r2dbcrouting.fake.NoQuestions;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.session.Floors;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.internal.session.SightedFloor;
import io.github.r2dbcrouting.internal.table.TableRef;
import io.github.r2dbcrouting.spi.Lineage;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import reactor.test.StepVerifier;

/** On which connections to the primary may a session be served before it is known what became of what it did? */
class PrimaryLifeTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final Fixture fixture = new Fixture();
    private final SessionState session = new SessionState();
    private long partedAt;

    private final TableRef tables = new TableRef(new NoQuestions() {
        @Override
        public boolean partedSince(long time) {
            return time - partedAt < 0;
        }
    });

    private final Lender lender = fixture.lender(tables, true);
    private final Ask read = Ask.of(Routing.read(), session);

    PrimaryLifeTests() {
        tables.publish(
                new RoutingTable(1, List.of(fixture.state()), fixture.state(), "7", Lineage.of(1, List.of()), 0));
        session.tellLostWrites();
        tick();
    }

    @Test
    void tellsOfAWriteThatACrashHasLostBeforeAConnectionOfTheNextLifeServes() {
        PendingWrite write = acknowledged();
        Lease afterTheCrash = lease();

        StepVerifier.create(lender.mayServe(afterTheCrash, read))
                .expectSubscription()
                .then(() -> {
                    write.lost();
                    write.settle(CausalToken.of(List.of(fixture.server.at())), fixture.monitor.now());
                })
                .expectError(PossiblyLostWriteException.class)
                .verify(LIMIT);
        StepVerifier.create(lender.mayServe(afterTheCrash, read))
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void tellsAWriteOfTheSame() {
        PendingWrite write = acknowledged();
        Lease afterTheCrash = lease();

        StepVerifier.create(lender.mayServe(afterTheCrash, Ask.of(Routing.write(), session)))
                .expectSubscription()
                .then(() -> {
                    write.lost();
                    write.settle(CausalToken.of(List.of(fixture.server.at())), fixture.monitor.now());
                })
                .expectError(PossiblyLostWriteException.class)
                .verify(LIMIT);
    }

    @Test
    void servesOnceItIsKnownThatTheWriteHasSurvived() {
        PendingWrite write = acknowledged();

        StepVerifier.create(lender.mayServe(lease(), read))
                .expectSubscription()
                .then(() -> write.settle(CausalToken.of(List.of(fixture.server.at())), fixture.monitor.now()))
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void waitsForWhatWasOnlyReadOnThePrimary() {
        Lease before = lease();
        tick();
        PendingWrite seen = before.readingOnPrimary(session, false);
        before.ended(seen);
        tick();

        StepVerifier.create(lender.mayServe(lease(), read))
                .expectSubscription()
                .then(() -> {
                    seen.lost();
                    seen.settle(CausalToken.of(List.of(fixture.server.at())), fixture.monitor.now());
                })
                .expectError(PossiblyLostWriteException.class)
                .verify(LIMIT);
    }

    @Test
    void servesAtOnceOnAConnectionThatWasOpenBeforeTheWriteWasSent() {
        Lease open = lease();
        tick();
        acknowledged();

        StepVerifier.create(lender.mayServe(open, read)).expectComplete().verify(LIMIT);
        assertThat(session.hasPending("7")).isTrue();
    }

    @Test
    void waitsOnAConnectionToAnotherProcessHoweverOldItIs() {
        fixture.server.startedAt = "another time";
        Lease elsewhere = lease();
        fixture.server.startedAt = "db0 for the first time";
        tick();
        PendingWrite write = acknowledged();

        StepVerifier.create(lender.mayServe(elsewhere, read))
                .expectSubscription()
                .then(() -> write.settle(CausalToken.of(List.of(fixture.server.at())), fixture.monitor.now()))
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void waitsNotForAWriteThatHasNotEnded() {
        Lease open = lease();
        open.writing(session, true);
        tick();

        StepVerifier.create(lender.mayServe(lease(), read)).expectComplete().verify(LIMIT);
    }

    @Test
    void waitsNotForAReadThatMayMissWhatItsSessionDid() {
        acknowledged();
        Routing any = Routing.read().freshness(Freshness.any());

        StepVerifier.create(lender.mayServe(lease(), Ask.of(any, session)))
                .expectComplete()
                .verify(LIMIT);
        StepVerifier.create(lender.mayServe(lease(), Ask.of(any, null)))
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void waitsNotWhereSessionsAreNotToldOfLosses() {
        acknowledged();

        StepVerifier.create(fixture.lender(tables, false).mayServe(lease(), read))
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void failsWhereNobodySaysInTimeWhatBecameOfIt() {
        acknowledged();
        Lease later = lease();

        StepVerifier.withVirtualTime(() -> lender.mayServe(later, read))
                .expectSubscription()
                .expectNoEvent(Fixture.PATIENCE.primary().minusMillis(1))
                .thenAwait(Duration.ofMillis(1))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(NoEligibleServerException.class)
                        .hasMessageContaining("may be lost"))
                .verify(LIMIT);
    }

    @Test
    void tellsOfWhatWasSeenOnAReplicaOfTheHistoryThatWasLeft() {
        List<SightedFloor> asked = seen();
        partedAt = fixture.monitor.now();

        StepVerifier.create(lender.mayServe(lease(), read))
                .expectSubscription()
                .then(() -> {
                    asked.get(0).lost();
                    asked.get(0).settle(CausalToken.of(List.of(fixture.server.at())), fixture.monitor.now());
                })
                .expectError(PossiblyLostWriteException.class)
                .verify(LIMIT);
    }

    @Test
    void asksNobodyWhereTheReplicaWasOfTheHistoryThatIsFollowed() {
        partedAt = fixture.monitor.now();
        List<SightedFloor> asked = seen();

        StepVerifier.create(lender.mayServe(lease(), read)).expectComplete().verify(LIMIT);
        assertThat(asked).isEmpty();
    }

    /** A read on a replica that ends in a moment. Who asks for its position is in the list. */
    private List<SightedFloor> seen() {
        List<SightedFloor> asked = new ArrayList<>();
        Floors floors = new Floors() {
            @Override
            public void find(SightedFloor floor) {
                asked.add(floor);
            }

            @Override
            public long now() {
                return fixture.monitor.now();
            }
        };
        var seeing = session.beginRead(
                floors, new ServerIdentity("7", "a replica"), fixture.monitor.now(), fixture.monitor.now());
        tick();
        seeing.ended(fixture.monitor.now());
        tick();
        return asked;
    }

    private PendingWrite acknowledged() {
        Lease lease = lease();
        tick();
        PendingWrite write = lease.writing(session, false);
        lease.ended(write);
        tick();
        return write;
    }

    private Lease lease() {
        return fixture.lease(new FakeConnection(fixture.server), new FakeConnection(fixture.server));
    }

    private void tick() {
        fixture.time.advanceTimeBy(Duration.ofMillis(1));
    }
}
