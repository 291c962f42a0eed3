package io.github.r2dbcrouting.webflux.http;

import static io.github.r2dbcrouting.webflux.http.Requests.CODEC;
import static io.github.r2dbcrouting.webflux.http.Requests.SIGNED;
import static io.github.r2dbcrouting.webflux.http.Requests.TOKEN;
import static io.github.r2dbcrouting.webflux.http.Requests.cookie;
import static io.github.r2dbcrouting.webflux.http.Requests.exchange;
import static io.github.r2dbcrouting.webflux.http.Requests.header;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.PossiblyLostWriteException;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.Unresolved;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.webflux.token.InMemoryTokenStore;
import io.github.r2dbcrouting.webflux.token.IncomingTokens;
import io.github.r2dbcrouting.webflux.token.TokenResult;
import io.github.r2dbcrouting.webflux.token.TokenStore;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.HttpCookie;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseCookie;
import org.springframework.mock.http.server.reactive.MockServerHttpRequest;
import org.springframework.mock.http.server.reactive.MockServerHttpResponse;
import org.springframework.mock.web.server.MockServerWebExchange;
import org.springframework.web.server.ResponseStatusException;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebHandler;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

/** A request goes on from the token that came with it, and its answer says from where to go on. */
class CausalTokenWebFilterTests {

    private static final CausalToken LATER = CausalToken.parse("1~pg.7.1.fff");
    private static final WalPosition BEFORE = new WalPosition("7", 1, 5);

    private final IncomingTokens tokens = Requests.tokens();
    private final CausalTokenWebFilter filter =
            new CausalTokenWebFilter(tokens, TokenTransport.DEFAULT, CausalTokenWebFilter.DEFAULT_ORDER);
    private final AtomicReference<@Nullable CausalToken> seen = new AtomicReference<>();

    @Test
    void givesARequestWithoutATokenAFreshSessionAndItsAnswerNone() {
        MockServerHttpResponse response = exchange(filter, this::reads, get().build());

        assertThat(seen).hasNullValue();
        assertThat(response.getHeaders().get(TokenTransport.NAME)).isNull();
        assertThat(response.getCookies()).isEmpty();
        assertThat(tokens.counted(TokenResult.ABSENT)).isOne();
    }

    @Test
    void goesOnFromTheHeader() {
        MockServerHttpResponse response = exchange(
                filter, this::reads, get().header(TokenTransport.NAME, SIGNED).build());

        assertThat(seen).hasValue(TOKEN);
        assertThat(header(response)).isEqualTo(TOKEN);
        assertThat(response.getCookies()).as("nothing new for a browser").isEmpty();
        assertThat(tokens.counted(TokenResult.ACCEPTED)).isOne();
    }

    @Test
    void goesOnFromTheCookie() {
        MockServerHttpResponse response = exchange(
                filter,
                this::reads,
                get().cookie(new HttpCookie(TokenTransport.NAME, SIGNED)).build());

        assertThat(seen).hasValue(TOKEN);
        assertThat(header(response)).isEqualTo(TOKEN);
    }

    @Test
    void goesOnFromBoth() {
        exchange(
                filter,
                this::reads,
                get().header(TokenTransport.NAME, SIGNED)
                        .cookie(new HttpCookie(TokenTransport.NAME, CODEC.encode(LATER)))
                        .build());

        assertThat(seen).hasValue(LATER);
    }

    /** Next time the client may send the cookie only. */
    @Test
    void bringsTheCookieUpToWhatTheHeaderSaid() {
        MockServerHttpResponse response = exchange(
                filter,
                this::reads,
                get().header(TokenTransport.NAME, CODEC.encode(LATER))
                        .cookie(new HttpCookie(TokenTransport.NAME, SIGNED))
                        .build());

        assertThat(seen).hasValue(LATER);
        assertThat(cookie(response)).isEqualTo(LATER);
    }

    @Test
    void answersWithWhatTheRequestWrote() {
        MockServerHttpResponse response = exchange(filter, this::observes, get().build());

        assertThat(header(response)).isEqualTo(LATER);
        assertThat(cookie(response)).isEqualTo(LATER);
        ResponseCookie cookie = Objects.requireNonNull(response.getCookies().getFirst(TokenTransport.NAME));
        assertThat(cookie.isHttpOnly()).isTrue();
        assertThat(cookie.getMaxAge()).as("as long as the browser runs").isNegative();
        assertThat(cookie.getPath()).isEqualTo("/");
        assertThat(cookie.getSameSite()).isEqualTo("Lax");
        assertThat(cookie.isSecure()).isFalse();
    }

    @Test
    void marksTheCookieOfAnEncryptedRequest() {
        MockServerHttpResponse response = exchange(
                filter,
                this::observes,
                MockServerHttpRequest.get("https://shop/").build());

        assertThat(Objects.requireNonNull(response.getCookies().getFirst(TokenTransport.NAME))
                        .isSecure())
                .isTrue();
    }

    @Test
    void answersErrorsWithTheTokenToo() {
        MockServerHttpResponse response = exchange(
                filter,
                exchange -> observes(exchange)
                        .then(Mono.error(new ResponseStatusException(HttpStatus.CONFLICT, "written all the same"))),
                get().build());

        assertThat(response.getStatusCode()).isEqualTo(HttpStatus.CONFLICT);
        assertThat(header(response)).isEqualTo(LATER);
    }

    @Test
    void answersAStreamWithWhatWasWrittenBeforeItsFirstElement() {
        MockServerHttpResponse response = exchange(
                filter,
                exchange -> exchange.getResponse()
                        .writeWith(
                                Flux.concat(Mono.just("a"), observes(exchange).thenReturn("b"))
                                        .map(text -> exchange.getResponse()
                                                .bufferFactory()
                                                .wrap(text.getBytes(StandardCharsets.UTF_8)))),
                get().header(TokenTransport.NAME, SIGNED).build());

        assertThat(header(response)).isEqualTo(TOKEN);
        assertThat(seen).hasValue(TOKEN);
    }

    @Test
    void saysThatAPositionIsUnresolvedRatherThanHoldTheAnswerUp() {
        CausalTokenWebFilter quick = new CausalTokenWebFilter(
                tokens, new TokenTransport(TokenTransport.NAME, null, null, Duration.ofMillis(20), false), 0);

        MockServerHttpResponse response = exchange(
                quick,
                exchange -> Mono.deferContextual(context -> {
                    context.get(SessionState.class)
                            .begin("7", false, () -> {}, BEFORE)
                            .end(true);
                    return Mono.empty();
                }),
                get().build());

        assertThat(header(response).unresolved()).containsExactly(new Unresolved("7", BEFORE, Unresolved.ENDED));
        assertThat(response.getCookies()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x",
                "s1~",
                "s1~~~~",
                "s1~k1~0~AAAA~1~pg.7.1.1",
                "s1~k9~0~AAAA~1~pg.7.1.1",
                "1~pg.7.1.1",
                "\u0000\uffff",
                "%00%0d%0a"
            })
    void ignoresWhatNobodySigned(String text) {
        MockServerHttpResponse response = exchange(
                filter, this::reads, get().header(TokenTransport.NAME, text).build());

        assertThat(response.getStatusCode()).isNull();
        assertThat(seen).hasNullValue();
        assertThat(tokens.counted(TokenResult.MALFORMED) + tokens.counted(TokenResult.FORGED))
                .isOne();
    }

    @Test
    void ignoresWhatIsLongerThanAnyToken() {
        exchange(
                filter,
                this::reads,
                get().header(TokenTransport.NAME, SIGNED + "~" + "x".repeat(1 << 20))
                        .build());

        assertThat(seen).hasNullValue();
        assertThat(tokens.counted(TokenResult.MALFORMED)).isOne();
    }

    @Test
    void passesATokenOfAnotherClusterOn() {
        CausalToken foreign = CausalToken.parse("1~pg.8.1.ff");

        MockServerHttpResponse response = exchange(
                filter,
                this::reads,
                get().header(TokenTransport.NAME, CODEC.encode(foreign)).build());

        assertThat(header(response)).isEqualTo(foreign);
        assertThat(tokens.counted(TokenResult.FOREIGN_CLUSTER)).isOne();
        assertThat(tokens.counted(TokenResult.ACCEPTED)).isZero();
    }

    @Test
    void declaresGetRequestsToReadOnlyIfAsked() {
        CausalTokenWebFilter hinting = new CausalTokenWebFilter(
                tokens, new TokenTransport(TokenTransport.NAME, null, null, TokenTransport.LIMIT, true), 0);
        AtomicReference<@Nullable Intent> intent = new AtomicReference<>();
        WebHandler handler = exchange -> Mono.deferContextual(context -> {
            Routing routing = Routing.of(context);
            intent.set(routing == null ? null : routing.intent());
            return Mono.empty();
        });

        exchange(hinting, handler, get().build());
        assertThat(intent).hasValue(Intent.READ);
        exchange(hinting, handler, MockServerHttpRequest.head("/").build());
        assertThat(intent).hasValue(Intent.READ);
        exchange(hinting, handler, MockServerHttpRequest.post("/").build());
        assertThat(intent).hasNullValue();
        exchange(filter, handler, get().build());
        assertThat(intent).hasNullValue();
    }

    @Test
    void keepsTheTokenOfAUserWhoCarriesNone() {
        CausalTokenWebFilter storing = storing(new InMemoryTokenStore(10, Duration.ofHours(1)));

        exchange(storing, this::observes, get().header("User", "one").build());
        exchange(storing, this::reads, get().header("User", "one").build());
        assertThat(seen).hasValue(LATER);

        exchange(storing, this::reads, get().header("User", "other").build());
        assertThat(seen).hasNullValue();
        exchange(storing, this::reads, get().build());
        assertThat(seen).hasNullValue();
    }

    @Test
    void readsFromThePrimaryWithAStoreThatFails() {
        CausalTokenWebFilter storing = storing(new TokenStore() {
            @Override
            public Mono<CausalToken> find(String key) {
                return Mono.error(new IllegalStateException("no store"));
            }

            @Override
            public Mono<Void> merge(String key, CausalToken token) {
                throw new IllegalStateException("no store");
            }
        });

        MockServerHttpResponse response =
                exchange(storing, this::observes, get().header("User", "one").build());

        assertThat(header(response).positions()).isEqualTo(LATER.positions());
        assertThat(header(response).unresolved())
                .as("whatever was kept may be newer, so it reads the primary first")
                .containsExactly(new Unresolved("7", null, Unresolved.ENDED));
    }

    @Test
    void givesUpInTheStoreWhatTheRequestGaveUp() {
        InMemoryTokenStore store = new InMemoryTokenStore(10, Duration.ofHours(1));
        CausalToken mark = CausalToken.of(List.of(), List.of(new Unresolved("7", BEFORE, 0)));
        Requests.run(store.merge("one", mark));
        Requests.run(store.merge("one", CausalToken.parse("1~pg.8.1.1")));

        exchange(
                storing(store),
                exchange -> Mono.deferContextual(context -> {
                    SessionState session = context.get(SessionState.class);
                    Objects.requireNonNull(session.takeOver("7", () -> {}, 0, null))
                            .settle(LATER, 0);
                    return Mono.empty();
                }),
                get().header("User", "one").build());

        CausalToken kept = Objects.requireNonNull(store.find("one").block());
        assertThat(kept.unresolved()).isEmpty();
        assertThat(kept).isEqualTo(LATER.merge(CausalToken.parse("1~pg.8.1.1")));
    }

    @Test
    void keepsWhatWasWrittenAfterTheAnswerHadBegun() {
        InMemoryTokenStore store = new InMemoryTokenStore(10, Duration.ofHours(1));

        exchange(
                storing(store),
                exchange -> exchange.getResponse().setComplete().then(observes(exchange)),
                get().header("User", "one").build());

        assertThat(store.find("one").block()).isEqualTo(LATER);
    }

    @Test
    void keepsWhatWasWrittenByARequestThatWasCancelled() {
        InMemoryTokenStore store = new InMemoryTokenStore(10, Duration.ofHours(1));
        MockServerWebExchange cancelled = requestOfAUser();

        storing(store)
                .filter(cancelled, exchange -> observes(exchange).then(Mono.never()))
                .subscribe()
                .dispose();

        assertThat(store.find("one").block()).isEqualTo(LATER);
    }

    @Test
    void storesNothingOfWhatItAssumedWhereTheStoreDidNotAnswer() {
        AtomicReference<@Nullable CausalToken> stored = new AtomicReference<>();
        CausalTokenWebFilter storing = storing(new TokenStore() {
            @Override
            public Mono<CausalToken> find(String key) {
                return Mono.error(new IllegalStateException("no store"));
            }

            @Override
            public Mono<Void> merge(String key, CausalToken token) {
                return Mono.fromRunnable(() -> stored.set(token));
            }
        });

        exchange(storing, exchange -> Mono.empty(), get().header("User", "one").build());
        assertThat(stored).hasNullValue();

        exchange(storing, this::observes, get().header("User", "one").build());
        assertThat(stored).hasValue(LATER);
    }

    @Test
    void sendsNoTokenWithWhatACacheMayGiveToOthers() {
        MockServerHttpResponse response = answerThatMayBeKept("max-age=60, public");

        assertThat(response.getHeaders().get(TokenTransport.NAME)).isNull();
        assertThat(response.getCookies()).isEmpty();
    }

    @Test
    void sendsATokenWithWhatOnlyTheClientMayKeep() {
        MockServerHttpResponse response = answerThatMayBeKept("max-age=60, private");

        assertThat(header(response)).isEqualTo(LATER);
    }

    /** The word on it is given once, and whoever hears it has to say so. */
    @Test
    void answersWithTheErrorWhereALossTurnsOutAtTheEnd() {
        MockServerWebExchange request = MockServerWebExchange.from(get().build());

        StepVerifier.create(filter.filter(
                        request,
                        exchange -> losesAtTheEnd(exchange)
                                .then(exchange.getResponse().setComplete())))
                .verifyError(PossiblyLostWriteException.class);
    }

    /** Spring begins the answer when the handler is done, and gives the word on it then. */
    @Test
    void answersWithTheErrorAlsoWhereAStoreKeepsTheToken() {
        InMemoryTokenStore store = new InMemoryTokenStore(10, Duration.ofHours(1));
        MockServerWebExchange request = requestOfAUser();

        StepVerifier.create(storing(store)
                        .filter(request, CausalTokenWebFilterTests::losesAtTheEnd)
                        .then(Mono.defer(() -> request.getResponse().setComplete())))
                .verifyError(PossiblyLostWriteException.class);

        assertThat(store.find("one").block()).isNull();
    }

    /** It is too late for an answer, but not to say so. */
    @Test
    void saysSoWhereALossTurnsOutAfterTheAnswerHasBegun() {
        InMemoryTokenStore store = new InMemoryTokenStore(10, Duration.ofHours(1));
        MockServerWebExchange request = requestOfAUser();

        StepVerifier.create(storing(store)
                        .filter(
                                request,
                                exchange -> exchange.getResponse().setComplete().then(losesAtTheEnd(exchange))))
                .verifyError(PossiblyLostWriteException.class);
    }

    private static MockServerWebExchange requestOfAUser() {
        return MockServerWebExchange.from(get().header("User", "one").build());
    }

    private static Mono<Void> losesAtTheEnd(ServerWebExchange exchange) {
        return Mono.deferContextual(context -> {
            SessionState session = context.get(SessionState.class);
            session.tellLostWrites();
            PendingWrite write = session.begin("7", false, () -> {}, BEFORE);
            write.end(true);
            write.lost();
            write.settle(LATER, 0);
            return Mono.empty();
        });
    }

    private MockServerHttpResponse answerThatMayBeKept(String cacheControl) {
        return exchange(
                filter,
                exchange -> {
                    exchange.getResponse().getHeaders().setCacheControl(cacheControl);
                    return observes(exchange);
                },
                get().build());
    }

    private CausalTokenWebFilter storing(TokenStore store) {
        return new CausalTokenWebFilter(
                tokens,
                TokenTransport.DEFAULT,
                store,
                exchange -> Mono.justOrEmpty(exchange.getRequest().getHeaders().getFirst("User")),
                0);
    }

    private Mono<Void> reads(ServerWebExchange exchange) {
        return Routing.currentSession()
                .flatMap(session -> session.token())
                .doOnSubscribe(ignored -> seen.set(null))
                .doOnNext(seen::set)
                .then();
    }

    private Mono<Void> observes(ServerWebExchange exchange) {
        return reads(exchange)
                .then(Routing.currentSession())
                .doOnNext(session -> session.observe(LATER))
                .then();
    }

    private static MockServerHttpRequest.BaseBuilder<?> get() {
        return MockServerHttpRequest.get("/");
    }
}
