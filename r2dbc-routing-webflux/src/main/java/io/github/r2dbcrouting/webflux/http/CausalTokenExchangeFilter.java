package io.github.r2dbcrouting.webflux.http;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.PossiblyLostWriteException;
import io.github.r2dbcrouting.webflux.token.IncomingTokens;
import java.time.Duration;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import reactor.core.publisher.Mono;

/**
 * Sends the session's token to other services, and goes on from what they answer.
 *
 * <p>Without a session in the Context it does nothing. It speaks to the named hosts only: tokens tell how busy a database
 * is, and are nobody else's business. Where sessions are told of losses by errors, and one turns out when the token is asked
 * for, the request fails with that, and is not sent. Thread-safe.
 *
 * @since 0.1.0
 */
public final class CausalTokenExchangeFilter implements ExchangeFilterFunction {

    private static final Logger LOG = LoggerFactory.getLogger(CausalTokenExchangeFilter.class);

    private final IncomingTokens tokens;
    private final String header;
    private final Duration limit;
    private final Set<String> hosts;

    /**
     * Creates a filter.
     *
     * @param tokens reads and signs tokens
     * @param header the name of the header
     * @param limit how long a request waits for positions; what has none by then goes out unresolved
     * @param hosts the names of the hosts that share the keys, as URLs name them; empty for all
     */
    public CausalTokenExchangeFilter(IncomingTokens tokens, String header, Duration limit, Set<String> hosts) {
        this.tokens = tokens;
        this.header = header;
        this.limit = limit;
        this.hosts = Set.copyOf(hosts);
    }

    @Override
    public Mono<ClientResponse> filter(ClientRequest request, ExchangeFunction next) {
        if (!hosts.isEmpty() && !hosts.contains(String.valueOf(request.url().getHost()))) {
            return next.exchange(request);
        }
        return Mono.deferContextual(context -> context.<CausalSession>getOrEmpty(CausalSession.class)
                .map(session -> exchange(session, request, next))
                .orElseGet(() -> next.exchange(request)));
    }

    private Mono<ClientResponse> exchange(CausalSession session, ClientRequest request, ExchangeFunction next) {
        return session.token(limit)
                .map(token -> ClientRequest.from(request)
                        .headers(headers -> headers.set(header, tokens.codec().encode(token)))
                        .build())
                // the one word on a loss is for whoever makes the request
                .onErrorResume(error -> !(error instanceof PossiblyLostWriteException), error -> {
                    LOG.debug("a request goes out without a token", error);
                    return Mono.empty();
                })
                .defaultIfEmpty(request)
                .flatMap(next::exchange)
                .doOnNext(answer -> tokens.read(answer.headers().asHttpHeaders().getFirst(header))
                        .ifPresent(session::observe));
    }
}
