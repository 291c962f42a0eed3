package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.spi.ServerIdentity;
import org.jspecify.annotations.Nullable;

/**
 * In which life, and in which role, is the server at an address, and may it be used there at all?
 *
 * @param identity which server answered last; {@code null} if none ever did
 * @param role what it is
 * @param refused whether it must not be used: it lost its role to another primary, or is not on the cluster's line
 * @param drained whether nobody shall be lent a connection of it, though nothing is wrong with those that are lent
 */
record Tenure(@Nullable ServerIdentity identity, ServerRole role, boolean refused, boolean drained) {

    /** Of a server that was never reached. */
    static final Tenure UNKNOWN = new Tenure(null, ServerRole.UNKNOWN, false, false);

    /**
     * Returns what a table says of a server. That it does not answer says nothing: it is what it was.
     *
     * @param before what was known of it until now
     */
    static Tenure of(RoutingTable table, int index, Tenure before) {
        ServerState server = table.servers().get(index);
        if (server.status() == ServerStatus.REMOVED) {
            boolean refused = before.refused() || lost(table, before.role(), index);
            return new Tenure(before.identity(), before.role(), refused, true);
        }
        if (server.identity() == null) {
            return before;
        }
        boolean answers = server.status() == ServerStatus.UP
                || server.status() == ServerStatus.REFUSED
                || server.status() == ServerStatus.DISABLED;
        boolean refused = answers ? server.status() == ServerStatus.REFUSED : before.refused();
        boolean drained = answers ? server.status() == ServerStatus.DISABLED : before.drained();
        return new Tenure(server.identity(), server.role(), refused || lost(table, server.role(), index), drained);
    }

    /** A primary that is down when another one takes over may come back at any moment, for those who have it. */
    private static boolean lost(RoutingTable table, ServerRole role, int index) {
        return role == ServerRole.PRIMARY && table.followed() != RoutingTable.NOBODY && table.followed() != index;
    }

    boolean known() {
        return identity != null;
    }

    /** Whether a server that was chosen as this may still be used as that. */
    boolean allows(ServerState chosen) {
        return !refused && !drained && role == chosen.role();
    }

    /** Whether a lease leads to this life of the server, and was taken for this role of it. */
    boolean includes(Lease lease) {
        return !refused
                && !drained
                && role == lease.server().role()
                && lease.physical().introduction().identity().equals(identity);
    }

    /**
     * Whether a lease that this does not include must not even finish what it is at: whatever it writes would be lost.
     * A server that was a primary in another life may well run on somewhere, without anybody to watch it.
     */
    boolean severs(Lease lease) {
        boolean onlyDrained = drained
                && role == lease.server().role()
                && lease.physical().introduction().identity().equals(identity);
        return refused || (lease.server().role() == ServerRole.PRIMARY && !onlyDrained);
    }
}
