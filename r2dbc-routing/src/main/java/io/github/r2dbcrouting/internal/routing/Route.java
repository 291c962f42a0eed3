package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.RouteDecision.Reason;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.internal.session.Sighting;
import io.github.r2dbcrouting.spi.Position;
import java.time.Duration;
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
 * @param bound how old the server may be when the read is sent; {@code null} if that does not matter
 * @param permit the place in the budget that the read takes; {@code null} if it takes none
 * @param waited how long it was waited for
 */
public record Route(
        @Nullable ServerState server,
        Reason reason,
        List<Position> required,
        RoutingTable table,
        List<Sighting> seen,
        boolean awaitsFloors,
        @Nullable Duration bound,
        @Nullable Permit permit,
        Duration waited) {

    /**
     * Creates the outcome of a decision that was made at once, and to which it does not matter what was seen before.
     *
     * @param server the chosen server; {@code null} if nobody can serve
     * @param reason why
     * @param required what the server's position must cover, and was seen to
     * @param table the table that was read
     */
    public Route(@Nullable ServerState server, Reason reason, List<Position> required, RoutingTable table) {
        this(server, reason, required, table, List.of(), false, null, null, Duration.ZERO);
    }

    /**
     * Returns whether the chosen server is the primary.
     *
     * @return whether it is
     */
    public boolean onPrimary() {
        return server != null && server.role() == ServerRole.PRIMARY;
    }

    /**
     * Returns whether the primary was chosen only because no replica could serve a read that is theirs. Where no replica
     * is configured, reads are the primary's own.
     *
     * @return whether such a read must stay within the budget
     */
    public boolean fallsBack() {
        return onPrimary() && table.servers().size() > 1 && lacking();
    }

    /**
     * Returns whether the primary may not stand in for the replicas, since the read's policy ends with nobody.
     *
     * @return whether there is no server although there is a primary
     */
    public boolean halted() {
        return server == null && table.primary().isPresent();
    }

    /**
     * Returns whether the server was drawn from those that are fresh enough, the primary among them where it serves reads
     * as the replicas do.
     *
     * @return whether another one may do as well
     */
    public boolean spread() {
        return switch (reason) {
            case COVERS_TOKEN, FRESH_ENOUGH, NOTHING_TO_COVER -> true;
            default -> false;
        };
    }

    /**
     * Returns whether no replica could serve a read that is theirs.
     *
     * @return whether one may be waited for
     */
    public boolean lacking() {
        return switch (reason) {
            case NO_REPLICA_COVERS, NO_REPLICA_FRESH, NO_REPLICA, WRITE_PENDING -> true;
            default -> false;
        };
    }

    /**
     * Completes the decision.
     *
     * @param granted the place in the budget that the read takes; {@code null} if it takes none
     * @param after how long it was waited for
     * @return a copy
     */
    public Route after(@Nullable Permit granted, Duration after) {
        return new Route(server, reason, required, table, seen, awaitsFloors, bound, granted, after);
    }
}
