package io.github.r2dbcrouting.internal.session;

import io.github.r2dbcrouting.Unresolved;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * In which life of which replica has a session read, and until when?
 *
 * <p>Immutable. A life is known by a moment at which a connection of it was surely open: a recovery ends every
 * connection, so what was open at that moment, and still is, belongs to the same life. Times are those of
 * {@link System#nanoTime()}.
 *
 * @param life which one, as far as this session has met it
 * @param running how many reads are under way there, which may see more than has been seen
 * @param aliveAt when a connection of that life was surely open
 * @param seenAt when the last read ended, of those that have: nothing was seen later, but by those under way
 * @param basis where the replica was known to be when the last read began: all that it showed in this life is of that
 *     history. {@code null} if that is not known
 */
public record Sighting(
        Life life,
        int running,
        long aliveAt,
        long seenAt,
        @Nullable Position basis) {

    /** A life of a replica that one session has read from. Compared by identity: two may turn out to be the same. */
    public static final class Life {

        private final SessionState session;
        private final Floors floors;
        private final ServerIdentity identity;

        Life(SessionState session, Floors floors, ServerIdentity identity) {
            this.session = session;
            this.floors = floors;
            this.identity = identity;
        }
    }

    /**
     * Returns which server it was.
     *
     * @return the replica
     */
    public ServerIdentity identity() {
        return life.identity;
    }

    /**
     * Returns who has read.
     *
     * @return the session
     */
    public SessionState session() {
        return life.session;
    }

    /**
     * Tells whether a connection, provided that it is open now, belongs to the same life.
     *
     * @param server the server that it leads to
     * @param openedAt a time at which it was open
     * @return {@code true} if it surely does
     */
    public boolean includes(ServerIdentity server, long openedAt) {
        return openedAt - aliveAt < 0 && life.identity.equals(server);
    }

    /** Whether a position of the primary covers what was seen, if that was asked for later than all of it. */
    boolean ofTheHistoryThatIsFollowed() {
        return !life.floors.partedSince(aliveAt);
    }

    /** Whether it was seen in the cluster, and asked for at a time of which something holds. */
    boolean askedWhile(String cluster, LongPredicate time) {
        return time.test(aliveAt) && life.identity.cluster().equals(cluster);
    }

    /** Whether nothing was or will be seen later than the time. */
    boolean over(long time) {
        return running == 0 && seenAt - time <= 0;
    }

    Sighting begun(@Nullable Position known) {
        return new Sighting(life, running + 1, aliveAt, seenAt, known == null ? basis : known);
    }

    /** The server has answered something that was asked after {@code askedAt}, so the life lasted until then. */
    Sighting ended(long askedAt, long now) {
        return new Sighting(life, running - 1, later(aliveAt, askedAt), later(seenAt, now), basis);
    }

    /** As {@link #ended}, without an answer that shows that the life had not ended before. */
    Sighting brokenOff(long now) {
        return new Sighting(life, running - 1, aliveAt, later(seenAt, now), basis);
    }

    /** What it is in a token that is made before its position is known. */
    Unresolved unresolved() {
        return new Unresolved(life.identity.cluster(), basis, Unresolved.ENDED);
    }

    /** What is to be found out of what was seen by now. */
    SightedFloor floor() {
        long until = running > 0 ? life.floors.now() : seenAt;
        return new SightedFloor(life.session, life, life.floors, identity(), aliveAt, until);
    }

    private static long later(long one, long other) {
        return one - other < 0 ? other : one;
    }
}
