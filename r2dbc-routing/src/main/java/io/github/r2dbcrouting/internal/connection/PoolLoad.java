package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.internal.routing.Load;
import java.util.List;
import java.util.function.IntToDoubleFunction;

/** How busy and how quick are the servers, as their pools have it? */
public final class PoolLoad implements Load {

    private final List<ServerPool> pools;
    private final IntToDoubleFunction weight;

    /**
     * Creates a view of the pools.
     *
     * @param pools one for each server, at its index; may grow
     * @param weight how much of the load a server shall have, by its index
     */
    public PoolLoad(List<ServerPool> pools, IntToDoubleFunction weight) {
        // not copied: servers may be added
        this.pools = pools;
        this.weight = weight;
    }

    @Override
    public int inFlight(int server) {
        return pools.get(server).inFlight();
    }

    @Override
    public double latency(int server, long now) {
        return pools.get(server).latency().nanos(now);
    }

    @Override
    public double weight(int server) {
        return weight.applyAsDouble(server);
    }
}
