package io.github.r2dbcrouting;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * How does a token travel through hands that are not to be trusted?
 *
 * <p>Signed, or encrypted: what comes back from a client is taken only if it was made with one of the keys, and not too
 * long ago. A plain token that a client makes up could make the reads of its sessions go to the primary. A signed token
 * can be read by whoever has it, which tells the system identifier of the cluster, its timeline and how much it writes;
 * of an encrypted one only the key's id can.
 *
 * <p>A codec makes tokens of one of the two forms and takes both, so that services can change from one to the other while
 * they run. Immutable and thread-safe. Reading never throws, whatever the text, and its work is bounded by the length that a
 * token may have.
 *
 * @since 0.1.0
 */
public final class TokenCodec {

    /** The age up to which a token is taken, unless another is set. */
    public static final Duration DEFAULT_MAX_AGE = Duration.ofHours(24);

    /** So far ahead of this clock may that of the service be which signed a token. */
    private static final Duration CLOCK_SKEW = Duration.ofMinutes(5);

    private static final String VERSION = "s1";
    private static final String ENCRYPTED = "e1";
    private static final char SEPARATOR = '~';
    private static final String ALGORITHM = "HmacSHA256";

    /** Half of the hash: NIST SP 800-107, section 5.3.3, holds half as many to be enough. */
    private static final int SIGNATURE_BYTES = 16;

    private static final int RADIX = 36;
    private static final int VERSION_PART = 0;
    private static final int KEY_PART = 1;
    private static final int TIME_PART = 2;
    private static final int SIGNATURE_PART = 3;
    private static final int PARTS = 5;

    private static final int BODY_PART = 2;
    private static final int ENCRYPTED_PARTS = 3;

    /** Of as many bytes, or a multiple, is what is encrypted: its length would tell the number of digits of a position. */
    private static final int BLOCK = 64;

    private final Map<String, SigningKey> keys;
    private final SigningKey current;
    private final boolean opaque;
    private final Duration maxAge;
    private final InstantSource clock;

    private TokenCodec(
            Map<String, SigningKey> keys, SigningKey current, boolean opaque, Duration maxAge, InstantSource clock) {
        this.keys = keys;
        this.current = current;
        this.opaque = opaque;
        this.maxAge = maxAge;
        this.clock = clock;
    }

    /**
     * Makes a codec that signs with HMAC-SHA256.
     *
     * <p>To replace a key, first give the new one to all services as a former one, then make it the current one, and
     * leave the old one out when the tokens that it signed are too old anyway.
     *
     * @param current signs, and is accepted
     * @param former are accepted only
     * @return the codec
     * @throws IllegalArgumentException if two keys have the same id
     */
    public static TokenCodec hmac(SigningKey current, SigningKey... former) {
        return new TokenCodec(keys(current, former), current, false, DEFAULT_MAX_AGE, InstantSource.system());
    }

    /**
     * Makes a codec that encrypts with AES-256-GCM, so that nothing of a token can be read but the key's id.
     *
     * <p>Keys are replaced as those of {@link #hmac}, and may be the same. There is no limit that a key could be used up
     * to. The first call reads random numbers of the platform's, which may block.
     *
     * @param current encrypts, and is accepted
     * @param former are accepted only
     * @return the codec
     * @throws IllegalArgumentException if two keys have the same id
     */
    public static TokenCodec encrypted(SigningKey current, SigningKey... former) {
        Map<String, SigningKey> keys = keys(current, former);
        TokenCipher.prepare();
        return new TokenCodec(keys, current, true, DEFAULT_MAX_AGE, InstantSource.system());
    }

    private static Map<String, SigningKey> keys(SigningKey current, SigningKey... former) {
        Map<String, SigningKey> keys = new LinkedHashMap<>();
        keys.put(current.id(), current);
        for (SigningKey key : former) {
            if (keys.putIfAbsent(key.id(), key) != null) {
                throw new IllegalArgumentException("there are two signing keys with the id '" + key.id() + "'");
            }
        }
        return keys;
    }

    /**
     * Sets up to which age tokens are taken.
     *
     * @param age positive
     * @return a copy of this codec
     * @throws IllegalArgumentException if the age is not positive
     */
    public TokenCodec maxAge(Duration age) {
        if (age.isZero() || age.isNegative()) {
            throw new IllegalArgumentException("the maximum age of tokens is positive, not " + age);
        }
        return new TokenCodec(keys, current, opaque, age, clock);
    }

    TokenCodec clock(InstantSource other) {
        return new TokenCodec(keys, current, opaque, maxAge, other);
    }

    /**
     * Signs or encrypts a token.
     *
     * @param token the token
     * @return at most {@value CausalToken#MAX_LENGTH} of the characters {@code [A-Za-z0-9._~-]}; where its positions do
     *     not all fit beside what is added, the last ones are left out
     */
    public String encode(CausalToken token) {
        String time = Long.toString(clock.instant().getEpochSecond(), RADIX);
        return opaque ? encrypted(time, token) : signed(time, token);
    }

    private String signed(String time, CausalToken token) {
        int signature = encoded(new byte[SIGNATURE_BYTES]).length();
        int overhead = String.join("~", VERSION, current.id(), time, "").length() + signature + 1;
        String payload = payload(token, CausalToken.MAX_LENGTH - overhead);
        return String.join(
                "~", VERSION, current.id(), time, encoded(signature(current, current.id(), time, payload)), payload);
    }

    private String encrypted(String time, CausalToken token) {
        String head = String.join("~", ENCRYPTED, current.id(), "");
        int space = (CausalToken.MAX_LENGTH - head.length()) * 3 / 4 - TokenCipher.OVERHEAD;
        String text = time + SEPARATOR + payload(token, space / BLOCK * BLOCK - time.length() - 1);
        // no text has a zero in it, so what is filled up with is told from it
        byte[] filled = Arrays.copyOf(bytes(text), (text.length() + BLOCK - 1) / BLOCK * BLOCK);
        return head + encoded(TokenCipher.seal(current.secret(), current.id(), filled));
    }

    private static String payload(CausalToken token, int length) {
        CausalToken fitting = token;
        while (fitting.encode().length() > length) {
            fitting = CausalToken.of(
                    fitting.positions().subList(0, fitting.positions().size() - 1), fitting.unresolved());
        }
        return fitting.encode();
    }

    /**
     * Reads what came from outside.
     *
     * @param text any text
     * @return the token, or why there is none
     */
    public Decoded decode(String text) {
        if (text.length() > CausalToken.MAX_LENGTH) {
            return Decoded.refused(Refusal.TOO_LONG);
        }
        List<String> parts = Arrays.asList(text.split(String.valueOf(SEPARATOR), PARTS));
        if (parts.size() == ENCRYPTED_PARTS && ENCRYPTED.equals(parts.get(VERSION_PART))) {
            return decrypted(parts.get(KEY_PART), parts.get(BODY_PART));
        }
        if (parts.size() < PARTS || !VERSION.equals(parts.get(VERSION_PART))) {
            return Decoded.refused(Refusal.MALFORMED);
        }
        SigningKey key = keys.get(parts.get(KEY_PART));
        if (key == null) {
            return Decoded.refused(Refusal.UNKNOWN_KEY);
        }
        String time = parts.get(TIME_PART);
        String payload = parts.get(PARTS - 1);
        String expected = encoded(signature(key, key.id(), time, payload));
        if (!MessageDigest.isEqual(bytes(expected), bytes(parts.get(SIGNATURE_PART)))) {
            return Decoded.refused(Refusal.FORGED);
        }
        return authentic(time, payload);
    }

    private Decoded decrypted(String id, String body) {
        SigningKey key = keys.get(id);
        if (key == null) {
            return Decoded.refused(Refusal.UNKNOWN_KEY);
        }
        byte[] sealed;
        try {
            sealed = Base64.getUrlDecoder().decode(body);
        } catch (IllegalArgumentException malformed) {
            return Decoded.refused(Refusal.MALFORMED);
        }
        if (!encoded(sealed).equals(body)) {
            // the last character has bits to spare: one token, one text
            return Decoded.refused(Refusal.MALFORMED);
        }
        byte[] filled = TokenCipher.open(key.secret(), key.id(), sealed);
        if (filled == null) {
            return Decoded.refused(Refusal.FORGED);
        }
        int length = filled.length;
        while (length > 0 && filled[length - 1] == 0) {
            length--;
        }
        String text = new String(filled, 0, length, StandardCharsets.UTF_8);
        int separator = text.indexOf(SEPARATOR);
        return separator < 0
                ? Decoded.refused(Refusal.MALFORMED)
                : authentic(text.substring(0, separator), text.substring(separator + 1));
    }

    /** From here on the text is one that a holder of the key made. */
    private Decoded authentic(String time, String payload) {
        Optional<CausalToken> token = CausalToken.tryParse(payload);
        if (token.isEmpty()) {
            return Decoded.refused(Refusal.MALFORMED);
        }
        long age;
        try {
            age = Math.subtractExact(clock.instant().getEpochSecond(), Long.parseLong(time, RADIX));
        } catch (ArithmeticException | NumberFormatException malformed) {
            return Decoded.refused(Refusal.MALFORMED);
        }
        if (age > maxAge.toSeconds() || age < -CLOCK_SKEW.toSeconds()) {
            return Decoded.refused(Refusal.EXPIRED);
        }
        return new Decoded(token.get(), null);
    }

    private static byte[] signature(SigningKey key, String id, String time, String payload) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(key.secret(), ALGORITHM));
            return Arrays.copyOf(mac.doFinal(bytes(String.join("~", VERSION, id, time, payload))), SIGNATURE_BYTES);
        } catch (GeneralSecurityException missing) {
            // every Java platform has to have it: java.security documentation, class Mac
            throw new IllegalStateException("this Java has no " + ALGORITHM, missing);
        }
    }

    private static String encoded(byte[] signature) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(signature);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Returns the ids of the keys. */
    @Override
    public String toString() {
        return "TokenCodec" + keys.keySet();
    }

    /**
     * What came of a text from outside.
     *
     * @param token the token; {@code null} if the text was refused
     * @param refusal why it was refused; {@code null} if it was not
     */
    public record Decoded(
            @Nullable CausalToken token, @Nullable Refusal refusal) {

        /**
         * Holds exactly one of the two.
         *
         * @param token the token; {@code null} if the text was refused
         * @param refusal why it was refused; {@code null} if it was not
         */
        public Decoded {
            if ((token == null) == (refusal == null)) {
                throw new IllegalArgumentException("either a token or a refusal");
            }
        }

        private static Decoded refused(Refusal refusal) {
            return new Decoded(null, Objects.requireNonNull(refusal));
        }
    }

    /** Why a text from outside is not taken for a token. */
    public enum Refusal {
        /** It is longer than any token. */
        TOO_LONG,
        /** It is no token of either form. */
        MALFORMED,
        /** It names a key that this codec does not have. */
        UNKNOWN_KEY,
        /** It was not made with the key that it names. */
        FORGED,
        /** It was made too long ago, or in the future. */
        EXPIRED
    }
}
