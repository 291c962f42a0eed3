package io.github.r2dbcrouting.webflux.http;

import io.github.r2dbcrouting.SigningKey;
import io.github.r2dbcrouting.TokenCodec;
import io.github.r2dbcrouting.webflux.RoutingConfigurationException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What do an application's properties say about tokens that travel?
 *
 * @param enabled Whether each request has a session, and its answer the session's token.
 * @param keys Keys that sign tokens, as 'id:secret' with at least 32 random bytes in Base64. The first one signs, all are
 *     accepted. All instances, and all services that exchange tokens, need the same.
 * @param opaque Whether tokens are encrypted, so that clients can read nothing of them, and not only signed. Tokens of
 *     both forms are accepted either way.
 * @param maxAge Age up to which tokens are taken, and kept in a store; at least 30s.
 * @param limit How long an answer waits for the positions of what was written. What has none by then goes out as a token
 *     that makes the next reads go to the primary.
 * @param readOnlyGets Whether GET and HEAD requests are declared to read only, so that statements of which it is not
 *     clear, such as calls of the application's functions, go to replicas.
 * @param order Where the filter stands among the application's web filters.
 * @param header The header.
 * @param cookie The cookie.
 * @param webClient The web client.
 * @param store Tokens of clients that do not carry them.
 * @since 0.1.0
 */
@ConfigurationProperties("r2dbc.routing.tokens")
public record TokenProperties(
        @DefaultValue("true") boolean enabled,
        @DefaultValue List<String> keys,
        @DefaultValue("false") boolean opaque,
        @DefaultValue("24h") Duration maxAge,
        @DefaultValue("250ms") Duration limit,
        @DefaultValue("false") boolean readOnlyGets,
        @DefaultValue("-2147483548") int order,
        @DefaultValue Header header,
        @DefaultValue Cookie cookie,
        @DefaultValue WebClient webClient,
        @DefaultValue Store store) {

    private static final String KEYS = "r2dbc.routing.tokens.keys";

    /** From this age on replicas serve nothing, whatever is asked for. */
    private static final Duration SHORTEST_AGE = Duration.ofSeconds(30);

    /** A token of HTTP (RFC 9110, section 5.6.2). */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]+");

    /**
     * How does the header carry tokens?
     *
     * @param enabled Whether it does.
     * @param name Its name.
     */
    public record Header(
            @DefaultValue("true") boolean enabled,
            @DefaultValue(TokenTransport.NAME) String name) {}

    /**
     * How does the cookie carry tokens?
     *
     * @param enabled Whether it does.
     * @param name Its name.
     * @param secure Whether browsers send it over HTTPS only. By default where the request came over HTTPS.
     */
    public record Cookie(
            @DefaultValue("true") boolean enabled,
            @DefaultValue(TokenTransport.NAME) String name,
            @Nullable Boolean secure) {}

    /**
     * To which other services do tokens go?
     *
     * @param hosts Names of the hosts to which the application's web clients send tokens; none by default.
     */
    public record WebClient(@DefaultValue Set<String> hosts) {}

    /**
     * Where are tokens kept for clients that do not carry them?
     *
     * @param type Where.
     * @param size How many tokens are kept in memory at most.
     * @param prefix What the keys in Redis begin with.
     */
    public record Store(
            @DefaultValue("none") Type type,
            @DefaultValue("100000") long size,
            @DefaultValue("r2dbc-routing:token:") String prefix) {

        /** Where are tokens kept? */
        public enum Type {
            /** Nowhere. */
            NONE,
            /** In this process. */
            MEMORY,
            /** In Redis, shared by all instances. */
            REDIS
        }
    }

    /**
     * Refuses what would show in no answer, but in reads that are behind.
     *
     * @throws RoutingConfigurationException if a value cannot be used
     */
    public TokenProperties {
        if (maxAge.compareTo(SHORTEST_AGE) < 0) {
            throw invalid(
                    "max-age",
                    maxAge,
                    "at least 30 s: replicas that are nearly so far behind still serve, and a token that is taken no"
                            + " longer protects nobody from them");
        }
        if (limit.isNegative()) {
            throw invalid("limit", limit, "no less than 0");
        }
        if (store.size < 1) {
            throw invalid("store.size", store.size, "at least 1");
        }
        if (header.enabled && !NAME.matcher(header.name).matches()) {
            throw invalid("header.name", header.name, "letters, digits, hyphens and what else HTTP allows in names");
        }
        if (cookie.enabled && !NAME.matcher(cookie.name).matches()) {
            throw invalid("cookie.name", cookie.name, "letters, digits, hyphens and what else HTTP allows in names");
        }
    }

    private static RoutingConfigurationException invalid(String name, Object value, String expected) {
        return new RoutingConfigurationException(
                "'r2dbc.routing.tokens." + name + "' is '" + value + "'.", "It must be " + expected + ".", null);
    }

    /** What is said where a store is asked for whose library is not there. */
    static RoutingConfigurationException noStore(String type, String library, String artifact) {
        return new RoutingConfigurationException(
                "'r2dbc.routing.tokens.store.type' is '" + type + "', and " + library + " is not on the class path.",
                "Add the dependency '" + artifact + "', or define a bean of type TokenStore.",
                null);
    }

    TokenTransport transport() {
        return new TokenTransport(
                header.enabled ? header.name : null,
                cookie.enabled ? cookie.name : null,
                cookie.secure,
                limit,
                readOnlyGets);
    }

    /** The codec of the keys; a message of what is wrong never repeats a secret. */
    TokenCodec codec() {
        if (keys.isEmpty()) {
            throw refused("No key signs the tokens that clients bring back: '" + KEYS + "' is not set.", null);
        }
        List<SigningKey> parsed = new ArrayList<>();
        for (int i = 0; i < keys.size(); i++) {
            parsed.add(key(i, keys.get(i)));
        }
        try {
            SigningKey current = parsed.get(0);
            SigningKey[] former = parsed.subList(1, parsed.size()).toArray(SigningKey[]::new);
            return (opaque ? TokenCodec.encrypted(current, former) : TokenCodec.hmac(current, former)).maxAge(maxAge);
        } catch (IllegalArgumentException invalid) {
            throw refused(
                    "'" + KEYS + "' or 'r2dbc.routing.tokens.max-age' cannot be used: " + invalid.getMessage(),
                    invalid);
        }
    }

    private static SigningKey key(int index, String text) {
        int colon = text.indexOf(':');
        if (colon < 0) {
            throw refused("'" + KEYS + "[" + index + "]' has no ':' between the key's id and its secret.", null);
        }
        byte[] secret;
        try {
            secret = Base64.getDecoder().decode(text.substring(colon + 1).strip());
        } catch (IllegalArgumentException repeatsTheSecret) {
            throw refused("The secret of '" + KEYS + "[" + index + "]' is not Base64.", null);
        }
        try {
            return SigningKey.of(text.substring(0, colon).strip(), secret);
        } catch (IllegalArgumentException invalid) {
            throw refused("'" + KEYS + "[" + index + "]' cannot be used: " + invalid.getMessage() + ".", invalid);
        }
    }

    private static RoutingConfigurationException refused(String what, @Nullable Throwable cause) {
        byte[] random = new byte[SigningKey.MIN_BYTES];
        new SecureRandom().nextBytes(random);
        return new RoutingConfigurationException(
                what,
                "Give all instances the same key. This one was generated just now and is used nowhere:\n\n    "
                        + KEYS + "=k1:" + Base64.getEncoder().encodeToString(random)
                        + "\n\nKeep it as you keep passwords. Without tokens, set 'r2dbc.routing.tokens.enabled=false'.",
                cause);
    }

    /** Names what is set, and no secret. */
    @Override
    public String toString() {
        return "TokenProperties[enabled=" + enabled + ", " + keys.size() + " keys, " + (opaque ? "opaque, " : "")
                + transport() + "]";
    }
}
