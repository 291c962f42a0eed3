package io.github.r2dbcrouting.webflux.actuator;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.InvalidTokenException;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.TokenCodec;
import io.github.r2dbcrouting.UnknownPolicyException;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.convert.DurationStyle;

/**
 * What would be decided for this?
 *
 * @param intent {@code read} or {@code write}; {@code null} for a read
 * @param freshness {@code any}, {@code causal}, {@code latest}, or how old at most; {@code null} for causal if there is a
 *     token, else any
 * @param policy the name of a policy; {@code null} for the default one
 * @param token what must be seen, signed by the application's keys or plain; {@code null} for nothing
 */
record Question(
        @Nullable String intent,
        @Nullable String freshness,
        @Nullable String policy,
        @Nullable String token) {

    private static final String FRESHNESSES = "any, causal, latest, or a duration such as 500ms";

    /**
     * Asks the router.
     *
     * @param factory the router
     * @param codec reads tokens that clients carry; {@code null} if there is none
     * @return what would be chosen now; nothing is taken or sent
     * @throws Refused.Thrown if it is no question
     */
    RouteDecision ask(RoutingConnectionFactory factory, @Nullable TokenCodec codec) {
        CausalToken given = token(codec);
        Routing asked = asked();
        if (policy != null) {
            asked = asked.policy(policy);
        }
        try {
            return factory.explain(asked, given == null ? null : CausalSession.resume(given));
        } catch (UnknownPolicyException unknown) {
            Set<String> known = new TreeSet<>(factory.policies().keySet());
            throw Refused.bad("policy", "there is no policy '" + policy + "'", "one of " + known);
        }
    }

    private Routing asked() {
        return switch (intent == null ? "read" : intent.toLowerCase(Locale.ROOT)) {
            case "read" -> freshness == null ? Routing.read() : Routing.read().freshness(parsed(freshness));
            case "write" -> Routing.write();
            default -> throw Refused.bad("intent", "'" + intent + "' is no intent", "read or write");
        };
    }

    private static Freshness parsed(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "any" -> Freshness.any();
            case "causal" -> Freshness.causal();
            case "latest" -> Freshness.latest();
            default -> bound(text);
        };
    }

    private static Freshness bound(String text) {
        try {
            return Freshness.atMost(DurationStyle.detectAndParse(text));
        } catch (IllegalArgumentException | ArithmeticException bad) {
            throw Refused.bad("freshness", "'" + text + "' is no freshness", FRESHNESSES);
        }
    }

    /** The text is not repeated: whoever has it can read behind nobody, but it is somebody's. */
    private @Nullable CausalToken token(@Nullable TokenCodec codec) {
        if (token == null || token.isEmpty()) {
            return null;
        }
        CausalToken signed = codec == null ? null : codec.decode(token).token();
        if (signed != null) {
            return signed;
        }
        try {
            return CausalToken.parse(token);
        } catch (InvalidTokenException bad) {
            throw Refused.bad(
                    "token",
                    codec == null ? bad.getMessage() : "neither one that the application has signed, nor a plain one",
                    "a causal token, as it stands in a header or a cookie, or as encode() returns it");
        }
    }
}
