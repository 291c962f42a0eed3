package io.github.r2dbcrouting.webflux.token;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.Routing;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * What does a message carry so that its consumer reads what its producer has just written?
 *
 * <p>The bytes of one header, for Kafka and whatever else has headers. Thread-safe.
 *
 * @since 0.1.0
 */
public final class TokenHeader {

    /** What to call the header. */
    public static final String NAME = "causal-token";

    private final IncomingTokens tokens;
    private final Duration limit;

    /**
     * Creates the codec.
     *
     * @param tokens signs, and tells tokens from anything else
     * @param limit how long a producer waits for a position; a consumer of what has none by then reads the primary
     */
    public TokenHeader(IncomingTokens tokens, Duration limit) {
        this.tokens = tokens;
        this.limit = limit;
    }

    /**
     * Returns what a message says that is sent under the session of the Context, of everything before the subscription.
     *
     * @return the header's value; empty without a session, or if it has done nothing
     */
    public Mono<byte[]> outgoing() {
        return Routing.currentSession()
                .flatMap(session -> session.token(limit))
                .map(token -> tokens.codec().encode(token).getBytes(StandardCharsets.US_ASCII));
    }

    /**
     * Begins what a message brings about.
     *
     * @param value the header's value; {@code null} if it has none
     * @return a session for {@link Routing#session} around the message's handling; a fresh one if the value is no token
     */
    public CausalSession incoming(byte @Nullable [] value) {
        String text = value == null ? null : new String(value, StandardCharsets.ISO_8859_1);
        return tokens.read(text).map(CausalSession::resume).orElseGet(CausalSession::create);
    }
}
