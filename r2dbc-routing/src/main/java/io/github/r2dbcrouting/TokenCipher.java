package io.github.r2dbcrouting;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * How does a text travel so that nobody else can read or change it?
 *
 * <p>AES-256-GCM, whose nonce must never be used twice under one key. Its 96 bits are too few to be drawn at random for
 * as many tokens as a busy application makes with one secret: NIST SP 800-38D, section 8.3, allows 2<sup>32</sup>. So 192
 * bits are drawn, and half of them make the key: each key is derived from the secret and 96 bits, and meets its nonce of
 * 96 bits once. Two alike are as unlikely among 2<sup>80</sup> tokens as among 2<sup>32</sup> with one key.
 */
final class TokenCipher {

    /** What is longer than the text: what was drawn, and the tag. */
    static final int OVERHEAD = 24 + 16;

    private static final int SALT_BYTES = 12;
    private static final int NONCE_BYTES = 12;
    private static final int DRAWN_BYTES = SALT_BYTES + NONCE_BYTES;
    private static final int TAG_BITS = 128;

    /** Signed texts begin otherwise, so no signature is ever such a key. */
    private static final byte[] PURPOSE = "r2dbc-routing token encryption 1".getBytes(StandardCharsets.US_ASCII);

    private static final String DERIVATION = "HmacSHA256";
    private static final String KEY_ALGORITHM = "AES";
    private static final String TRANSFORMATION = "AES/GCM/NoPadding";

    private TokenCipher() {}

    /** The generator of all: seeded once, and computing from then on, where the platform's own one reads a file. */
    private static final class Drawn {

        static final SecureRandom RANDOM = generator();

        private static SecureRandom generator() {
            try {
                SecureRandom generator = SecureRandom.getInstance("DRBG");
                // seeds it now, and not under the first token
                generator.nextBytes(new byte[DRAWN_BYTES]);
                return generator;
            } catch (NoSuchAlgorithmException other) {
                // a Java platform need not have it
                return new SecureRandom();
            }
        }
    }

    /** Reads the seed of the generator, which may block. */
    static void prepare() {
        byte[] unused = seal(new byte[1], "none", new byte[1]);
    }

    /**
     * Encrypts a text.
     *
     * @param secret the secret from which keys are derived
     * @param id what the secret is called; whoever opens it must call it the same
     * @param text what nobody else shall read
     * @return longer than the text by {@link #OVERHEAD}
     */
    static byte[] seal(byte[] secret, String id, byte[] text) {
        byte[] drawn = new byte[DRAWN_BYTES];
        Drawn.RANDOM.nextBytes(drawn);
        try {
            Cipher cipher = cipher(Cipher.ENCRYPT_MODE, secret, id, drawn);
            byte[] sealed = Arrays.copyOf(drawn, OVERHEAD + text.length);
            int written = cipher.doFinal(text, 0, text.length, sealed, DRAWN_BYTES);
            if (written != sealed.length - DRAWN_BYTES) {
                throw new IllegalStateException("encrypted " + written + " bytes of " + text.length);
            }
            return sealed;
        } catch (GeneralSecurityException missing) {
            throw missing(missing);
        }
    }

    /**
     * Decrypts a text.
     *
     * @param secret the secret from which keys are derived
     * @param id what the secret is called
     * @param sealed any bytes
     * @return the text; {@code null} if it was not sealed with this secret under this name
     */
    static byte @Nullable [] open(byte[] secret, String id, byte[] sealed) {
        if (sealed.length < OVERHEAD) {
            return null;
        }
        try {
            return cipher(Cipher.DECRYPT_MODE, secret, id, sealed)
                    .doFinal(sealed, DRAWN_BYTES, sealed.length - DRAWN_BYTES);
        } catch (AEADBadTagException forged) {
            return null;
        } catch (GeneralSecurityException missing) {
            throw missing(missing);
        }
    }

    private static Cipher cipher(int mode, byte[] secret, String id, byte[] drawn) throws GeneralSecurityException {
        byte[] name = id.getBytes(StandardCharsets.US_ASCII);
        Mac mac = Mac.getInstance(DERIVATION);
        mac.init(new SecretKeySpec(secret, DERIVATION));
        mac.update(PURPOSE);
        mac.update((byte) name.length);
        mac.update(name);
        mac.update(drawn, 0, SALT_BYTES);
        Cipher cipher = Cipher.getInstance(TRANSFORMATION);
        cipher.init(
                mode,
                new SecretKeySpec(mac.doFinal(), KEY_ALGORITHM),
                new GCMParameterSpec(TAG_BITS, drawn, SALT_BYTES, NONCE_BYTES));
        return cipher;
    }

    private static IllegalStateException missing(GeneralSecurityException missing) {
        // every Java platform has to have both: java.security documentation, classes Cipher and Mac
        return new IllegalStateException("this Java has no " + TRANSFORMATION + " or no " + DERIVATION, missing);
    }
}
