package io.github.r2dbcrouting;

import java.util.Objects;

/**
 * A secret by which tokens that come back from outside are recognised as one's own.
 *
 * <p>All instances of all services that exchange tokens need the same keys.
 *
 * @since 0.1.0
 */
public final class SigningKey {

    /** The least number of bytes of a secret: those of the hash, as RFC 2104, section 3, advises. */
    public static final int MIN_BYTES = 32;

    private static final int MAX_ID_LENGTH = 16;

    private final String id;
    private final byte[] secret;

    private SigningKey(String id, byte[] secret) {
        this.id = id;
        this.secret = secret;
    }

    /**
     * Makes a key.
     *
     * @param id names the key in the tokens that it signs or encrypts, so that keys can be replaced: 1 to 16 letters, digits,
     *     {@code _} or {@code -}; not secret
     * @param secret at least {@value #MIN_BYTES} bytes, random; copied
     * @return the key
     * @throws IllegalArgumentException if the id has other characters or is too long, or the secret is too short
     */
    public static SigningKey of(String id, byte[] secret) {
        Names.check(Objects.requireNonNull(id, "id"), "a signing key's id", "_-");
        if (id.length() > MAX_ID_LENGTH) {
            throw new IllegalArgumentException(
                    "a signing key's id has at most " + MAX_ID_LENGTH + " characters, this has " + id.length());
        }
        if (secret.length < MIN_BYTES) {
            throw new IllegalArgumentException("the secret of signing key '" + id + "' has " + secret.length
                    + " bytes: it needs at least " + MIN_BYTES);
        }
        return new SigningKey(id, secret.clone());
    }

    /**
     * Returns what names the key.
     *
     * @return the id
     */
    public String id() {
        return id;
    }

    byte[] secret() {
        return secret;
    }

    /** Returns the id only. */
    @Override
    public String toString() {
        return "SigningKey[" + id + "]";
    }
}
