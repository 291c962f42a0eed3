package io.github.r2dbcrouting.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Introduction;
import io.github.r2dbcrouting.spi.Lineage;
import io.github.r2dbcrouting.spi.Observation;
import io.github.r2dbcrouting.spi.Position;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** The primary's branch is 2, and left branch 1 at 100. */
class PlacementTests {

    private static final Lineage LINE = Lineage.of(2, List.of(at(1, 100)));

    private static final Placement.Primaries NOBODY = new Placement.Primaries(null, null, false);

    private final FakeServer server = new FakeServer("db1", ServerRole.REPLICA);

    @Test
    void leavesAPrimaryAsItIs() {
        server.role = ServerRole.PRIMARY;

        assertThat(place(LINE, null, at(1, 300), true, PlacementTests::far))
                .isEqualTo(state(at(1, 300), ServerStatus.UP));
    }

    @Test
    void leavesAReplicaThatIsRefusedAsItIs() {
        ServerState refused = state(at(1, 300), ServerStatus.REFUSED);

        assertThat(new Placement(LINE, alone(), true).place(refused, report(at(1, 300), true), PlacementTests::far))
                .isEqualTo(refused);
    }

    @Test
    void putsAReplicaThatIsBeforeTheSwitchOnTheLine() {
        ServerState placed = place(LINE, null, at(1, 100), false, PlacementTests::near);

        assertThat(placed.position()).isEqualTo(at(2, 100));
        assertThat(placed.status()).isEqualTo(ServerStatus.UP);
        assertThat(placed.tooFarBehind()).isFalse();
        assertThat(place(LINE, null, at(1, 100), false, PlacementTests::far).tooFarBehind())
                .isTrue();
    }

    /** It is before the switch as far as is known, and beyond it a moment later. */
    @Test
    void lendsNothingOfAReplicaThatStillReceivesTheBranchThatWasLeft() {
        ServerState placed = place(LINE, null, at(1, 99), true, PlacementTests::near);
        ServerState turned = place(LINE, null, at(2, 100), true, PlacementTests::near);

        assertThat(placed.status()).isEqualTo(ServerStatus.UP);
        assertThat(placed.position()).isNull();
        assertThat(placed.tooFarBehind()).isTrue();
        assertThat(turned.position()).isEqualTo(at(2, 100));
        assertThat(turned.tooFarBehind()).isFalse();
    }

    /** It goes on receiving, whatever has become of the promoted one, or of the way to that. */
    @Test
    void lendsNothingOfItWhileNobodyIsFollowedEither() {
        Placement.Primaries suspect = new Placement.Primaries(primary(ServerStatus.SUSPECT), null, false);
        for (Placement.Primaries primaries : List.of(NOBODY, suspect)) {
            ServerState placed = new Placement(LINE, primaries, true)
                    .place(state(at(1, 99), ServerStatus.UP), report(at(1, 99), true), PlacementTests::near);

            assertThat(placed.position()).isNull();
            assertThat(placed.tooFarBehind()).isTrue();
        }
    }

    /** It may receive from the other one again before it is asked again. */
    @Test
    void lendsNothingOfAReplicaThatReceivesNothingWhileAnotherPrimaryAnswers() {
        Placement.Primaries another = new Placement.Primaries(primary(ServerStatus.UP), null, true);

        ServerState placed = new Placement(LINE, another, true)
                .place(state(at(1, 99), ServerStatus.UP), receivingNothing(at(1, 99)), PlacementTests::near);

        assertThat(placed.position()).isNull();
        assertThat(placed.tooFarBehind()).isTrue();
    }

    /** Its primary is gone, so it stays where it is. */
    @Test
    void putsAReplicaThatReceivesNothingAnyMoreOnTheLine() {
        ServerReport report = receivingNothing(at(1, 99));

        ServerState placed = new Placement(LINE, alone(), true)
                .place(state(at(1, 99), ServerStatus.UP), report, PlacementTests::near);

        assertThat(report.sample().branchRemembered()).isTrue();
        assertThat(placed.status()).isEqualTo(ServerStatus.UP);
        assertThat(placed.position()).isEqualTo(at(2, 99));
    }

    /** What it has yet to replay may lead beyond the switch. */
    @Test
    void lendsNothingOfAReplicaThatReceivesNothingButHasNotReplayedAllItHas() {
        Sample receiving = sample(at(1, 99), true);
        Observation behind = new Observation(server.role, at(1, 99), 1, false, null, false, "");
        ServerReport report = ServerReport.none(new MonitoredServer(1, "db1", List.of(), server))
                .answered(receiving)
                .answered(new Sample(receiving.introduction(), 0, behind, 2, false));

        ServerState placed = new Placement(LINE, alone(), true)
                .place(state(at(1, 99), ServerStatus.UP), report, PlacementTests::near);

        assertThat(placed.position()).isNull();
        assertThat(placed.tooFarBehind()).isTrue();
    }

    @Test
    void knowsNothingOfAReplicaThatWasAskedBeforeTheBranchWasLeft() {
        ServerState before =
                sinceOne().place(state(at(1, 99), ServerStatus.UP), report(at(1, 99), false), PlacementTests::near);
        ServerState onTheNewOne =
                sinceOne().place(state(at(2, 99), ServerStatus.UP), report(at(2, 99), true), PlacementTests::near);

        assertThat(before.position()).isNull();
        assertThat(before.tooFarBehind()).isTrue();
        assertThat(onTheNewOne.position()).isEqualTo(at(2, 99));
    }

    @Test
    void refusesAReplicaThatWentBeyondTheSwitch() {
        ServerState placed = place(LINE, null, at(1, 101), true, PlacementTests::near);

        assertThat(placed.status()).isEqualTo(ServerStatus.REFUSED);
        assertThat(placed.problem()).contains("went further with an earlier primary");
    }

    @Test
    void knowsNothingOfAReplicaThatSeemsToHaveGoneBeyondTheSwitch() {
        ServerState placed = place(LINE, null, at(1, 101), false, PlacementTests::near);

        assertThat(placed.status()).isEqualTo(ServerStatus.UP);
        assertThat(placed.position()).isNull();
        assertThat(placed.tooFarBehind()).isFalse();
    }

    @Test
    void knowsNothingOfAReplicaOnABranchOfUnknownEnd() {
        Lineage unknown = Lineage.of(2, List.of());

        assertThat(place(unknown, null, at(1, 50), false, PlacementTests::near).position())
                .isNull();
        assertThat(place(unknown, null, at(1, 50), false, PlacementTests::near).tooFarBehind())
                .isFalse();
        assertThat(place(unknown, null, at(1, 50), false, PlacementTests::far).tooFarBehind())
                .isTrue();
        assertThat(place(unknown, null, at(1, 50), true, PlacementTests::near).tooFarBehind())
                .isTrue();
    }

    @Test
    void knowsNothingOfAReplicaThatIsAhead() {
        ServerState placed = place(LINE, null, at(3, 50), true, PlacementTests::near);

        assertThat(placed.position()).isNull();
        assertThat(placed.tooFarBehind()).isTrue();
    }

    @Test
    void knowsNothingOfAReplicaOfAPrimaryThatIsGoneIfItsBranchIsNotCertain() {
        ServerState state = state(at(2, 150), ServerStatus.UP);

        assertThat(new Placement(LINE, NOBODY, true)
                        .place(state, report(at(2, 150), false), PlacementTests::near)
                        .position())
                .isNull();
        assertThat(new Placement(LINE, NOBODY, true)
                        .place(state, report(at(2, 150), true), PlacementTests::near)
                        .position())
                .isEqualTo(at(2, 150));
        assertThat(new Placement(LINE, alone(), true)
                        .place(state, report(at(2, 150), false), PlacementTests::near)
                        .position())
                .isEqualTo(at(2, 150));
    }

    @Test
    void refusesWhatFollowsOneOfTwoPrimariesUnlessItIsWhereTheyStillWereOne() {
        ServerState rival = state(at(2, 200), ServerStatus.REFUSED);

        assertThat(place(LINE, rival, at(2, 150), true, PlacementTests::near).problem())
                .contains("of which there are two");
        assertThat(place(LINE, rival, at(2, 100), true, PlacementTests::near).position())
                .isEqualTo(at(2, 100));
        ServerState down = state(at(2, 150), ServerStatus.DOWN);
        ServerState placed =
                new Placement(LINE, beside(rival), true).place(down, report(at(2, 150), true), PlacementTests::near);
        assertThat(placed.status()).isEqualTo(ServerStatus.DOWN);
        assertThat(placed.position()).isNull();
        assertThat(placed.tooFarBehind()).isTrue();
    }

    @Test
    void takesAPositionAsItIsWhileThereIsNoLine() {
        ServerState placed = place(null, null, at(1, 300), true, PlacementTests::far);

        assertThat(placed.position()).isEqualTo(at(1, 300));
        assertThat(placed.tooFarBehind()).isTrue();
    }

    @Test
    void takesEveryPositionToBeOnTheLineWhereTimelinesDoNotMatter() {
        ServerState state = state(at(1, 300), ServerStatus.UP);

        ServerState placed =
                new Placement(LINE, alone(), false).place(state, report(at(1, 300), true), PlacementTests::near);

        assertThat(placed.position()).isEqualTo(at(2, 300));
        assertThat(placed.tooFarBehind()).isFalse();
    }

    @Test
    void servesBesideARivalWhatIsProvenToFollowThePrimary() {
        ServerState rival = state(at(2, 200), ServerStatus.REFUSED);

        ServerState placed = marked(BranchMarks.Verdict.PROVEN, rival, at(2, 150), true, true);

        assertThat(placed.position()).isEqualTo(at(2, 150));
        assertThat(placed.status()).isEqualTo(ServerStatus.UP);
    }

    @Test
    void refusesWhatWentAnotherWayWhereverItIs() {
        for (WalPosition position : List.of(at(1, 150), at(2, 50), at(2, 150))) {
            for (boolean certain : new boolean[] {true, false}) {
                ServerState placed = marked(BranchMarks.Verdict.ELSEWHERE, null, position, certain, true);

                assertThat(placed.status()).isEqualTo(ServerStatus.REFUSED);
                assertThat(placed.problem()).contains("went another way");
            }
        }
        assertThat(marked(
                                BranchMarks.Verdict.ELSEWHERE,
                                state(at(2, 200), ServerStatus.REFUSED),
                                at(2, 150),
                                true,
                                true)
                        .problem())
                .contains("a replica of db1 that was promoted beside it");
    }

    @Test
    void doesNotRefuseWhatIsAheadForWantOfAnEarlierMark() {
        ServerState placed = marked(BranchMarks.Verdict.ELSEWHERE, null, at(3, 150), true, true);

        assertThat(placed.status()).isEqualTo(ServerStatus.UP);
        assertThat(placed.tooFarBehind()).isTrue();
    }

    @Test
    void readsNothingFromWhatMayBeOnAnotherBranchWhileThereIsAPrimary() {
        for (WalPosition position : List.of(at(2, 50), at(2, 150))) {
            ServerState placed = marked(BranchMarks.Verdict.UNPROVEN, null, position, true, true);

            assertThat(placed.position()).isNull();
            assertThat(placed.tooFarBehind()).isTrue();
            assertThat(placed.status()).isEqualTo(ServerStatus.UP);
        }
        ServerState uncertain = marked(BranchMarks.Verdict.UNPROVEN, null, at(1, 50), false, true);
        assertThat(uncertain.position()).isNull();
        assertThat(uncertain.tooFarBehind()).isTrue();
        assertThat(marked(BranchMarks.Verdict.UNPROVEN, null, at(2, 150), true, false)
                        .tooFarBehind())
                .as("without a primary")
                .isFalse();
        assertThat(marked(BranchMarks.Verdict.UNPROVEN, null, at(1, 50), false, false)
                        .tooFarBehind())
                .as("without a primary, perhaps beyond the switch")
                .isTrue();
    }

    /** One probe that was missed, or was late, does not make anything readable that was not. */
    @Test
    void readsNothingMoreFromItBecauseThePrimaryMayHaveGone() {
        Placement.Primaries suspect = new Placement.Primaries(primary(ServerStatus.SUSPECT), null, false);

        ServerState placed = new Placement(LINE, suspect, true, sample -> BranchMarks.Verdict.UNPROVEN, sentAt -> true)
                .place(state(at(2, 150), ServerStatus.UP), report(at(2, 150), true), PlacementTests::near);

        assertThat(placed.tooFarBehind()).isTrue();
    }

    @Test
    void needsNoProofOfWhatSurelyIsWhereThereWasOneBranchOnly() {
        ServerState placed = new Placement(LINE, alone(), true, sample -> BranchMarks.Verdict.UNPROVEN, sentAt -> true)
                .place(state(at(1, 100), ServerStatus.UP), receivingNothing(at(1, 100)), PlacementTests::near);

        assertThat(placed.position()).isEqualTo(at(2, 100));
        assertThat(marked(BranchMarks.Verdict.UNPROVEN, null, at(1, 101), true, true)
                        .problem())
                .contains("went further with an earlier primary");
    }

    private Placement.Primaries alone() {
        return beside(null);
    }

    private Placement.Primaries beside(ServerState rival) {
        return new Placement.Primaries(primary(ServerStatus.UP), rival, rival != null);
    }

    private ServerState primary(ServerStatus status) {
        return new ServerState(
                0, "db0", List.of(), ServerRole.PRIMARY, status, at(2, 200), server.identity(), 0, false, null);
    }

    private ServerState marked(
            BranchMarks.Verdict verdict, ServerState rival, WalPosition position, boolean certain, boolean primaryUp) {
        Placement.Primaries primaries =
                new Placement.Primaries(primaryUp ? primary(ServerStatus.UP) : null, rival, false);
        return new Placement(LINE, primaries, true, sample -> verdict, sentAt -> true)
                .place(state(position, ServerStatus.UP), report(position, certain), PlacementTests::near);
    }

    private ServerState place(
            Lineage line, ServerState rival, WalPosition position, boolean certain, Predicate<Position> near) {
        return new Placement(line, beside(rival), true)
                .place(state(position, ServerStatus.UP), report(position, certain), near);
    }

    private ServerState state(WalPosition position, ServerStatus status) {
        return new ServerState(1, "db1", List.of(), server.role, status, position, server.identity(), 0, false, null);
    }

    /** The line of a branch that was followed from time 1 on, at which every sample here was asked for. */
    private Placement sinceOne() {
        return new Placement(LINE, alone(), true, sample -> BranchMarks.Verdict.NOT_TOLD, sentAt -> sentAt > 1);
    }

    /** It has said on which branch it is while it received it. */
    private ServerReport receivingNothing(WalPosition position) {
        return report(position, true).answered(sample(position, false));
    }

    private ServerReport report(WalPosition position, boolean certain) {
        return ServerReport.none(new MonitoredServer(1, "db1", List.of(), server))
                .answered(sample(position, certain));
    }

    private Sample sample(WalPosition position, boolean certain) {
        Observation observation = new Observation(server.role, position, position.timeline(), certain, null, "");
        Introduction introduction = new Introduction(server.identity(), observation, "1", true);
        return new Sample(introduction, 0, observation, 1, false);
    }

    private static boolean near(Position position) {
        return true;
    }

    private static boolean far(Position position) {
        return false;
    }

    private static WalPosition at(int timeline, long lsn) {
        return new WalPosition("7", timeline, lsn);
    }
}
