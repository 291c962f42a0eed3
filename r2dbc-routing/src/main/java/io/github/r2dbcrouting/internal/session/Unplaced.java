package io.github.r2dbcrouting.internal.session;

import io.github.r2dbcrouting.CausalToken;

/** What does a session still lack a position for? */
public sealed interface Unplaced permits PendingWrite, SightedFloor {

    /**
     * It lies at or before the token, if it took place. The first call counts.
     *
     * @param token a position of its cluster, as a token that all share who are given it
     * @param sentAt when that position was asked for, by {@link System#nanoTime()}
     */
    void settle(CausalToken token, long sentAt);

    /**
     * It may not have taken place, or what was seen may be gone: its server went before a position was known. Called
     * before it is settled.
     */
    void lost();

    /**
     * Tells whether something would be lost with it if its server were.
     *
     * @return {@code false} if it surely only read
     */
    boolean mayHaveWritten();
}
