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
 * @param maxAge Age up to which tokens are taken, and kept in a store.
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
