package io.github.r2dbcrouting.webflux.token;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import io.github.r2dbcrouting.CausalToken;
import java.time.Duration;
import reactor.core.publisher.Mono;

/**
 * Keeps tokens in this process: for an application that is one, or whose clients stay with one instance.
 *
 * <p>Bounded in number and in age. Where there are too many, those go that were not asked for lately. Thread-safe.
 *
 * @since 0.1.0
 */
public final class InMemoryTokenStore implements TokenStore {

    private final Cache<String, CausalToken> tokens;

    /**
     * Creates an empty store.
     *
     * @param atMost how many tokens it keeps
     * @param maxAge how long after it was last added to a token is kept
     */
    public InMemoryTokenStore(long atMost, Duration maxAge) {
        this(atMost, maxAge, Ticker.systemTicker());
    }

    InMemoryTokenStore(long atMost, Duration maxAge, Ticker ticker) {
        // no thread of its own: what is too old, or too much, goes as part of a later call
        tokens = Caffeine.newBuilder()
                .maximumSize(atMost)
                .expireAfterWrite(maxAge)
                .ticker(ticker)
                .executor(Runnable::run)
                .build();
    }

    @Override
    public Mono<CausalToken> find(String key) {
        return Mono.fromSupplier(() -> tokens.getIfPresent(key));
    }

    @Override
    public Mono<Void> merge(String key, CausalToken token) {
        return Mono.fromRunnable(() -> tokens.asMap().merge(key, token, CausalToken::merge));
    }

    @Override
    public Mono<Void> replace(String key, CausalToken found, CausalToken token) {
        return Mono.fromRunnable(() -> tokens.asMap()
                .merge(
                        key,
                        token,
                        (kept, added) -> kept.without(found)
                                .map(others -> others.merge(added))
                                .orElse(added)));
    }

    @Override
    public String toString() {
        return "InMemoryTokenStore[" + tokens.estimatedSize() + " tokens]";
    }
}
