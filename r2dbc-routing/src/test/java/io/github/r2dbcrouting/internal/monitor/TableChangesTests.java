package io.github.r2dbcrouting.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.RoutingEvent;
import io.github.r2dbcrouting.RoutingEvent.PrimaryChanged;
import io.github.r2dbcrouting.RoutingEvent.ServerChanged;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.postgresql.WalPosition;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TableChangesTests {

    private static final RoutingTable EMPTY = new RoutingTable(0, List.of(), null, null);

    @Test
    void tellsOfAServerThatIsReachedForTheFirstTime() {
        ServerState up = server(0, ServerRole.PRIMARY, ServerStatus.UP, 10, null);

        assertThat(between(EMPTY, new RoutingTable(1, List.of(up), up, "7")))
                .containsExactly(
                        new ServerChanged("db0", ServerRole.PRIMARY, ServerStatus.UP, null),
                        new PrimaryChanged(null, "db0"));
    }

    @Test
    void tellsNothingOfAServerThatWasNotReachedYet() {
        ServerState unknown = new ServerState(
                0, "db0", List.of(), ServerRole.UNKNOWN, ServerStatus.UNKNOWN, null, null, 0, true, null);

        assertThat(between(EMPTY, new RoutingTable(1, List.of(unknown), null, null)))
                .isEmpty();
    }

    @Test
    void tellsNothingWhenOnlyAPositionMoves() {
        RoutingTable before = replicaOnly(server(0, ServerRole.REPLICA, ServerStatus.UP, 10, null));
        RoutingTable after = replicaOnly(server(0, ServerRole.REPLICA, ServerStatus.UP, 20, null));

        assertThat(between(before, after)).isEmpty();
    }

    @Test
    void tellsOfAChangeOfStatusRoleOrProblem() {
        RoutingTable before = replicaOnly(server(0, ServerRole.REPLICA, ServerStatus.UP, 10, null));

        for (ServerState now : List.of(
                server(0, ServerRole.REPLICA, ServerStatus.SUSPECT, 10, null),
                server(0, ServerRole.PRIMARY, ServerStatus.UP, 10, null),
                server(0, ServerRole.REPLICA, ServerStatus.UP, 10, "slow"))) {
            assertThat(between(before, replicaOnly(now)))
                    .containsExactly(new ServerChanged("db0", now.role(), now.status(), now.problem()));
        }
    }

    @Test
    void tellsOfANewPrimaryAndOfNone() {
        ServerState one = server(0, ServerRole.PRIMARY, ServerStatus.UP, 10, null);
        ServerState other = server(1, ServerRole.PRIMARY, ServerStatus.UP, 10, null);
        RoutingTable first = new RoutingTable(1, List.of(one, other), one, "7");
        RoutingTable second = new RoutingTable(2, List.of(one, other), other, "7");
        RoutingTable none = new RoutingTable(3, List.of(one, other), null, "7");

        assertThat(between(first, second)).containsExactly(new PrimaryChanged("db0", "db1"));
        assertThat(between(second, none)).containsExactly(new PrimaryChanged("db1", null));
        assertThat(between(none, first)).containsExactly(new PrimaryChanged(null, "db0"));
    }

    private static List<RoutingEvent> between(RoutingTable before, RoutingTable after) {
        List<RoutingEvent> events = new ArrayList<>();
        TableChanges.between(before, after, events::add);
        return events;
    }

    private static RoutingTable replicaOnly(ServerState server) {
        return new RoutingTable(1, List.of(server), null, "7");
    }

    private static ServerState server(int index, ServerRole role, ServerStatus status, long lsn, String problem) {
        return new ServerState(
                index, "db" + index, List.of(), role, status, new WalPosition("7", 1, lsn), null, 5, false, problem);
    }
}
