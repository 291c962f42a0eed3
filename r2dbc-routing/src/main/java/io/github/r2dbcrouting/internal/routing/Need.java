package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.spi.Position;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What must a replica have to be fresh enough for a read?
 *
 * @param required positions that it must cover; none together with a bound
 * @param bound everything from so long before {@code now}; {@code null} if age does not matter
 * @param now the time by which servers were sampled, in nanoseconds; 0 without a bound
 */
record Need(List<Position> required, @Nullable Duration bound, long now) {

    /** Of a read that asks for nothing. */
    static final Need NOTHING = new Need(List.of(), null, 0);

    static Need covering(List<Position> required) {
        return required.isEmpty() ? NOTHING : new Need(required, null, 0);
    }

    boolean metBy(ServerState replica) {
        return replica.covers(required) && (bound == null || replica.lag().within(now, bound.toNanos()));
    }

    /** See {@link Router#onLine}. */
    static List<Position> onLine(List<Position> required, RoutingTable table) {
        boolean all = true;
        for (int i = 0; i < required.size(); i++) {
            Position position = required.get(i);
            all &= position.equals(table.onLine(position));
        }
        if (all) {
            return required;
        }
        List<Position> there = new ArrayList<>(required.size());
        for (Position position : required) {
            Position onLine = table.onLine(position);
            there.add(onLine == null ? position : onLine);
        }
        return there;
    }
}
