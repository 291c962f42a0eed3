package io.github.r2dbcrouting.webflux.http;

import java.security.Principal;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/**
 * Under which key is the token of a request's sender kept?
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface TokenKey {

    /**
     * Returns the key.
     *
     * @param exchange the request
     * @return the key; empty if there is none, so that nothing is kept. An error counts as none
     */
    Mono<String> of(ServerWebExchange exchange);

    /**
     * Keeps tokens by the name of whoever is logged in. The filter has to stand behind the one that finds that out.
     *
     * @return the key
     */
    static TokenKey principal() {
        return exchange -> exchange.getPrincipal().map(Principal::getName);
    }
}
