package io.github.r2dbcrouting.internal.table;

import java.time.Duration;

/**
 * What would the requests like to know sooner?
 *
 * <p>Called on request threads, as often as they like: implementations only take note and return at once.
 */
public interface Questions {

    /** A read found no replica that surely has what its session wrote. */
    void replicaBehind();

    /**
     * A read found no replica that is surely no older than its bound.
     *
     * @param bound how old a replica may be
     */
    void olderThan(Duration bound);

    /** The first of those who wait for a replica has begun to wait. */
    void replicaAwaited();

    /** Somebody waits for a replica, and has nobody to watch it on behalf of all. */
    void replicasUnwatched();

    /**
     * A server did not behave as the table says.
     *
     * @param server its index
     */
    void surprisedBy(int server);

    /**
     * A session held positions that may be lost, and goes on without them.
     *
     * @param positions how many
     */
    void positionsLost(int positions);
}
