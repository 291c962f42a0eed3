package io.github.r2dbcrouting.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Introduction;
import io.github.r2dbcrouting.spi.Observation;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ClusterReducerTests {

    private static final RoutingTable EMPTY = new RoutingTable(0, List.of(), null, null);

    private final ClusterReducer reducer = new ClusterReducer(3);
    private final FakeServer primary = new FakeServer("db0", ServerRole.PRIMARY);
    private final FakeServer one = new FakeServer("db1", ServerRole.REPLICA);
    private final FakeServer other = new FakeServer("db2", ServerRole.REPLICA);

    @Test
    void knowsNothingOfServersThatWereNotReached() {
        RoutingTable table = reduce(EMPTY, unreached(0), unreached(1));

        assertThat(table.version()).isEqualTo(1);
        assertThat(table.cluster()).isNull();
        assertThat(table.primary()).isEmpty();
        assertThat(table.complete()).isFalse();
        assertThat(table.servers()).extracting(ServerState::status).containsOnly(ServerStatus.UNKNOWN);
        assertThat(table.servers()).extracting(ServerState::role).containsOnly(ServerRole.UNKNOWN);
    }

    @Test
    void takesAServerThatWasNeverReachedForDownAtItsFirstFailure() {
        RoutingTable table = reduce(EMPTY, unreached(0).failed("cannot be reached"));

        assertThat(table.servers().get(0).status()).isEqualTo(ServerStatus.DOWN);
        assertThat(table.servers().get(0).problem()).isEqualTo("cannot be reached");
        assertThat(table.complete()).isTrue();
    }

    @Test
    void findsThePrimaryAndItsReplicas() {
        RoutingTable table = reduce(EMPTY, answered(0, primary), answered(1, one), answered(2, other));

        assertThat(table.cluster()).isEqualTo("7");
        assertThat(table.primary()).map(ServerState::name).contains("db0");
        assertThat(table.replicas()).extracting(ServerState::name).containsExactly("db1", "db2");
        assertThat(table.servers()).allMatch(server -> server.problem() == null);
        assertThat(table.servers().get(1).position()).isEqualTo(one.at());
        assertThat(table.servers().get(1).identity()).isEqualTo(one.identity());
        assertThat(table.servers().get(1).sampledAt()).isEqualTo(20);
    }

    @Test
    void countsTablesUp() {
        RoutingTable first = reduce(EMPTY, answered(0, primary));

        assertThat(reduce(first, answered(0, primary)).version()).isEqualTo(first.version() + 1);
    }

    @Test
    void suspectsAServerThatFailsAndHoldsItForDownAfterSeveralFailures() {
        ServerReport once = answered(1, one).failed("does not answer");
        ServerReport twice = once.failed("does not answer");
        ServerReport thrice = twice.failed("does not answer");

        assertThat(status(once)).isEqualTo(ServerStatus.SUSPECT);
        assertThat(status(twice)).isEqualTo(ServerStatus.SUSPECT);
        assertThat(status(thrice)).isEqualTo(ServerStatus.DOWN);
        assertThat(status(thrice.answered(sample(one)))).isEqualTo(ServerStatus.UP);
    }

    @Test
    void readsFromNoReplicaThatIsSuspect() {
        RoutingTable table =
                reduce(EMPTY, answered(0, primary), answered(1, one).failed("does not answer"));

        assertThat(table.replicas()).isEmpty();
        assertThat(table.servers().get(1).role()).isEqualTo(ServerRole.REPLICA);
    }

    @Test
    void keepsAPrimaryThatIsSuspectButNotOneThatIsDown() {
        ServerReport suspect = answered(0, primary).failed("x").failed("x");
        RoutingTable before = reduce(EMPTY, answered(0, primary));

        assertThat(reduce(before, suspect).primary()).isPresent();
        assertThat(reduce(before, suspect.failed("x")).primary()).isEmpty();
    }

    @Test
    void refusesAServerOfAnotherCluster() {
        one.cluster = "8";

        RoutingTable table = reduce(EMPTY, answered(0, primary), answered(1, one), answered(2, other));

        assertThat(table.servers().get(1).status()).isEqualTo(ServerStatus.REFUSED);
        assertThat(table.servers().get(1).problem()).contains("another cluster", "8", "7");
        assertThat(table.replicas()).extracting(ServerState::name).containsExactly("db2");
    }

    @Test
    void refusesAPrimaryOfAnotherCluster() {
        RoutingTable before = reduce(EMPTY, unreached(0).failed("x"), answered(1, one));
        primary.cluster = "8";
        primary.timeline = 9;

        RoutingTable table = reduce(before, answered(0, primary), answered(1, one));

        assertThat(table.cluster()).isEqualTo("7");
        assertThat(table.primary()).isEmpty();
        assertThat(table.servers().get(0).status()).isEqualTo(ServerStatus.REFUSED);
        assertThat(table.servers().get(0).problem()).contains("another cluster");
    }

    @Test
    void takesTheWordOfTheFirstConfiguredServerUntilEveryOneWasHeardOf() {
        one.cluster = "8";
        RoutingTable before = reduce(EMPTY, unreached(0), answered(1, one), unreached(2));
        assertThat(before.cluster()).isEqualTo("8");

        RoutingTable table = reduce(before, answered(0, primary), answered(1, one), answered(2, other));

        assertThat(table.cluster()).isEqualTo("7");
        assertThat(table.servers().get(1).status()).isEqualTo(ServerStatus.REFUSED);
        assertThat(table.primary()).map(ServerState::name).contains("db0");
    }

    @Test
    void staysWithTheClusterOnceEveryServerWasHeardOf() {
        RoutingTable before = reduce(EMPTY, answered(0, primary), answered(1, one));
        primary.cluster = "8";
        one.cluster = "8";

        RoutingTable table = reduce(before, answered(0, primary), answered(1, one));

        assertThat(table.cluster()).isEqualTo("7");
        assertThat(table.servers()).extracting(ServerState::status).containsOnly(ServerStatus.REFUSED);
    }

    @Test
    void refusesAnAddressThatLeadsToOneServerAndThenToAnotherAndBack() {
        FakeServer restarted = new FakeServer("db1", ServerRole.REPLICA);
        restarted.startedAt = "db1 for the second time";

        assertThat(status(answered(1, one).answered(sample(restarted))))
                .as("restarted")
                .isEqualTo(ServerStatus.UP);
        ServerReport alternating = answered(1, one).answered(sample(restarted)).answered(sample(one));

        RoutingTable table = reduce(EMPTY, answered(0, primary), alternating);
        assertThat(table.servers().get(1).status()).isEqualTo(ServerStatus.REFUSED);
        assertThat(table.servers().get(1).problem()).contains("a virtual IP or a load balancer");
        assertThat(table.replicas()).isEmpty();
    }

    @Test
    void refusesASecondNameOfOneServer() {
        other.startedAt = one.startedAt;

        RoutingTable table = reduce(EMPTY, answered(0, primary), answered(1, one), answered(2, other));

        assertThat(table.servers().get(1).status()).isEqualTo(ServerStatus.UP);
        assertThat(table.servers().get(2).status()).isEqualTo(ServerStatus.REFUSED);
        assertThat(table.servers().get(2).problem()).contains("same server as db1");
    }

    @Test
    void refusesASecondNameOfThePrimary() {
        FakeServer twin = new FakeServer("db1", ServerRole.PRIMARY);
        twin.startedAt = primary.startedAt;

        RoutingTable table = reduce(EMPTY, answered(0, primary), answered(1, twin));

        assertThat(table.primary()).map(ServerState::name).contains("db0");
        assertThat(table.servers().get(1).status()).isEqualTo(ServerStatus.REFUSED);
    }

    @Test
    void takesServersThatStartedAtDifferentTimesForDifferent() {
        RoutingTable table = reduce(EMPTY, answered(0, primary), answered(1, one), answered(2, other));

        assertThat(table.servers()).noneMatch(server -> server.status() == ServerStatus.REFUSED);
    }

    @Test
    void followsThePrimaryOnTheLatestBranch() {
        RoutingTable before = reduce(EMPTY, answered(0, primary), answered(1, one));
        one.role = ServerRole.PRIMARY;
        one.timeline = 2;

        RoutingTable table = reduce(before, answered(0, primary), answered(1, one));

        assertThat(table.primary()).map(ServerState::name).contains("db1");
        assertThat(table.servers().get(0).status()).isEqualTo(ServerStatus.REFUSED);
        assertThat(table.servers().get(0).problem()).contains("db1 is followed");
    }

    @Test
    void doesNotFollowAPrimaryOnAnEarlierBranch() {
        primary.timeline = 3;
        RoutingTable before = reduce(EMPTY, answered(0, primary), answered(1, one));
        one.role = ServerRole.PRIMARY;
        one.timeline = 2;

        RoutingTable table = reduce(before, answered(0, primary), answered(1, one));

        assertThat(table.primary()).map(ServerState::name).contains("db0");
        assertThat(table.servers().get(1).status()).isEqualTo(ServerStatus.REFUSED);
    }

    @Test
    void doesNotGoBackToAnEarlierBranchWhenThePrimaryIsDown() {
        primary.timeline = 3;
        RoutingTable before = reduce(EMPTY, answered(0, primary), unreached(1));
        one.role = ServerRole.PRIMARY;
        one.timeline = 2;
        ServerReport down = answered(0, primary).failed("x").failed("x").failed("x");

        RoutingTable table = reduce(before, down, answered(1, one));

        assertThat(table.primary()).isEmpty();
        assertThat(table.servers().get(1).status()).isEqualTo(ServerStatus.REFUSED);
        assertThat(table.servers().get(1).problem()).contains("later branch", "db0");
    }

    @Test
    void goesOnToALaterBranchWhenThePrimaryIsDown() {
        primary.timeline = 3;
        RoutingTable before = reduce(EMPTY, answered(0, primary), answered(1, one));
        one.role = ServerRole.PRIMARY;
        one.timeline = 4;
        ServerReport down = answered(0, primary).failed("x").failed("x").failed("x");

        assertThat(reduce(before, down, answered(1, one)).primary())
                .map(ServerState::name)
                .contains("db1");
    }

    @Test
    void keepsTheFollowedOneOfPrimariesOnEqualBranches() {
        for (int followed = 0; followed < 3; followed++) {
            FakeServer[] all = {
                new FakeServer("db0", ServerRole.REPLICA),
                new FakeServer("db1", ServerRole.REPLICA),
                new FakeServer("db2", ServerRole.REPLICA)
            };
            all[followed].role = ServerRole.PRIMARY;
            RoutingTable before = reduce(EMPTY, answered(0, all[0]), answered(1, all[1]), answered(2, all[2]));
            List.of(all).forEach(server -> server.role = ServerRole.PRIMARY);

            RoutingTable table = reduce(before, answered(0, all[0]), answered(1, all[1]), answered(2, all[2]));

            assertThat(table.primary()).map(ServerState::index).contains(followed);
            assertThat(table.servers())
                    .filteredOn(server -> server.status() == ServerStatus.REFUSED)
                    .hasSize(2);
        }
    }

    @Test
    void followsNoneOfPrimariesOnEqualBranchesIfNoneWasFollowedAndSaysSo() {
        one.role = ServerRole.PRIMARY;

        RoutingTable table = reduce(EMPTY, answered(0, primary), answered(1, one), answered(2, other));

        assertThat(table.primary()).isEmpty();
        assertThat(table.servers().get(0).problem()).contains("one of several primaries");
        assertThat(table.servers().get(1).problem()).contains("one of several primaries");
        assertThat(table.servers().get(2).problem()).isNull();
    }

    @Test
    void followsNobodyBeforeEveryServerWasHeardOf() {
        RoutingTable table = reduce(EMPTY, answered(0, primary), unreached(1), answered(2, other));
        RoutingTable later = reduce(table, answered(0, primary), unreached(1).failed("x"), answered(2, other));

        assertThat(table.primary()).isEmpty();
        assertThat(table.servers().get(0).problem()).isNull();
        assertThat(later.primary()).map(ServerState::name).contains("db0");
    }

    @Test
    void doesNotTakeUpAnotherPrimaryOnAnEqualBranchWhenTheFollowedOneIsDown() {
        primary.timeline = 2;
        RoutingTable before = reduce(EMPTY, answered(0, primary), answered(1, one));
        one.role = ServerRole.PRIMARY;
        one.timeline = 2;
        ServerReport down = answered(0, primary).failed("x").failed("x").failed("x");

        RoutingTable table = reduce(before, down, answered(1, one));
        RoutingTable later = reduce(table, down, answered(1, one));

        assertThat(later.primary()).isEmpty();
        assertThat(later.servers().get(1).status()).isEqualTo(ServerStatus.REFUSED);
        assertThat(later.servers().get(1).problem()).contains("promoted beside it");
    }

    @Test
    void refusesAReplicaThatWentBeyondWhereTheNewBranchBegan() {
        one.position = 0x2000;
        other.position = 0x3000;
        RoutingTable before = reduce(EMPTY, answered(0, primary), answered(1, one), answered(2, other));

        RoutingTable table = reduce(before, answered(0, primary), promoted(1, one), answered(2, other));

        assertThat(table.primary()).map(ServerState::name).contains("db1");
        assertThat(table.lineage()).hasToString("branch 2, after 0/2000 on timeline 1");
        assertThat(table.servers().get(2).status()).isEqualTo(ServerStatus.REFUSED);
        assertThat(table.servers().get(2).problem()).contains("it has what is lost");
    }

    @Test
    void tellsAReplicaThatIsNotThatFarOnTheNewBranch() {
        one.position = 0x2000;
        other.position = 0x1800;
        RoutingTable before = reduce(EMPTY, answered(0, primary), answered(1, one), answered(2, other));

        ServerReport receiving = answered(2, other);
        other.branchCertain = false;
        ServerReport receivesNothing = receiving.answered(sample(other));
        ServerReport leader = promoted(1, one);

        ServerReport silent = answered(0, primary).failed("is gone");
        ServerReport gone = silent.failed("is gone").failed("is gone");

        RoutingTable first = reduce(before, gone, leader, receivesNothing);
        RoutingTable table = reduce(first, gone, leader, receivesNothing);
        RoutingTable early = reduce(first, gone, leader, receiving);

        assertThat(first.replicas())
                .as("asked before anybody knew of the branch")
                .isEmpty();
        assertThat(early.replicas()).as("still on its way").isEmpty();
        assertThat(reduce(first, answered(0, primary), leader, receivesNothing).replicas())
                .as("may turn to the earlier primary again")
                .isEmpty();
        assertThat(reduce(first, silent, leader, receivesNothing).replicas())
                .as("may turn to the earlier primary again, which was late once")
                .isEmpty();
        assertThat(table.replicas()).extracting(ServerState::name).containsExactly("db2");
        assertThat(table.servers().get(2).position()).isEqualTo(new WalPosition("7", 2, 0x1800));
    }

    /** Seen as a replica, and on the same connection as a primary on the next timeline. */
    private static ServerReport promoted(int index, FakeServer server) {
        ServerReport before = answered(index, server);
        WalPosition left = server.at();
        server.role = ServerRole.PRIMARY;
        server.timeline = left.timeline() + 1;
        Observation now = new Observation(ServerRole.PRIMARY, server.at(), server.timeline, true, left, "first");
        return before.answered(new Sample(server.introduction(), 10, now, 30, false));
    }

    @Test
    void followsTheLatestBranchAmongManyInAnyOrder() {
        for (int latest = 0; latest < 4; latest++) {
            int winner = latest;
            ServerReport[] reports = IntStream.range(0, 4)
                    .mapToObj(i -> {
                        FakeServer server = new FakeServer("db" + i, ServerRole.PRIMARY);
                        server.timeline = i == winner ? 3 : 2;
                        return answered(i, server);
                    })
                    .toArray(ServerReport[]::new);

            assertThat(reduce(EMPTY, reports).primary()).map(ServerState::index).contains(latest);
        }
    }

    @Test
    void noticesThatAPrimaryHasBecomeAReplica() {
        RoutingTable before = reduce(EMPTY, answered(0, primary), answered(1, one));
        primary.role = ServerRole.REPLICA;

        RoutingTable table = reduce(before, answered(0, primary), answered(1, one));

        assertThat(table.primary()).isEmpty();
        assertThat(table.replicas()).extracting(ServerState::name).containsExactly("db0", "db1");
    }

    @Test
    void readsFromNoReplicaThatIsTooFarBehind() {
        one.position = 10;

        RoutingTable table = new ClusterReducer(3)
                .reduce(
                        List.of(answered(0, primary), answered(1, one), answered(2, other)),
                        EMPTY,
                        position -> position.covers(new WalPosition("7", 1, 11)));

        assertThat(table.replicas()).extracting(ServerState::name).containsExactly("db2");
        assertThat(table.servers().get(1).tooFarBehind()).isTrue();
        assertThat(table.servers().get(0).tooFarBehind()).isFalse();
    }

    @Test
    void readsFromNoReplicaThatCannotSayWhereItIs() {
        Introduction introduction = one.introduction();
        Observation silent = new Observation(ServerRole.REPLICA, null, 0, "first");
        ServerReport report = unreached(1).answered(new Sample(introduction, 10, silent, 20, false));

        RoutingTable table = reduce(EMPTY, answered(0, primary), report);

        assertThat(table.replicas()).isEmpty();
        assertThat(table.servers().get(1).status()).isEqualTo(ServerStatus.UP);
        assertThat(table.servers().get(1).tooFarBehind()).isTrue();
    }

    private ServerStatus status(ServerReport report) {
        return reduce(EMPTY, answered(0, primary), report).servers().get(1).status();
    }

    private RoutingTable reduce(RoutingTable before, ServerReport... reports) {
        return reducer.reduce(List.of(reports), before, position -> true);
    }

    private static ServerReport unreached(int index) {
        return ServerReport.none(new MonitoredServer(
                index, "db" + index, List.of("eu"), new FakeServer("db" + index, ServerRole.UNKNOWN)));
    }

    private static ServerReport answered(int index, FakeServer server) {
        return unreached(index).answered(sample(server));
    }

    private static Sample sample(FakeServer server) {
        return new Sample(server.introduction(), 10, server.observation(), 20, false);
    }
}
