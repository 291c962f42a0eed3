package io.github.r2dbcrouting.benchmarks.load;

import io.github.r2dbcrouting.CausalSession;
import java.util.HashMap;
import java.util.Map;

/**
 * What must one user see?
 *
 * <p>Not safe for use by several threads at a time: a user does one thing after the other, and is handed on from one to
 * the next through a {@link Crew}.
 */
final class User {

    private static final long NEVER = Long.MIN_VALUE;

    private final CausalSession session = CausalSession.create();
    private final Map<Long, Long> written = new HashMap<>();
    private long wroteAt = NEVER;

    /**
     * Returns the session in which the user's causal reads are.
     *
     * @return the session
     */
    CausalSession session() {
        return session;
    }

    /**
     * Notes an acknowledged write.
     *
     * @param key which row
     * @param version the row's version that it made; versions of a row only grow
     * @param now the present time in nanoseconds
     */
    void wrote(long key, long version, long now) {
        var unused = written.merge(key, version, Math::max);
        wroteAt = now;
    }

    /**
     * Returns whether a read came back without what the user had written before it.
     *
     * @param key which row
     * @param version the version read
     * @return {@code false} also if the user never wrote the row
     */
    boolean stale(long key, long version) {
        return version < written.getOrDefault(key, Long.MIN_VALUE);
    }

    /**
     * Returns whether the user wrote a short while ago.
     *
     * @param now the present time in nanoseconds
     * @param window how long ago at most, in nanoseconds
     * @return {@code false} if it never wrote
     */
    boolean wroteWithin(long now, long window) {
        return wroteAt != NEVER && now - wroteAt < window;
    }
}
