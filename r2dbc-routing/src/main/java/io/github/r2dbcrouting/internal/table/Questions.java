package io.github.r2dbcrouting.internal.table;

import io.github.r2dbcrouting.internal.session.Unplaced;
import io.github.r2dbcrouting.spi.Position;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

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
     * Tells which positions nobody can have got from the primary, since it has not come so far. Asks it at most once in a
     * few milliseconds for all who want to know, and only if what it has said so far does not tell.
     *
     * @param positions positions on the branch of the primary
     * @return those that lie beyond the end of its history, which was read after this was subscribed; empty where there is
     *     no telling. One element, not on the monitor's thread; never errors
     */
    Mono<List<Position>> beyondTheEnd(List<Position> positions);

    /**
     * A session held positions that may be lost, and goes on without them.
     *
     * @param positions how many
     */
    void positionsLost(int positions);

    /**
     * A session came with something that has ended and has no position: any position of the primary that is asked for from
     * now on covers it.
     *
     * @param write what is to be settled
     * @param primary the index of the primary in the table that the session is routed by
     * @param basis where the primary was before it, as far as that is known
     * @param sentAt when it was sent, by the monitor's clock, or before: of a primary that has been up since then it is not
     *     lost
     */
    void positionWanted(Unplaced write, int primary, @Nullable Position basis, long sentAt);

    /** Somebody waits for a position. */
    void positionAwaited();

    /**
     * Tells whether another branch of history was followed at a time than is now, or another primary: what was seen then
     * need not be part of the history that is followed now.
     *
     * @param time the time, by the clock of the monitor
     * @return whether the branch has changed since
     */
    boolean partedSince(long time);
}
