package io.github.r2dbcrouting.spi;

import java.util.OptionalLong;

/**
 * How far has a server's history come?
 *
 * <p>Positions are partially ordered: of two that lie on different branches of history neither covers the other.
 * Implementations are immutable.
 */
public interface Position {

    /**
     * Returns whether a server that stands here has everything that had happened at the other position.
     *
     * @param other the position asked for; one of another cluster or another engine is never covered
     * @return whether this position is at or beyond the other, on the same branch of history
     */
    boolean covers(Position other);

    /**
     * Returns which branch of history it lies on.
     *
     * @return the branch's number: of two branches of one cluster the one with the higher number began later. Equal
     *     numbers are not identity: two servers that were promoted separately give their branches the same
     */
    long branch();

    /**
     * Returns whether a position is at or beyond another one, whatever branches they are on. That says something only of
     * positions that are known to lie on one line of history.
     *
     * @param other the position asked for
     * @return whether it is of the same cluster, and this position is at or beyond it
     */
    boolean reaches(Position other);

    /**
     * Returns how much history lies between this position and one ahead of it, whatever branches they are on: for people
     * and metrics, and no question of routing.
     *
     * @param ahead another position
     * @return a number of bytes, 0 if this position is at or beyond the other; empty if the engine cannot tell, or they
     *     are of different clusters
     */
    default OptionalLong bytesBehind(Position ahead) {
        return OptionalLong.empty();
    }

    /**
     * Returns the same place under the name of another branch, for positions that lie on one line of history.
     *
     * @param branch the number of the other branch
     * @return the position there
     */
    Position onBranch(long branch);

    /**
     * Tells how much history lies between two positions of one branch, for people.
     *
     * @param ahead a position at or beyond this one
     * @return the bytes between them; empty if they are not on the same branch, or the engine does not count in bytes
     */
    default OptionalLong bytesTo(Position ahead) {
        return OptionalLong.empty();
    }

    /**
     * Returns the cluster whose history this is a position of.
     *
     * @return an identifier that no other cluster has, at most 64 characters of {@code [A-Za-z0-9_-]}
     */
    String cluster();

    /**
     * Returns the text that {@link Engine} implementations of the same kind read back.
     *
     * @return at most 96 characters of {@code [A-Za-z0-9._-]}, beginning with the engine's own prefix
     */
    String text();
}
