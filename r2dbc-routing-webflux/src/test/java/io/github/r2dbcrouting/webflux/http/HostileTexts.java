package io.github.r2dbcrouting.webflux.http;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.TokenCodec;
import io.github.r2dbcrouting.TokenCodecs;
import io.github.r2dbcrouting.postgresql.WalPosition;
import java.time.Duration;
import java.util.List;
import java.util.Random;

/** Which texts does somebody send who means no good? The same ones for the same seed. */
final class HostileTexts {

    private static final TokenCodec STRANGER = TokenCodec.hmac(Requests.key("k1x"));
    private static final TokenCodec OF_LAST_WEEK = TokenCodecs.ahead(Requests.key("k1"), Duration.ofDays(-7));
    private static final TokenCodec OF_NEXT_WEEK = TokenCodecs.ahead(Requests.key("k1"), Duration.ofDays(7));

    private final Random random;
    private final WalPosition now;
    private final String signed;

    HostileTexts(long seed, WalPosition now) {
        this.random = new Random(seed);
        this.now = now;
        this.signed = Requests.CODEC.encode(CausalToken.of(List.of(now)));
    }

    String next() {
        return switch (random.nextInt(11)) {
            case 0 -> noise(random.nextInt(200));
            case 1 -> signed.substring(0, random.nextInt(signed.length()));
            case 2 -> signed + noise(500 + random.nextInt(5000));
            case 3 -> flipped();
            case 4 -> STRANGER.encode(CausalToken.of(List.of(now))).replace("k1x", "k1");
            case 5 ->
                Requests.CODEC.encode(
                        CausalToken.of(List.of(new WalPosition("4" + random.nextInt(1000), 1, random.nextLong()))));
            // the key signed it, and the primary has not come so far: replayed after a restore, or with a stolen key
            case 6 ->
                Requests.CODEC.encode(CausalToken.of(List.of(new WalPosition(
                        now.cluster(), now.timeline(), now.lsn() + (1L << 40) + random.nextInt(1 << 30)))));
            case 7 ->
                CausalToken.of(List.of(new WalPosition(now.cluster(), now.timeline() + 1, now.lsn())))
                        .encode();
            case 8 -> OF_LAST_WEEK.encode(CausalToken.of(List.of(now)));
            case 9 -> OF_NEXT_WEEK.encode(CausalToken.of(List.of(now)));
            // as young as it likes to be
            default -> signed.replaceFirst("(?<=^s1~k1~)[0-9a-z]+", Long.toString(random.nextInt(), 36));
        };
    }

    private String flipped() {
        StringBuilder text = new StringBuilder(signed);
        int at = random.nextInt(text.length());
        text.setCharAt(at, (char) (text.charAt(at) ^ (1 << random.nextInt(6))));
        return text.toString();
    }

    private String noise(int length) {
        StringBuilder text = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            text.append((char) (' ' + random.nextInt(random.nextBoolean() ? 95 : 0x2000)));
        }
        return text.toString();
    }
}
