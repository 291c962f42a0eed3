package io.github.r2dbcrouting.spi;

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
