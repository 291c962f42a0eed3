package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.RouteDecision.Reason;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
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
 */
public record Route(@Nullable ServerState server, Reason reason, List<Position> required, RoutingTable table) {

    /**
     * Returns whether the chosen server is the primary.
     *
     * @return whether it is
     */
    public boolean onPrimary() {
        return server != null && server.role() == ServerRole.PRIMARY;
    }
}
