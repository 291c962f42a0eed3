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
import java.util.Random;
import org.junit.jupiter.api.Test;

class SinceTests {

    private static final long SLOW_START = Since.SLOW_START.toNanos();
    private final long begin = new Random().nextLong();

    @Test
    void startsReplicasAtOnceThatAreFoundTogether() {
        Since unknown = Since.of(table(ServerStatus.UNKNOWN, ServerStatus.UNKNOWN), begin, null);
        Since found = Since.of(table(ServerStatus.UP, ServerStatus.UP), begin + 10, unknown);

        assertThat(found.anyReturned()).isFalse();
        assertThat(found.share(0, begin + 10)).isEqualTo(1);
        assertThat(found.changedAt(0)).isEqualTo(begin + 10);
    }

    @Test
    void startsAReplicaSlowlyThatComesBackWhileAnotherOneServes() {
        Since up = Since.of(table(ServerStatus.UP, ServerStatus.UP), begin, null);
        Since down = Since.of(table(ServerStatus.UP, ServerStatus.DOWN), begin + 10, up);
        Since back = Since.of(table(ServerStatus.UP, ServerStatus.UP), begin + 20, down);
        Since later = Since.of(table(ServerStatus.UP, ServerStatus.UP), begin + 30, back);

        assertThat(down.anyReturned()).isFalse();
        assertThat(back.anyStarting(begin + 20)).isTrue();
        assertThat(back.share(1, begin + 20)).isEqualTo(0.1);
        assertThat(back.share(0, begin + 20)).as("the one that served").isEqualTo(1);
        assertThat(later.share(1, begin + 20 + SLOW_START / 2)).isCloseTo(0.55, within(0.001));
        assertThat(later.share(1, begin + 20 + SLOW_START)).isEqualTo(1);
        assertThat(later.anyStarting(begin + 20 + SLOW_START)).isFalse();
        assertThat(later.changedAt(0)).isEqualTo(begin);
        assertThat(later.changedAt(1)).isEqualTo(begin + 20);
    }

    @Test
    void startsAReplicaSlowlyThatIsNew() {
        Since one = Since.of(table(ServerStatus.UP), begin, null);
        Since two = Since.of(table(ServerStatus.UP, ServerStatus.UP), begin + 10, one);

        assertThat(two.share(1, begin + 10)).isEqualTo(0.1);
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
