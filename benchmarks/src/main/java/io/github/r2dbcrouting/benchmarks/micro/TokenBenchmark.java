package io.github.r2dbcrouting.benchmarks.micro;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.InvalidTokenException;
import io.github.r2dbcrouting.SigningKey;
import io.github.r2dbcrouting.TokenCodec;
import io.github.r2dbcrouting.postgresql.WalPosition;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * What does a token cost that is merged, written, read and verified?
 *
 * <p>The decision that it serves: whether every request and every response may carry one, and whether a session may be
 * merged at each capture. A signature is the dearest part; it is paid twice for each HTTP request.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class TokenBenchmark {

    /** How many clusters the token has an entry of. */
    @Param({"1", "4"})
    public int clusters = 1;

    private final TokenCodec codec = TokenCodec.hmac(SigningKey.of("k1", new byte[32]));
    private final TokenCodec encrypting = TokenCodec.encrypted(SigningKey.of("k1", new byte[32]));
    private CausalToken token = token(0);
    private CausalToken later = token;
    private String plain = "";
    private String signed = "";
    private String forged = "";
    private String encrypted = "";
    private String forgedEncrypted = "";
    private CausalSession session = CausalSession.create();

    /** Makes the tokens. */
    @Setup
    public void makeTokens() {
        token = token(0);
        later = token(1);
        plain = token.encode();
        signed = codec.encode(token);
        forged = signed.substring(0, signed.length() - 2) + (signed.endsWith("AA") ? "BB" : "AA");
        encrypted = encrypting.encode(token);
        // not the last character: it has bits to spare
        forgedEncrypted = encrypted.substring(0, encrypted.length() - 4)
                + (encrypted.startsWith("AA", encrypted.length() - 4) ? "BB" : "AA")
                + encrypted.substring(encrypted.length() - 2);
        session = CausalSession.resume(token);
    }

    private CausalToken token(long later) {
        List<WalPosition> positions = new ArrayList<>();
        for (int i = 0; i < clusters; i++) {
            positions.add(new WalPosition("700000000000000000" + i, 1, Tables.LSN + later));
        }
        return CausalToken.of(List.copyOf(positions));
    }

    /**
     * Merges two tokens.
     *
     * @return both
     */
    @Benchmark
    public CausalToken merge() {
        return token.merge(later);
    }

    /**
     * Merges a token into a session that has it already, as most captures do.
     *
     * @return the session
     */
    @Benchmark
    public CausalSession observe() {
        session.observe(token);
        return session;
    }

    /**
     * Writes a token without a signature.
     *
     * @return its text
     */
    @Benchmark
    public String encode() {
        return token.encode();
    }

    /**
     * Reads a token without a signature.
     *
     * @return the token
     * @throws InvalidTokenException never
     */
    @Benchmark
    public CausalToken parse() throws InvalidTokenException {
        return CausalToken.parse(plain);
    }

    /**
     * Writes a token with a signature.
     *
     * @return its text
     */
    @Benchmark
    public String sign() {
        return codec.encode(token);
    }

    /**
     * Reads a token and verifies its signature.
     *
     * @return what was read
     */
    @Benchmark
    public TokenCodec.Decoded verify() {
        return codec.decode(signed);
    }

    /**
     * Encrypts a token.
     *
     * @return its text
     */
    @Benchmark
    public String encrypt() {
        return encrypting.encode(token);
    }

    /**
     * Decrypts a token.
     *
     * @return what was read
     */
    @Benchmark
    public TokenCodec.Decoded decrypt() {
        return encrypting.decode(encrypted);
    }

    /**
     * Refuses a token that nobody with a key encrypted: it must not cost more than a good one.
     *
     * @return why it is refused
     */
    @Benchmark
    public TokenCodec.Decoded refuseEncrypted() {
        return encrypting.decode(forgedEncrypted);
    }

    /**
     * Refuses a token with a forged signature: it must not cost more than a good one.
     *
     * @return why it is refused
     */
    @Benchmark
    public TokenCodec.Decoded refuse() {
        return codec.decode(forged);
    }
}
