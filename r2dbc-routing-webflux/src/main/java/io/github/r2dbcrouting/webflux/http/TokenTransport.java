package io.github.r2dbcrouting.webflux.http;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How do tokens travel in HTTP requests and answers?
 *
 * @param header the name of the header; {@code null} for none
 * @param cookie the name of the cookie; {@code null} for none
 * @param secureCookie whether the cookie is sent over HTTPS only; {@code null} for whether the request came by it
 * @param limit how long an answer waits for positions; what has none by then goes out unresolved
 * @param readOnlyGets whether GET and HEAD requests are declared to read only, so that statements of which it is not
 *     clear go to replicas
 * @since 0.1.0
 */
public record TokenTransport(
        @Nullable String header,
        @Nullable String cookie,
        @Nullable Boolean secureCookie,
        Duration limit,
        boolean readOnlyGets) {

    /** What the header and the cookie are called, unless they are given other names. */
    public static final String NAME = "Causal-Token";

    /** How long an answer waits, unless it is said otherwise. */
    public static final Duration LIMIT = Duration.ofMillis(250);

    /** By header and by cookie. */
    public static final TokenTransport DEFAULT = new TokenTransport(NAME, NAME, null, LIMIT, false);
}
