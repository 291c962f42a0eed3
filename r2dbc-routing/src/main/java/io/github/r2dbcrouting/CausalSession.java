package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.session.SessionState;
import java.time.Duration;
import java.util.Objects;
import reactor.core.publisher.Mono;

/**
 * On whose behalf does a chain read and write?
 *
 * <p>A holder that is put into the immutable Context once ({@link Routing#session}) and collects the positions of what
 * is written and seen under it. What runs under the same session sees its writes, and never un-sees what it saw, from
 * any connection and any router that shares it. Its reads stay with one replica while they can, so give each user,
 * request or job a session of its own. Thread-safe; holds no resources and needs no closing.
 *
 * @since 0.1.0
 */
public final class CausalSession {

    private final SessionState state;

    CausalSession(SessionState state) {
        this.state = state;
    }

    /**
     * Creates a session that has neither written nor observed anything.
     *
     * @return the session
     */
    public static CausalSession create() {
        return new CausalSession(new SessionState());
    }

    /**
     * Continues where another process left off.
     *
     * @param token what reads under the session must not be behind
     * @return a session that has observed the token
     */
    public static CausalSession resume(CausalToken token) {
        CausalSession session = create();
        session.observe(token);
        return session;
    }

    /**
     * Adds what was learnt elsewhere: reads from now on are not behind the token either.
     *
     * @param token the token to merge in
     */
    public void observe(CausalToken token) {
        state.observe(Objects.requireNonNull(token, "token"));
    }

    /**
     * Returns the token of everything written and seen under this session before the subscription.
     *
     * <p>Nothing happens before it is subscribed; then it waits for the positions that are still lacking, which takes
     * about a millisecond, and longer while the primary cannot be reached. What a read has shown that is still under
     * way is covered as far as it has. It sets no limit itself: use {@code timeout}. Cancelling it changes nothing. The
     * signals come on a thread of Reactor's parallel scheduler, or on the subscriber's own if nothing has to be waited
     * for.
     *
     * @return the token, or empty if nothing was written, read or observed; signals {@link IllegalStateException} at
     *     once while a write transaction of this session is open, since its token could not arrive before that ends. A
     *     transaction that is declared read-only does not count as one. Signals {@link PossiblyLostWriteException}, once,
     *     where a write that was pending may be lost and the router is to tell the session
     */
    public Mono<CausalToken> token() {
        return state.token();
    }

    /**
     * Returns the token of everything written and seen under this session before the subscription, after a bounded time:
     * for whoever answers somebody and cannot wait.
     *
     * <p>What has no position by then, and what is still going on, is {@linkplain CausalToken#isUnresolved() unresolved}
     * in the token: reads of a session that continues with it see the primary, until it has been found out there. What
     * is written after the subscription is not part of it.
     *
     * @param atMost how long to wait for positions
     * @return the token, or empty if nothing was written, read or observed; at once where a write transaction of this
     *     session is open. Signals {@link PossiblyLostWriteException} as {@link #token()} does. On a thread as there
     */
    public Mono<CausalToken> token(Duration atMost) {
        return state.token(Objects.requireNonNull(atMost, "atMost"));
    }

    /**
     * Reads from the primary for some time after each write: the plain way to read one's own writes, for whoever wants to
     * start simple or to compare. It holds for causal reads, which see the session's writes after that time as before.
     *
     * <p>These reads are the primary's own: no budget bounds them.
     *
     * @param window how long, from a write's end, by the router's own clock; zero for not at all. Overrides the factory's
     *     setting
     * @return this
     * @throws IllegalArgumentException if it is negative or longer than a day
     */
    public CausalSession primaryFor(Duration window) {
        if (window.isNegative() || window.compareTo(Duration.ofDays(1)) > 0) {
            throw new IllegalArgumentException("the window is from 0 to 24 h, not " + window);
        }
        state.primaryFor(window.toNanos());
        return this;
    }

    SessionState state() {
        return state;
    }

    @Override
    public String toString() {
        return "CausalSession[" + state + "]";
    }
}
