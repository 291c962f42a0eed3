package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.RouteDecision.Reason;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.internal.session.Sighting;
import io.github.r2dbcrouting.spi.Position;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The outcome of one decision.
 *
 * @param server the chosen server; {@code null} if nobody can serve
 * @param reason why
 * @param required what the server's position must cover, and was seen to
 * @param table the table that was read
 * @param seen where the session has read what has no position yet: whoever serves it must be of the same life, or be
 *     the primary
 * @param awaitsFloors whether a replica might serve it as well, if only the positions of what was seen were known
 */
public record Route(
        @Nullable ServerState server,
        Reason reason,
        List<Position> required,
        RoutingTable table,
        List<Sighting> seen,
        boolean awaitsFloors) {

    /**
     * Creates the outcome of a decision to which it does not matter what was seen before.
     *
     * @param server the chosen server; {@code null} if nobody can serve
     * @param reason why
     * @param required what the server's position must cover, and was seen to
     * @param table the table that was read
     */
    public Route(@Nullable ServerState server, Reason reason, List<Position> required, RoutingTable table) {
        this(server, reason, required, table, List.of(), false);
    }

    /**
     * Returns whether the chosen server is the primary.
     *
     * @return whether it is
     */
    public boolean onPrimary() {
        return server != null && server.role() == ServerRole.PRIMARY;
    }
}
