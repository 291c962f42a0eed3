package io.github.r2dbcrouting;

import java.time.Duration;
import java.time.Instant;

/** Codecs whose clock is wrong: what they sign is genuine, and dated in the past or in the future. */
public final class TokenCodecs {

    private TokenCodecs() {}

    public static TokenCodec ahead(SigningKey key, Duration by) {
        return TokenCodec.hmac(key).clock(() -> Instant.now().plus(by));
    }
}
