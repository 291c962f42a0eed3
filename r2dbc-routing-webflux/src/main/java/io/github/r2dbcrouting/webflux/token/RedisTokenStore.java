package io.github.r2dbcrouting.webflux.token;

import io.github.r2dbcrouting.CausalToken;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.springframework.data.redis.core.ReactiveStringRedisTemplate;
import org.springframework.data.redis.core.script.RedisScript;
import reactor.core.publisher.Mono;

/**
 * Keeps tokens in Redis, shared by all instances.
 *
 * <p>What is kept is signed, so that whoever can write to Redis cannot make tokens up. Redis ends it by its age. Instances
 * that add at the same time try again until what each has added is there. Thread-safe.
 *
 * @since 0.1.0
 */
public final class RedisTokenStore implements TokenStore {

    private static final RedisScript<Boolean> REPLACE = RedisScript.of("""
            local now = redis.call('GET', KEYS[1])
            if (now or '') ~= ARGV[1] then return false end
            redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
            return true
            """, Boolean.class);

    /** More than ever add at once under one key, within the moment that one takes. */
    private static final int ATTEMPTS = 64;

    private final ReactiveStringRedisTemplate redis;
    private final IncomingTokens tokens;
    private final String prefix;
    private final Duration maxAge;

    /**
     * Keeps tokens in a Redis.
     *
     * @param redis the Redis
     * @param tokens signs what is kept, and tells it from what others put there
     * @param prefix what all keys begin with
     * @param maxAge how long after it was last added to a token is kept; at least a millisecond
     */
    public RedisTokenStore(ReactiveStringRedisTemplate redis, IncomingTokens tokens, String prefix, Duration maxAge) {
        this.redis = redis;
        this.tokens = tokens;
        this.prefix = prefix;
        this.maxAge = maxAge;
    }

    @Override
    public Mono<CausalToken> find(String key) {
        return redis.opsForValue().get(prefix + key).flatMap(text -> Mono.justOrEmpty(tokens.read(text)));
    }

    @Override
    public Mono<Void> merge(String key, CausalToken token) {
        return change(key, known -> known.map(kept -> kept.merge(token)).orElse(token));
    }

    @Override
    public Mono<Void> replace(String key, CausalToken found, CausalToken token) {
        return change(
                key,
                known -> known.flatMap(kept -> kept.without(found))
                        .map(others -> others.merge(token))
                        .orElse(token));
    }

    private Mono<Void> change(String key, Function<Optional<CausalToken>, CausalToken> change) {
        return Mono.defer(() -> attempt(prefix + key, change))
                .filter(replaced -> replaced)
                .repeatWhenEmpty(ATTEMPTS, again -> again)
                .then();
    }

    private Mono<Boolean> attempt(String key, Function<Optional<CausalToken>, CausalToken> change) {
        return redis.opsForValue()
                .get(key)
                .map(Optional::of)
                .defaultIfEmpty(Optional.empty())
                .flatMap(kept -> {
                    Optional<CausalToken> known = kept.flatMap(tokens::read);
                    CausalToken changed = change.apply(known);
                    if (known.isPresent() && changed.equals(known.get())) {
                        return redis.expire(key, maxAge).thenReturn(true);
                    }
                    return redis.execute(
                                    REPLACE,
                                    List.of(key),
                                    List.of(
                                            kept.orElse(""),
                                            tokens.codec().encode(changed),
                                            Long.toString(maxAge.toMillis())))
                            .single(false);
                });
    }

    @Override
    public String toString() {
        return "RedisTokenStore[" + prefix + "]";
    }
}
