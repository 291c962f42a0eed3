package io.github.r2dbcrouting.webflux.http;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.PossiblyLostWriteException;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.webflux.token.IncomingTokens;
import io.github.r2dbcrouting.webflux.token.TokenStore;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.Ordered;
import org.springframework.http.HttpCookie;
import org.springframework.http.HttpMethod;
import org.springframework.http.ResponseCookie;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;

/**
 * Gives each request a session that goes on from the token that came with it, and each answer the session's token.
 *
 * <p>The token is written when the answer is committed: with the first element of a streaming one, which then says
 * nothing of what is written later (see {@link TokenEvents}). It goes out with errors and empty answers as well, and not
 * where the client has it, or the answer may be given to others by a cache. Nothing that a client sends makes a request
 * fail, and nothing about tokens does: only where sessions are told of losses by errors, and one turns out when the answer
 * is about to go out, that error takes its place.
 *
 * @since 0.1.0
 */
public final class CausalTokenWebFilter implements WebFilter, Ordered {

    /** Before almost everything, so that whatever reads and writes does it under the session. */
    public static final int DEFAULT_ORDER = Ordered.HIGHEST_PRECEDENCE + 100;

    private static final Logger LOG = LoggerFactory.getLogger(CausalTokenWebFilter.class);

    private final IncomingTokens tokens;
    private final TokenTransport transport;
    private final @Nullable StoredTokens stored;
    private final int order;

    /** What a client has brought along. */
    private record Carried(
            @Nullable CausalToken inHeader,
            boolean byCookie,
            @Nullable CausalToken inCookie) {

        /** Whether the client has it already: one that sends cookies may send nothing else the next time. */
        boolean has(CausalToken token) {
            CausalToken brought = byCookie ? inCookie : inHeader;
            return brought != null && brought.equals(token);
        }

        void observeIn(CausalSession session) {
            if (inHeader != null) {
                session.observe(inHeader);
            }
            if (inCookie != null) {
                session.observe(inCookie);
            }
        }
    }

    /** Whose tokens are kept where. */
    private record StoredTokens(TokenStore store, TokenKey key) {}

    /**
     * Creates a filter by which clients carry their tokens.
     *
     * @param tokens reads and signs them
     * @param transport how they travel
     * @param order where it stands among the filters
     */
    public CausalTokenWebFilter(IncomingTokens tokens, TokenTransport transport, int order) {
        this(tokens, transport, null, order);
    }

    /**
     * Creates a filter for clients that may not carry their tokens.
     *
     * @param tokens reads and signs those that are carried
     * @param transport how they travel
     * @param store where tokens are kept besides
     * @param key whose a request is
     * @param order where it stands among the filters
     */
    public CausalTokenWebFilter(
            IncomingTokens tokens, TokenTransport transport, TokenStore store, TokenKey key, int order) {
        this(tokens, transport, new StoredTokens(store, key), order);
    }

    private CausalTokenWebFilter(
            IncomingTokens tokens, TokenTransport transport, @Nullable StoredTokens stored, int order) {
        this.tokens = tokens;
        this.transport = transport;
        this.stored = stored;
        this.order = order;
    }

    @Override
    public int getOrder() {
        return order;
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        return Mono.defer(() -> {
            CausalSession session = CausalSession.create();
            Carried carried = carried(exchange.getRequest());
            carried.observeIn(session);
            StoredTokens kept = stored;
            return kept == null
                    ? run(exchange, chain, session, carried, null)
                    : Mono.defer(() -> kept.key.of(exchange))
                            .map(key -> Optional.of(new KeptToken(kept.store, key, tokens, transport.limit())))
                            .defaultIfEmpty(Optional.empty())
                            .onErrorResume(CausalTokenWebFilter::withoutKey)
                            .flatMap(token -> token.map(one -> one.observedBy(session))
                                    .orElseGet(Mono::empty)
                                    .then(Mono.defer(
                                            () -> run(exchange, chain, session, carried, token.orElse(null)))));
        });
    }

    private static Mono<Optional<KeptToken>> withoutKey(Throwable error) {
        LOG.debug("it is not known whose token a request would go on from", error);
        return Mono.just(Optional.empty());
    }

    private Mono<Void> run(
            ServerWebExchange exchange,
            WebFilterChain chain,
            CausalSession session,
            Carried carried,
            @Nullable KeptToken kept) {
        exchange.getResponse().beforeCommit(() -> write(exchange, session, carried, kept));
        Function<Context, Context> entry = Routing.session(session);
        boolean readOnly =
                transport.readOnlyGets() && reads(exchange.getRequest().getMethod());
        Mono<Void> handled = kept == null
                ? chain.filter(exchange)
                : Mono.usingWhen(
                        Mono.just(kept),
                        token -> chain.filter(exchange).then(Mono.defer(() -> keepTheRest(exchange, session, token))),
                        token -> Mono.empty(),
                        // nobody hears of another error any more
                        (token, error) -> keepTheRest(exchange, session, token).onErrorComplete(),
                        token -> keep(session, token).onErrorComplete());
        return handled.contextWrite(readOnly ? Routing.read().andThen(entry) : entry);
    }

    /** What was written after the answer was begun; one that is yet to begin takes the token along, and the word of a loss. */
    private Mono<Void> keepTheRest(ServerWebExchange exchange, CausalSession session, KeptToken kept) {
        return exchange.getResponse().isCommitted() ? keep(session, kept) : Mono.empty();
    }

    /** What was written is known to the store at least. */
    private Mono<Void> keep(CausalSession session, KeptToken kept) {
        return unlessLost(
                session.token(transport.limit()).flatMap(kept::keep),
                "what was done after the answer began is not stored");
    }

    /** What fails is done without; but whoever is to be told of losses by errors is told of one that turns out now. */
    private static Mono<Void> unlessLost(Mono<Void> passingOn, String without) {
        return passingOn.onErrorResume(error -> !(error instanceof PossiblyLostWriteException), error -> {
            LOG.debug(without, error);
            return Mono.empty();
        });
    }

    private static boolean reads(HttpMethod method) {
        return HttpMethod.GET.equals(method) || HttpMethod.HEAD.equals(method);
    }

    /** One header and one cookie: a client that sends more of them is none that got a token here. */
    private Carried carried(ServerHttpRequest request) {
        String header = transport.header() == null ? null : request.getHeaders().getFirst(transport.header());
        HttpCookie cookie =
                transport.cookie() == null ? null : request.getCookies().getFirst(transport.cookie());
        if (cookie == null) {
            return new Carried(tokens.read(header).orElse(null), false, null);
        }
        CausalToken inCookie = tokens.read(cookie.getValue()).orElse(null);
        return header == null || header.equals(cookie.getValue())
                ? new Carried(null, true, inCookie)
                : new Carried(tokens.read(header).orElse(null), true, inCookie);
    }

    private Mono<Void> write(
            ServerWebExchange exchange, CausalSession session, Carried carried, @Nullable KeptToken kept) {
        return unlessLost(
                session.token(transport.limit()).flatMap(token -> {
                    send(exchange, token, carried);
                    return kept == null ? Mono.<Void>empty() : kept.keep(token);
                }),
                "an answer goes out without a token");
    }

    private void send(ServerWebExchange exchange, CausalToken token, Carried carried) {
        ServerHttpResponse response = exchange.getResponse();
        if (isForAll(exchange)) {
            return;
        }
        String text = tokens.codec().encode(token);
        if (transport.header() != null) {
            response.getHeaders().set(transport.header(), text);
        }
        if (transport.cookie() != null && !carried.has(token)) {
            response.addCookie(ResponseCookie.from(transport.cookie(), text)
                    .path("/")
                    .httpOnly(true)
                    .sameSite("Lax")
                    .secure(secure(exchange.getRequest()))
                    .build());
        }
    }

    /** A cache between would give the token to others, and to the same client when that has a newer one. */
    private static boolean isForAll(ServerWebExchange exchange) {
        String cacheControl = exchange.getResponse().getHeaders().getCacheControl();
        return cacheControl != null
                && reads(exchange.getRequest().getMethod())
                && (cacheControl.contains("public") || cacheControl.contains("s-maxage"));
    }

    private boolean secure(ServerHttpRequest request) {
        return transport.secureCookie() == null
                ? "https".equalsIgnoreCase(request.getURI().getScheme())
                : transport.secureCookie();
    }

    @Override
    public String toString() {
        return "CausalTokenWebFilter[" + transport + "]";
    }
}
