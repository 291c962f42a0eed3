package io.github.r2dbcrouting.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SinceTests {

    private static final long SLOW_START = Since.SLOW_START.toNanos();
    private static final long BEGIN = Long.MAX_VALUE - 5;

    @Test
    void startsReplicasAtOnceThatAreFoundTogether() {
        Since unknown = Since.of(table(ServerStatus.UNKNOWN, ServerStatus.UNKNOWN), BEGIN, null);
        Since found = Since.of(table(ServerStatus.UP, ServerStatus.UP), BEGIN + 10, unknown);

        assertThat(found.anyReturned()).isFalse();
        assertThat(found.share(0, BEGIN + 10)).isEqualTo(1);
        assertThat(found.changedAt(0)).isEqualTo(BEGIN + 10);
    }

    @Test
    void startsAReplicaSlowlyThatComesBackWhileAnotherOneServes() {
        Since up = Since.of(table(ServerStatus.UP, ServerStatus.UP), BEGIN, null);
        Since down = Since.of(table(ServerStatus.UP, ServerStatus.DOWN), BEGIN + 10, up);
        Since back = Since.of(table(ServerStatus.UP, ServerStatus.UP), BEGIN + 20, down);
        Since later = Since.of(table(ServerStatus.UP, ServerStatus.UP), BEGIN + 30, back);

        assertThat(down.anyReturned()).isFalse();
        assertThat(back.anyStarting(BEGIN + 20)).isTrue();
        assertThat(back.share(1, BEGIN + 20)).isEqualTo(0.1);
        assertThat(back.share(0, BEGIN + 20)).as("the one that served").isEqualTo(1);
        assertThat(later.share(1, BEGIN + 20 + SLOW_START / 2)).isCloseTo(0.55, within(0.001));
        assertThat(later.share(1, BEGIN + 20 + SLOW_START)).isEqualTo(1);
        assertThat(later.anyStarting(BEGIN + 20 + SLOW_START)).isFalse();
        assertThat(later.changedAt(0)).isEqualTo(BEGIN);
        assertThat(later.changedAt(1)).isEqualTo(BEGIN + 20);
    }

    @Test
    void startsAReplicaSlowlyThatIsNew() {
        Since one = Since.of(table(ServerStatus.UP), BEGIN, null);
        Since two = Since.of(table(ServerStatus.UP, ServerStatus.UP), BEGIN + 10, one);

        assertThat(two.share(1, BEGIN + 10)).isEqualTo(0.1);
    }

    private static RoutingTable table(ServerStatus... statuses) {
        List<ServerState> servers = new ArrayList<>();
        for (ServerStatus status : statuses) {
            int index = servers.size();
            servers.add(new ServerState(
                    index,
                    "db" + index,
                    List.of(),
                    ServerRole.REPLICA,
                    status,
                    null,
                    new ServerIdentity("7", "start"),
                    1,
                    false,
                    null));
        }
        return new RoutingTable(1, servers, null, "7");
    }
}
