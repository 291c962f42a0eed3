package io.github.r2dbcrouting.webflux.token;

import io.github.r2dbcrouting.TokenCodec;

/**
 * What came of one place where a token may have come from outside?
 *
 * @since 0.1.0
 */
public enum TokenResult {
    /** It was taken. */
    ACCEPTED,
    /** There was none. */
    ABSENT,
    /** It is no signed token, or longer than any. */
    MALFORMED,
    /** None of the keys signed it. */
    FORGED,
    /** It was signed too long ago, or in the future. */
    EXPIRED,
    /** It was taken, and says nothing of the cluster that is routed to here. */
    FOREIGN_CLUSTER,
    /** It was taken, and the primary turned out not to have come so far: each position for each read that required it. */
    AHEAD_OF_PRIMARY;

    static TokenResult of(TokenCodec.Refusal refusal) {
        return switch (refusal) {
            case TOO_LONG, MALFORMED -> MALFORMED;
            case UNKNOWN_KEY, FORGED -> FORGED;
            case EXPIRED -> EXPIRED;
        };
    }
}
