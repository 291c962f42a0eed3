package io.github.r2dbcrouting.webflux.http;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseCookie;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import reactor.core.publisher.Mono;

/**
 * Keeps a user's token from one request to the next, for clients that keep nothing: {@code WebTestClient}, and
 * {@code WebClient} as the client of a user.
 *
 * <p>One instance is one user, as one browser is. Thread-safe.
 *
 * @since 0.1.0
 */
public final class TokenKeeper implements ExchangeFilterFunction {

    private final String name;
    private final boolean byCookie;
    private final Map<String, String> kept = new ConcurrentHashMap<>(1);

    private TokenKeeper(String name, boolean byCookie) {
        this.name = name;
        this.byCookie = byCookie;
    }

    /**
     * Keeps the token by the header {@value TokenTransport#NAME}, as a service does.
     *
     * @return a new user
     */
    public static TokenKeeper byHeader() {
        return new TokenKeeper(TokenTransport.NAME, false);
    }

    /**
     * Keeps the token by the cookie {@value TokenTransport#NAME}, as a browser does.
     *
     * @return a new user
     */
    public static TokenKeeper byCookie() {
        return new TokenKeeper(TokenTransport.NAME, true);
    }

    /**
     * Keeps the token under another name.
     *
     * @param other the name of the header or the cookie
     * @return a new user
     */
    public TokenKeeper named(String other) {
        return new TokenKeeper(other, byCookie);
    }

    /**
     * Returns what would be sent now.
     *
     * @return the token's text; {@code null} if none was answered yet
     */
    public @Nullable String token() {
        return kept.get(name);
    }

    @Override
    public Mono<ClientResponse> filter(ClientRequest request, ExchangeFunction next) {
        return Mono.defer(() -> next.exchange(with(request, kept.get(name)))).doOnNext(this::keep);
    }

    private ClientRequest with(ClientRequest request, @Nullable String token) {
        if (token == null) {
            return request;
        }
        return byCookie
                ? ClientRequest.from(request).cookie(name, token).build()
                : ClientRequest.from(request)
                        .headers(headers -> headers.set(name, token))
                        .build();
    }

    private void keep(ClientResponse answer) {
        HttpHeaders headers = answer.headers().asHttpHeaders();
        ResponseCookie cookie = answer.cookies().getFirst(name);
        String token = byCookie ? (cookie == null ? null : cookie.getValue()) : headers.getFirst(name);
        if (token != null) {
            kept.put(name, token);
        }
    }
}
