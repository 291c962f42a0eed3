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

    /**
     * Puts a token in the place of one that was found before, and that was gone on from: what it held and the other does
     * not was given up, as a position that is lost, or has a position by now, as a mark of something unresolved. What
     * others have added since stays. Without it an entry would keep all of that for as long as its user comes back.
     *
     * <p>By default it adds, as {@link #merge} does.
     *
     * @param key whose
     * @param found what {@link #find} had brought
     * @param token what it has become
     * @return completes when everybody finds it; nothing happens before it is subscribed
     */
    default Mono<Void> replace(String key, CausalToken found, CausalToken token) {
        return merge(key, token);
    }
}
