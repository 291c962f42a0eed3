package io.github.r2dbcrouting.benchmarks.micro;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.util.ArrayList;
import java.util.List;

/** A cluster of any size, as a router would know it. */
final class Tables {

    static final String CLUSTER = "7000000000000000001";
    static final long LSN = 0x5000000L;

    private Tables() {}

    /**
     * Returns what is known of servers, of which the first is the primary.
     *
     * @param count how many servers, at least one
     * @return their states; each replica is a little further behind than the one before
     */
    static List<ServerState> servers(int count) {
        List<ServerState> servers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            servers.add(new ServerState(
                    i,
                    "db" + i,
                    List.of(),
                    i == 0 ? ServerRole.PRIMARY : ServerRole.REPLICA,
                    ServerStatus.UP,
                    new WalPosition(CLUSTER, 1, LSN - i),
                    new ServerIdentity(CLUSTER, "started " + i),
                    1,
                    false,
                    null));
        }
        return servers;
    }

    static RoutingTable of(List<ServerState> servers) {
        return new RoutingTable(1, servers, servers.get(0), CLUSTER);
    }
}
