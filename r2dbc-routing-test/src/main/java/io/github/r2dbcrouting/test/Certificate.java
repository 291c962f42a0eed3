package io.github.r2dbcrouting.test;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * With which certificate does a server prove who it is? Prints neither of its parts.
 *
 * @param chain the certificate and those of its issuers that clients do not have, as PEM
 * @param key its private key without a password, as PEM
 */
record Certificate(String chain, String key) {

    private static final String CHAIN_FILE = "server.crt";
    private static final String KEY_FILE = "server.key";

    Certificate {
        Objects.requireNonNull(chain, "chain");
        Objects.requireNonNull(key, "key");
    }

    /** Puts both where PostgreSQL looks for them; it refuses a key that others may read. */
    void write(Path data) throws IOException {
        FileTree.writePrivate(data.resolve(CHAIN_FILE), chain);
        FileTree.writePrivate(data.resolve(KEY_FILE), key);
    }

    @Override
    public String toString() {
        return "Certificate";
    }
}
