package io.github.r2dbcrouting.webflux.token;

import io.github.r2dbcrouting.CausalToken;
import reactor.core.publisher.Mono;

/**
 * Where is the token of somebody who cannot carry it himself?
 *
 * <p>For clients without headers and cookies of ours: the token is kept under a key of the application's choice, a user's
 * name or a tenant's. What is lost or too old makes nobody fail: whoever comes then has no token.
 *
 * @since 0.1.0
 */
public interface TokenStore {

    /**
     * Looks a token up.
     *
     * @param key whose
     * @return the token, empty if there is none; nothing happens before it is subscribed
     */
    Mono<CausalToken> find(String key);

    /**
     * Adds to what is kept, so that what several instances add at the same time is all there afterwards, and renews its
     * age.
     *
     * @param key whose
     * @param token what to add
     * @return completes when everybody finds it; nothing happens before it is subscribed
     */
    Mono<Void> merge(String key, CausalToken token);
}
