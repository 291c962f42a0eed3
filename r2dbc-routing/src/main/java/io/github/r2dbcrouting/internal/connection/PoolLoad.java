package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.internal.routing.Load;
import java.util.List;

/** How busy and how quick are the servers, as their pools have it? */
public final class PoolLoad implements Load {

    private final List<ServerPool> pools;

    /**
     * Creates a view of the pools.
     *
     * @param pools one for each server, at its index; may grow
     */
    public PoolLoad(List<ServerPool> pools) {
        // not copied: servers may be added
        this.pools = pools;
    }

    @Override
    public int inFlight(int server) {
        return pools.get(server).inFlight();
    }

    @Override
    public double latency(int server, long now) {
        return pools.get(server).latency().nanos(now);
    }
}
