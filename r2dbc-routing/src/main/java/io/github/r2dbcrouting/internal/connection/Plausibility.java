package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.spi.Position;
import java.util.ArrayList;
import java.util.List;

/**
 * Is it the replicas that lack what a read requires, or is what it requires not to be had anywhere?
 *
 * @param inDoubt what lies on the primary's branch, and beyond where the table has it; unmodifiable
 */
record Plausibility(List<Position> inDoubt) {

    static final Plausibility NOT_IN_DOUBT = new Plausibility(List.of());

    /** Compares what is required with where the primary was last seen. Without a primary there is no telling. */
    static Plausibility of(Ask ask, RoutingTable table) {
        String cluster = table.cluster();
        Position primary = table.primary().map(server -> server.position()).orElse(null);
        if (cluster == null || primary == null) {
            return NOT_IN_DOUBT;
        }
        List<Position> inDoubt = new ArrayList<>(0);
        for (Position position : ask.required(cluster)) {
            if (position.branch() == primary.branch() && !primary.covers(position)) {
                inDoubt.add(position);
            }
        }
        return new Plausibility(List.copyOf(inDoubt));
    }
}
