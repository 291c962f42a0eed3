package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerState;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Since when is each server what it is? Immutable; times are those of the router's clock. */
final class Since {

    /** So long after its return a replica gets less than its share. */
    static final Duration SLOW_START = Duration.ofSeconds(5);

    private static final double FIRST_SHARE = 0.1;

    private final List<ServerState> servers;
    private final long[] changedAt;
    private final boolean[] returned;
    private final boolean anyReturned;
    private final long lastReturn;

    private Since(
            List<ServerState> servers, long[] changedAt, boolean[] returned, boolean anyReturned, long lastReturn) {
        this.servers = servers;
        this.changedAt = changedAt;
        this.returned = returned;
        this.anyReturned = anyReturned;
        this.lastReturn = lastReturn;
    }

    /**
     * Compares a table with the one before.
     *
     * @param table the table
     * @param now when it is looked at
     * @param before what was known of the one before; {@code null} if there was none
     */
    static Since of(RoutingTable table, long now, @Nullable Since before) {
        List<ServerState> servers = table.servers();
        long[] changedAt = new long[servers.size()];
        boolean[] returned = new boolean[servers.size()];
        // replicas that are found together, as at the start, share the load as they are
        boolean othersServed = before != null && before.servers.stream().anyMatch(ServerState::readable);
        boolean anyReturned = before != null && before.anyReturned;
        long lastReturn = before == null ? now : before.lastReturn;
        for (int i = 0; i < changedAt.length; i++) {
            ServerState server = servers.get(i);
            ServerState then = before != null && i < before.servers.size() ? before.servers.get(i) : null;
            if (before != null && then != null && same(then, server)) {
                changedAt[i] = before.changedAt[i];
                returned[i] = before.returned[i];
                continue;
            }
            changedAt[i] = now;
            returned[i] = othersServed && server.readable();
            if (returned[i]) {
                anyReturned = true;
                lastReturn = now;
            }
        }
        return new Since(servers, changedAt, returned, anyReturned, lastReturn);
    }

    private static boolean same(ServerState then, ServerState now) {
        return then.status() == now.status()
                && then.role() == now.role()
                && then.readable() == now.readable()
                && then.name().equals(now.name());
    }

    /** When the server's status, its role, or whether it may be read from, was seen to change last. */
    long changedAt(int server) {
        return changedAt[server];
    }

    /** Whether any replica has ever come back: not before, nobody needs to look at the clock. */
    boolean anyReturned() {
        return anyReturned;
    }

    /** Whether any replica has come back so lately that it gets less than its share. */
    boolean anyStarting(long now) {
        return anyReturned && now - lastReturn < SLOW_START.toNanos();
    }

    /** The part of its share that a server gets: a tenth when it comes back, and all of it after a while. */
    double share(int server, long now) {
        long age = now - changedAt[server];
        if (!returned[server] || age >= SLOW_START.toNanos()) {
            return 1;
        }
        return FIRST_SHARE + (1 - FIRST_SHARE) * Math.max(age, 0) / SLOW_START.toNanos();
    }
}
