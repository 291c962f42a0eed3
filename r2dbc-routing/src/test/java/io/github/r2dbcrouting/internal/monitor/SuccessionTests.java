package io.github.r2dbcrouting.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Introduction;
import io.github.r2dbcrouting.spi.Lineage;
import io.github.r2dbcrouting.spi.Observation;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The line goes on to branch 3 wherever nothing else is said, and left branch 2 at 100. */
class SuccessionTests {

    private static final Lineage LINE = Lineage.of(3, List.of(at(2, 100)));

    private static final long NEVER_ANSWERED = -1;

    private static final ServerRole PRIMARY = ServerRole.PRIMARY;
    private static final ServerRole REPLICA = ServerRole.REPLICA;

    private final Succession succession = new Succession(true);
    private final List<ServerState> servers = new ArrayList<>();
    private final List<ServerReport> reports = new ArrayList<>();

    // which one

    @ParameterizedTest
    @CsvSource({"2, 3, db1", "3, 2, db0", "9, 10, db1"})
    void followsTheOneOnTheLatestBranch(long one, long other, String followed) {
        server(PRIMARY, ServerStatus.UP, one);
        server(PRIMARY, ServerStatus.UP, other);

        assertThat(primary(before(null, RoutingTable.NOBODY))).isEqualTo(followed);
    }

    @Test
    void followsNoneOfTwoThatAreEqual() {
        server(PRIMARY, ServerStatus.UP, 3);
        server(PRIMARY, ServerStatus.UP, 3);

        assertThat(primary(before(null, RoutingTable.NOBODY))).isNull();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void followsOfEqualsTheOneThatItFollowed(int followed) {
        server(PRIMARY, ServerStatus.UP, 3);
        server(PRIMARY, ServerStatus.UP, 3);
        server(PRIMARY, ServerStatus.UP, 3);

        assertThat(primary(before(null, followed))).isEqualTo("db" + followed);
        assertThat(primary(before(LINE, followed))).isEqualTo("db" + followed);
    }

    @Test
    void followsOneOnALaterBranchThanTwoEqualOnes() {
        server(PRIMARY, ServerStatus.UP, 3);
        server(PRIMARY, ServerStatus.UP, 3);
        server(PRIMARY, ServerStatus.UP, 4);

        assertThat(primary(before(null, RoutingTable.NOBODY))).isEqualTo("db2");
    }

    @Test
    void followsWhoeverWasPromotedLater() {
        server(PRIMARY, ServerStatus.UP, 3);
        server(PRIMARY, ServerStatus.UP, 4);

        assertThat(primary(before(LINE, 0))).isEqualTo("db1");
    }

    @Test
    void followsNoneOnAnEarlierBranchThanTheLine() {
        server(REPLICA, ServerStatus.UP, 3);
        server(PRIMARY, ServerStatus.UP, 2);

        assertThat(primary(before(LINE, 0))).isNull();
        assertThat(primary(before(LINE, RoutingTable.NOBODY))).isNull();
    }

    @Test
    void staysWithTheFollowedOneThatGoesBackToAnEarlierBranch() {
        server(PRIMARY, ServerStatus.UP, 2);

        assertThat(primary(before(LINE, 0))).isEqualTo("db0");
    }

    @ParameterizedTest
    @EnumSource(names = {"UP", "SUSPECT"})
    void followsAReplicaOrARefusedOneNever(ServerStatus status) {
        server(REPLICA, status, 3);
        server(PRIMARY, ServerStatus.REFUSED, 3);

        assertThat(primary(before(null, RoutingTable.NOBODY))).isNull();
    }

    @Test
    void followsNobodyBeforeEveryServerWasAskedOnce() {
        server(PRIMARY, ServerStatus.UP, 3);
        server(ServerRole.UNKNOWN, ServerStatus.UNKNOWN, NEVER_ANSWERED);

        assertThat(primary(before(null, RoutingTable.NOBODY))).isNull();
        assertThat(primary(before(LINE, 0))).isEqualTo("db0");
        assertThat(new Succession(false).primary(reports, servers, before(null, RoutingTable.NOBODY)))
                .isEqualTo(servers.get(0));
    }

    // the one that is followed is down

    @Test
    void takesNobodyOfTheSameBranchForTheOneThatIsDown() {
        server(PRIMARY, ServerStatus.DOWN, 3);
        server(PRIMARY, ServerStatus.UP, 3);

        assertThat(primary(before(LINE, 0))).isNull();
        assertThat(new Succession(false).primary(reports, servers, before(LINE, 0)))
                .isEqualTo(servers.get(1));
    }

    @Test
    void takesNobodyOfAnEarlierBranchForOneThatWasPromotedAndIsDown() {
        server(PRIMARY, ServerStatus.UP, 3);
        server(PRIMARY, ServerStatus.DOWN, 4);

        assertThat(primary(before(null, RoutingTable.NOBODY))).isNull();
        assertThat(new Succession(false).primary(reports, servers, before(null, RoutingTable.NOBODY)))
                .isEqualTo(servers.get(0));
    }

    @Test
    void takesOneThatAnswersRatherThanAnEqualOneThatDoesNotIfNoneWasFollowed() {
        server(PRIMARY, ServerStatus.DOWN, 3);
        server(PRIMARY, ServerStatus.UP, 3);

        assertThat(primary(before(null, RoutingTable.NOBODY))).isEqualTo("db1");
    }

    @Test
    void followsOneThatIsSuspect() {
        server(PRIMARY, ServerStatus.SUSPECT, 3);

        assertThat(primary(before(LINE, 0))).isEqualTo("db0");
    }

    // the one that is followed gave up its role

    @Test
    void takesOneOfTheSameBranchIfTheFollowedOneFollowsSomebodyItself() {
        server(REPLICA, ServerStatus.UP, 3);
        server(PRIMARY, ServerStatus.UP, 3);

        assertThat(primary(before(LINE, 0))).isEqualTo("db1");
    }

    @Test
    void takesOneOfTheSameBranchIfTheFollowedOneWasRemoved() {
        server(ServerRole.UNKNOWN, ServerStatus.REMOVED, NEVER_ANSWERED);
        server(PRIMARY, ServerStatus.UP, 3);

        assertThat(primary(before(LINE, 0))).isEqualTo("db1");
    }

    @ParameterizedTest
    @EnumSource(names = {"SUSPECT", "DOWN", "REFUSED"})
    void takesNobodyIfTheFollowedOneWasAReplicaWhenItLastAnswered(ServerStatus status) {
        server(REPLICA, status, 3);
        server(PRIMARY, ServerStatus.UP, 3);

        assertThat(primary(before(LINE, 0))).isNull();
    }

    @Test
    void takesOneOfTheSameBranchIfNobodyIsFollowed() {
        server(REPLICA, ServerStatus.DOWN, 3);
        server(PRIMARY, ServerStatus.UP, 3);

        assertThat(primary(before(LINE, RoutingTable.NOBODY))).isEqualTo("db1");
    }

    // what led to its branch

    @Test
    void believesAPrimaryThatTellsWhereEachBranchWasLeft() {
        server(PRIMARY, ServerStatus.UP, 4);
        List<Position> told = List.of(at(2, 90), at(3, 150));

        assertThat(lineage(report(0, sample(0, 4, "x", told)), before(LINE, 0))).isEqualTo(Lineage.of(4, told));
    }

    @Test
    void keepsTheLineOfTheOneThatItFollows() {
        server(PRIMARY, ServerStatus.UP, 3);

        assertThat(lineage(report(0, sample(0, 3, "db0", List.of())), before(LINE, 0)))
                .isEqualTo(LINE);
    }

    @Test
    void keepsTheLineOfTheOneThatItFollowsUnderAnotherAddress() {
        server(PRIMARY, ServerStatus.UP, 3);
        server(PRIMARY, ServerStatus.UP, 3);

        assertThat(lineage(report(1, sample(1, 3, "db0", List.of())), before(LINE, 0)))
                .isEqualTo(LINE);
    }

    @Test
    void knowsNothingOfWhatLedToAnotherOneOnABranchOfTheSameNumber() {
        server(PRIMARY, ServerStatus.UP, 3);
        server(PRIMARY, ServerStatus.UP, 3);

        assertThat(lineage(report(1, sample(1, 3, "db1", List.of())), before(LINE, 0)))
                .isEqualTo(Lineage.of(3, List.of()));
        assertThat(lineage(report(1, sample(1, 3, "db1", List.of())), before(LINE, RoutingTable.NOBODY)))
                .isEqualTo(Lineage.of(3, List.of()));
    }

    @Test
    void knowsNothingOfWhatLedToALaterBranchThatItDidNotSeeBegin() {
        server(PRIMARY, ServerStatus.UP, 4);

        assertThat(lineage(report(0, sample(0, 4, "db0", List.of())), before(LINE, 0)))
                .isEqualTo(Lineage.of(4, List.of()));
        assertThat(lineage(report(0, sample(0, 4, "db0", List.of())), before(null, 0)))
                .isEqualTo(Lineage.of(4, List.of()));
    }

    @Test
    void goesOnFromTheLineToABranchThatItSawBegin() {
        server(PRIMARY, ServerStatus.UP, 4);
        ServerReport promoted = promoted(0, 4, at(3, 200));

        assertThat(lineage(promoted, before(LINE, 0))).isEqualTo(Lineage.of(4, List.of(at(2, 100), at(3, 200))));
        assertThat(lineage(promoted, before(null, RoutingTable.NOBODY))).isEqualTo(Lineage.of(4, List.of(at(3, 200))));
    }

    @Test
    void startsFromNothingWithOneThatWasNeverHeardOf() {
        assertThat(lineage(ServerReport.none(monitored(0)), before(LINE, 0))).isEqualTo(Lineage.of(0, List.of()));
    }

    // the other one

    @ParameterizedTest
    @EnumSource(names = {"UP", "SUSPECT", "DOWN"})
    void namesAnotherPrimaryOnABranchOfTheSameNumberWhetherItAnswersOrNot(ServerStatus status) {
        server(PRIMARY, ServerStatus.UP, 3);
        server(REPLICA, ServerStatus.UP, 3);
        server(PRIMARY, status, 3);

        assertThat(succession.rival(reports, servers, LINE, 0)).isEqualTo(servers.get(2));
        assertThat(succession.rival(reports, servers, LINE, 2)).isEqualTo(servers.get(0));
    }

    @Test
    void namesNoRivalThatIsNone() {
        server(PRIMARY, ServerStatus.UP, 3);
        server(REPLICA, ServerStatus.UP, 3);
        server(PRIMARY, ServerStatus.REFUSED, 3);
        server(PRIMARY, ServerStatus.DOWN, 2);
        server(PRIMARY, ServerStatus.UP, 4);

        assertThat(succession.rival(reports, servers, LINE, 0)).isNull();
    }

    @Test
    void namesNoRivalWhileNobodyIsFollowed() {
        server(PRIMARY, ServerStatus.UP, 3);
        server(PRIMARY, ServerStatus.UP, 3);

        assertThat(succession.rival(reports, servers, LINE, RoutingTable.NOBODY))
                .isNull();
        assertThat(succession.rival(reports, servers, null, 0)).isNull();
    }

    @Test
    void takesAPrimaryThatNeverAnsweredForNoRival() {
        server(PRIMARY, ServerStatus.UP, 3);
        server(PRIMARY, ServerStatus.DOWN, NEVER_ANSWERED);

        assertThat(succession.rival(reports, servers, LINE, 0)).isNull();
        assertThat(succession.rival(reports, servers, Lineage.of(0, List.of()), 0))
                .isEqualTo(servers.get(1));
    }

    @ParameterizedTest
    @CsvSource({
        "PRIMARY, UP, true",
        "PRIMARY, SUSPECT, true",
        "PRIMARY, DOWN, false",
        "PRIMARY, REFUSED, false",
        "REPLICA, UP, false"
    })
    void knowsWhetherAnotherPrimaryAnswers(ServerRole role, ServerStatus status, boolean answers) {
        server(PRIMARY, ServerStatus.UP, 3);
        server(role, status, 2);

        assertThat(Succession.anotherAnswers(servers, 0)).isEqualTo(answers);
    }

    // why another one is not

    @Test
    void saysWhomItFollowsInstead() {
        server(PRIMARY, ServerStatus.UP, 3);
        server(PRIMARY, ServerStatus.UP, 3);
        server(PRIMARY, ServerStatus.DOWN, 3);
        server(REPLICA, ServerStatus.UP, 3);

        succession.explainMissingPrimary(reports, servers, servers.get(0), before(LINE, 0));

        assertThat(problem(0)).isNull();
        assertThat(servers.get(1).status()).isEqualTo(ServerStatus.REFUSED);
        assertThat(problem(1)).isEqualTo("is a primary, too, but db0 is followed: it serves nothing");
        assertThat(problem(2)).isNull();
        assertThat(problem(3)).isNull();
    }

    @Test
    void saysThatALaterOneIsDown() {
        server(PRIMARY, ServerStatus.UP, 3);
        server(PRIMARY, ServerStatus.DOWN, 4);

        succession.explainMissingPrimary(reports, servers, null, before(LINE, 1));

        assertThat(problem(0)).contains("on an earlier branch", "db1", "on a later branch");
    }

    @Test
    void saysThatAnEqualOneIsDown() {
        server(PRIMARY, ServerStatus.UP, 3);
        server(PRIMARY, ServerStatus.DOWN, 2);
        server(PRIMARY, ServerStatus.DOWN, 3);

        succession.explainMissingPrimary(reports, servers, null, before(LINE, 2));

        assertThat(problem(0)).contains("on a branch of its own", "db2", "promoted beside it");
    }

    @Test
    void saysThatItCannotTellWhichOfSeveral() {
        server(PRIMARY, ServerStatus.UP, 3);
        server(PRIMARY, ServerStatus.UP, 3);
        server(REPLICA, ServerStatus.DOWN, 3);
        server(PRIMARY, ServerStatus.DOWN, 2);

        succession.explainMissingPrimary(reports, servers, null, before(null, RoutingTable.NOBODY));

        assertThat(problem(0)).contains("one of several primaries");
        assertThat(problem(1)).contains("one of several primaries");
    }

    @Test
    void saysNothingBeforeEveryServerWasAskedOnce() {
        server(PRIMARY, ServerStatus.UP, 3);
        server(ServerRole.UNKNOWN, ServerStatus.UNKNOWN, NEVER_ANSWERED);

        succession.explainMissingPrimary(reports, servers, null, before(null, RoutingTable.NOBODY));

        assertThat(problem(0)).isNull();
    }

    private String problem(int index) {
        return servers.get(index).problem();
    }

    private String primary(RoutingTable before) {
        ServerState primary = succession.primary(reports, servers, before);
        return primary == null ? null : primary.name();
    }

    private Lineage lineage(ServerReport primary, RoutingTable before) {
        return Succession.lineage(primary, primary.server().index(), before);
    }

    /** The table in which the same servers were, one of them followed. */
    private RoutingTable before(Lineage line, int followed) {
        return new RoutingTable(1, servers, null, "7", line, followed);
    }

    private void server(ServerRole role, ServerStatus status, long branch) {
        int index = servers.size();
        boolean answered = branch != NEVER_ANSWERED;
        servers.add(new ServerState(
                index,
                "db" + index,
                List.of(),
                role,
                status,
                null,
                answered ? identity("db" + index) : null,
                0,
                false,
                null));
        reports.add(
                answered
                        ? report(index, sample(index, branch, "db" + index, List.of()))
                        : ServerReport.none(monitored(index)));
    }

    private ServerReport report(int index, Sample sample) {
        return ServerReport.none(monitored(index)).answered(sample);
    }

    /** A server that was a replica on the branch before, and has become a primary while it was watched. */
    private ServerReport promoted(int index, int branch, Position left) {
        Observation replica = new Observation(REPLICA, left, 0, true, null, "");
        Observation primary = new Observation(PRIMARY, at(branch, ((WalPosition) left).lsn()), branch, true, left, "");
        Introduction introduction = new Introduction(identity("db" + index), replica, "1", true);
        return report(index, new Sample(introduction, 0, replica, 1, false))
                .answered(new Sample(introduction, 0, primary, 2, false));
    }

    private static Sample sample(int index, long branch, String startedAt, List<Position> ancestors) {
        Observation observation = new Observation(PRIMARY, at((int) branch, 300 + index), branch, "");
        return new Sample(
                new Introduction(identity(startedAt), observation, "1", true),
                0,
                observation,
                1,
                false,
                ancestors,
                null);
    }

    private static MonitoredServer monitored(int index) {
        String name = "db" + index;
        return new MonitoredServer(index, name, List.of(), new FakeServer(name, PRIMARY));
    }

    private static ServerIdentity identity(String startedAt) {
        return new ServerIdentity("7", startedAt);
    }

    private static WalPosition at(int timeline, long lsn) {
        return new WalPosition("7", timeline, lsn);
    }
}
