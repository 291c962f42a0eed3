package io.github.r2dbcrouting.webflux.token;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.TokenCodec;
import io.github.r2dbcrouting.Unresolved;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which texts from outside are taken for tokens, and what became of the others?
 *
 * <p>Whatever the text, nothing is thrown, the work is bounded, and one that is refused costs no more than one that is
 * taken. Each is counted; the log says at DEBUG that one was refused, and why, and never what it was. Thread-safe.
 *
 * @since 0.1.0
 */
public final class IncomingTokens {

    private static final Logger LOG = LoggerFactory.getLogger(IncomingTokens.class);

    private final TokenCodec codec;
    private final Supplier<@Nullable String> cluster;
    private final Map<TokenResult, LongAdder> counts = new EnumMap<>(TokenResult.class);

    /**
     * Takes what the codec's keys have signed.
     *
     * @param codec tells genuine tokens from others
     * @param cluster returns the cluster that is routed to, {@code null} while that is not known; must be quick
     */
    public IncomingTokens(TokenCodec codec, Supplier<@Nullable String> cluster) {
        this.codec = codec;
        this.cluster = cluster;
        for (TokenResult result : TokenResult.values()) {
            counts.put(result, new LongAdder());
        }
        // the first use loads providers from the disk, which a request's thread had better not do
        var unused = codec.decode(codec.encode(CausalToken.parse("1~pg.1.1.1")));
    }

    /**
     * Takes what the codec's keys have signed, for a factory.
     *
     * @param codec tells genuine tokens from others
     * @param factory the factory whose cluster the tokens should speak of
     * @return the reader
     */
    public static IncomingTokens of(TokenCodec codec, RoutingConnectionFactory factory) {
        return new IncomingTokens(codec, () -> factory.table().cluster());
    }

    /**
     * Reads a text, and counts what came of it.
     *
     * @param text what came; {@code null} if nothing did
     * @return the token, if it is one; also if it is one of another cluster, which goes on to whoever it is for
     */
    public Optional<CausalToken> read(@Nullable String text) {
        if (text == null || text.isEmpty()) {
            count(TokenResult.ABSENT);
            return Optional.empty();
        }
        TokenCodec.Decoded decoded = codec.decode(text);
        CausalToken token = decoded.token();
        if (token == null) {
            TokenResult result = TokenResult.of(Objects.requireNonNull(decoded.refusal(), "refusal"));
            LOG.debug("a token from outside is ignored: {}", result);
            count(result);
            return Optional.empty();
        }
        count(foreign(token) ? TokenResult.FOREIGN_CLUSTER : TokenResult.ACCEPTED);
        return Optional.of(token);
    }

    /**
     * Returns what to go on from where a token was, and cannot be had: whatever was written before is seen.
     *
     * @return a token by which reads see the primary first; empty while the cluster is not known, when they do anyway
     */
    public Optional<CausalToken> instead() {
        return Optional.ofNullable(cluster.get())
                .map(own -> CausalToken.of(List.of(), List.of(new Unresolved(own, null, Unresolved.ENDED))));
    }

    private boolean foreign(CausalToken token) {
        String own = cluster.get();
        return own != null
                && Stream.concat(
                                token.positions().stream().map(position -> position.cluster()),
                                token.unresolved().stream().map(mark -> mark.cluster()))
                        .noneMatch(own::equals);
    }

    private void count(TokenResult result) {
        Objects.requireNonNull(counts.get(result)).increment();
    }

    /**
     * Returns how many texts had a result.
     *
     * @param result the result; of {@link TokenResult#AHEAD_OF_PRIMARY} only the router knows, and none are counted here
     * @return the number since this was made
     */
    public long counted(TokenResult result) {
        return Objects.requireNonNull(counts.get(result)).sum();
    }

    /**
     * Returns the codec.
     *
     * @return what tokens are read and signed with
     */
    public TokenCodec codec() {
        return codec;
    }
}
