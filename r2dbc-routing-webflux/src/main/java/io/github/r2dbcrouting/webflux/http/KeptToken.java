package io.github.r2dbcrouting.webflux.http;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.webflux.token.IncomingTokens;
import io.github.r2dbcrouting.webflux.token.TokenStore;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/** What is kept for the sender of one request, and what becomes of it. Nothing of it fails a request. */
final class KeptToken {

    private static final Logger LOG = LoggerFactory.getLogger(KeptToken.class);

    /** By then a store has taken a token, or will not. */
    private static final Duration STORE_LIMIT = Duration.ofSeconds(5);

    /** So long a request waits that must not be answered later than at once. */
    private static final Duration LEAST_LIMIT = Duration.ofMillis(250);

    private final TokenStore store;
    private final String key;
    private final IncomingTokens tokens;
    private final Duration limit;

    /** What is in the store, as far as this request knows. */
    private final AtomicReference<@Nullable CausalToken> known = new AtomicReference<>();

    /** What the session went on from because the store did not answer, of which the store need not hear. */
    private volatile @Nullable CausalToken instead;

    private volatile @Nullable CausalToken kept;

    /**
     * Looks nothing up yet.
     *
     * @param store where it is kept
     * @param key whose it is
     * @param tokens what to go on from if the store does not answer
     * @param limit how long to wait for the store
     */
    KeptToken(TokenStore store, String key, IncomingTokens tokens, Duration limit) {
        this.store = store;
        this.key = key;
        this.tokens = tokens;
        this.limit = limit;
    }

    /** Lets a session go on from what is kept. */
    Mono<Void> observedBy(CausalSession session) {
        return Mono.defer(() -> store.find(key))
                .timeout(limit.isZero() ? LEAST_LIMIT : limit)
                .doOnNext(found -> {
                    known.set(found);
                    session.observe(found);
                })
                .then()
                .onErrorResume(error -> {
                    LOG.debug("a stored token could not be had; the request reads from the primary first", error);
                    tokens.instead().ifPresent(mark -> {
                        instead = mark;
                        session.observe(mark);
                    });
                    return Mono.empty();
                });
    }

    /** Keeps what the session's token is by now. It goes on when nobody waits for it any longer. */
    Mono<Void> keep(CausalToken token) {
        return Mono.defer(() -> {
            CausalToken mark = instead;
            CausalToken own = mark == null ? token : token.without(mark).orElse(null);
            CausalToken last = kept;
            if (own == null || (last != null && last.equals(own))) {
                return Mono.empty();
            }
            kept = own;
            CausalToken before = known.getAndSet(own);
            Mono<Void> stored = Mono.defer(
                            () -> before == null ? store.merge(key, own) : store.replace(key, before, own))
                    .timeout(STORE_LIMIT)
                    .cache();
            return stored.timeout(limit);
        });
    }
}
