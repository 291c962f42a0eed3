package io.github.r2dbcrouting.webflux.http;

import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.webflux.token.IncomingTokens;
import java.time.Duration;
import org.reactivestreams.Publisher;
import org.springframework.http.codec.ServerSentEvent;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * How does a stream of server-sent events tell of what is written while it runs?
 *
 * <p>Its headers have gone out before. By an event, which the page sends back as the header of its next request. Thread-safe.
 *
 * @since 0.1.0
 */
public final class TokenEvents {

    /** The type of the event. */
    public static final String EVENT = "causal-token";

    private final IncomingTokens tokens;
    private final Duration limit;

    /**
     * Creates the source of such events.
     *
     * @param tokens signs tokens
     * @param limit how long an event waits for positions; what has none by then goes out unresolved
     */
    public TokenEvents(IncomingTokens tokens, Duration limit) {
        this.tokens = tokens;
        this.limit = limit;
    }

    /**
     * Returns an event with the token of the session in the Context, of everything before the subscription.
     *
     * @return the event, whose data is the token's text; empty without a session, or if it has done nothing
     */
    public Mono<ServerSentEvent<Object>> event() {
        return Routing.currentSession()
                .flatMap(session -> session.token(limit))
                .map(token -> ServerSentEvent.<Object>builder(tokens.codec().encode(token))
                        .event(EVENT)
                        .build());
    }

    /**
     * Adds the event at a stream's end.
     *
     * @param events the stream
     * @return the stream and, if it ends without an error, the event
     */
    public Flux<ServerSentEvent<Object>> atTheEndOf(Publisher<ServerSentEvent<Object>> events) {
        return Flux.concat(events, event());
    }
}
