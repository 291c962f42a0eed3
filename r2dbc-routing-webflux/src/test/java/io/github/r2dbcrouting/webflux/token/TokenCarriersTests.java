package io.github.r2dbcrouting.webflux.token;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.SigningKey;
import io.github.r2dbcrouting.TokenCodec;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.micrometer.context.ContextRegistry;
import io.micrometer.context.ContextSnapshotFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;
import reactor.util.context.Context;

/** Tokens in messages, in stores and beside threads. */
class TokenCarriersTests {

    private static final CausalToken TOKEN = CausalToken.parse("1~pg.7.1.ff");
    private static final CausalToken LATER = CausalToken.parse("1~pg.7.1.fff");
    private static final Duration LIMIT = Duration.ofMillis(250);
    private static final Duration HOUR = Duration.ofHours(1);

    private final IncomingTokens tokens =
            new IncomingTokens(TokenCodec.hmac(SigningKey.of("k1", new byte[32])), () -> "7");
    private final TokenHeader header = new TokenHeader(tokens, LIMIT);

    @Test
    void letsAConsumerGoOnFromItsProducer() throws Exception {
        byte[] value = Objects.requireNonNull(header.outgoing()
                .contextWrite(Routing.session(CausalSession.resume(TOKEN)))
                .block(LIMIT));

        StepVerifier.create(header.incoming(value).token()).expectNext(TOKEN).verifyComplete();
    }

    @Test
    void sendsNothingWithoutASession() {
        StepVerifier.create(header.outgoing()).verifyComplete();
    }

    @Test
    void handlesAMessageWithoutATokenInAFreshSession() {
        StepVerifier.create(header.incoming(null).token()).verifyComplete();
        StepVerifier.create(header.incoming(new byte[] {0, -1, 127}).token()).verifyComplete();
        StepVerifier.create(header.incoming(TOKEN.encode().getBytes(StandardCharsets.UTF_8))
                        .token())
                .verifyComplete();
        assertThat(tokens.counted(TokenResult.MALFORMED)).isEqualTo(2);
        assertThat(tokens.counted(TokenResult.ABSENT)).isOne();
    }

    @Test
    void keepsInMemoryWhatAllAdded() {
        InMemoryTokenStore store = new InMemoryTokenStore(10, HOUR);

        StepVerifier.create(
                        store.merge("a", LATER).then(store.merge("a", TOKEN)).then(store.find("a")))
                .expectNext(LATER)
                .verifyComplete();
        StepVerifier.create(store.find("b")).verifyComplete();
    }

    @Test
    void replacesInMemoryWhatWasFoundAndNothingElse() {
        InMemoryTokenStore store = new InMemoryTokenStore(10, HOUR);
        CausalToken found = CausalToken.parse("1~pg.7.1.ff");
        CausalToken ofOthers = CausalToken.parse("1~pg.9.1.1");
        CausalToken onTheNextBranch = CausalToken.parse("1~pg.7.2.ff");

        StepVerifier.create(store.merge("a", found)
                        .then(store.merge("a", ofOthers))
                        .then(store.replace("a", found, onTheNextBranch))
                        .then(store.find("a")))
                .expectNext(onTheNextBranch.merge(ofOthers))
                .verifyComplete();
        StepVerifier.create(store.replace("b", found, onTheNextBranch).then(store.find("b")))
                .expectNext(onTheNextBranch)
                .verifyComplete();
    }

    @Test
    void forgetsWhatWasNotAddedToForLong() {
        AtomicLong now = new AtomicLong();
        InMemoryTokenStore store = new InMemoryTokenStore(10, HOUR, now::get);
        StepVerifier.create(store.merge("a", TOKEN)).verifyComplete();

        now.addAndGet(HOUR.toNanos() - 1);
        StepVerifier.create(store.find("a")).expectNext(TOKEN).verifyComplete();
        now.addAndGet(1);
        StepVerifier.create(store.find("a")).verifyComplete();
    }

    @Test
    void keepsNoMoreThanItMay() {
        InMemoryTokenStore store = new InMemoryTokenStore(10, HOUR);
        for (int i = 0; i < 1000; i++) {
            StepVerifier.create(store.merge("key " + i, TOKEN)).verifyComplete();
        }

        long kept = 0;
        for (int i = 0; i < 1000; i++) {
            kept += store.find("key " + i).blockOptional(LIMIT).isPresent() ? 1 : 0;
        }
        assertThat(kept).isBetween(1L, 10L);
    }

    @Test
    void carriesAThreadsSessionIntoTheContextAndBack() throws Exception {
        CausalSession session = CausalSession.resume(TOKEN);
        ContextSnapshotFactory snapshots = ContextSnapshotFactory.builder()
                .contextRegistry(ContextRegistry.getInstance())
                .build();

        Context captured =
                CurrentSession.callWith(session, () -> snapshots.captureAll().updateContext(Context.empty()));

        assertThat(CurrentSession.get()).isNull();
        assertThat(captured.<CausalSession>get(CausalSession.class)).isSameAs(session);
        assertThat(captured.hasKey(SessionState.class))
                .as("what the router looks for")
                .isTrue();
        try (var scope = snapshots.captureFrom(captured).setThreadLocals()) {
            assertThat(scope).isNotNull();
            assertThat(CurrentSession.get()).isSameAs(session);
        }
        assertThat(CurrentSession.get()).isNull();
    }

    @Test
    void isInTheContextOfWhatBlockingCodeWaitsFor() throws Exception {
        CausalSession session = CausalSession.resume(TOKEN);

        CausalToken token = CurrentSession.callWith(
                session,
                () -> Objects.requireNonNull(Mono.deferContextual(
                                context -> context.hasKey(SessionState.class) ? Routing.currentSession() : Mono.empty())
                        .flatMap(CausalSession::token)
                        .contextCapture()
                        .block(LIMIT)));

        assertThat(token).isEqualTo(TOKEN);
        assertThat(Mono.deferContextual(context -> Mono.just(context.hasKey(SessionState.class)))
                        .contextCapture()
                        .block(LIMIT))
                .isFalse();
    }
}
