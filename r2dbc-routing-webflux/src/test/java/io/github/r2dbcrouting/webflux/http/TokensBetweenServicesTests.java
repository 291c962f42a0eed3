package io.github.r2dbcrouting.webflux.http;

import static io.github.r2dbcrouting.webflux.http.Requests.CODEC;
import static io.github.r2dbcrouting.webflux.http.Requests.SIGNED;
import static io.github.r2dbcrouting.webflux.http.Requests.TOKEN;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.PossiblyLostWriteException;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.internal.session.SessionState;
import java.net.URI;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpStatus;
import org.springframework.http.codec.ServerSentEvent;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

/** What one service did the next one sees, and the other way round. */
class TokensBetweenServicesTests {

    private static final CausalToken ANSWERED = CausalToken.parse("1~pg.7.1.fff");

    private final AtomicReference<@Nullable ClientRequest> sent = new AtomicReference<>();
    private final ExchangeFunction service = request -> {
        sent.set(request);
        return Mono.just(ClientResponse.create(HttpStatus.OK)
                .header(TokenTransport.NAME, CODEC.encode(ANSWERED))
                .cookie(TokenTransport.NAME, SIGNED)
                .build());
    };

    @Test
    void sendsTheSessionsTokenAndGoesOnFromTheAnswers() {
        CausalSession session = CausalSession.resume(TOKEN);

        call(filter(Set.of()), "http://orders/", session);

        assertThat(Requests.token(Objects.requireNonNull(sentHeader()))).isEqualTo(TOKEN);
        StepVerifier.create(session.token()).expectNext(ANSWERED).verifyComplete();
    }

    @Test
    void sendsNothingToOthers() {
        CausalSession session = CausalSession.resume(TOKEN);

        call(filter(Set.of("orders")), "http://elsewhere/", session);
        assertThat(sentHeader()).isNull();
        StepVerifier.create(session.token()).expectNext(TOKEN).verifyComplete();

        call(filter(Set.of("orders")), "http://orders/", session);
        assertThat(sentHeader()).isNotNull();
    }

    @Test
    void doesNothingWithoutASession() {
        Requests.run(filter(Set.of()).filter(request("http://orders/"), service));

        assertThat(sentHeader()).isNull();
    }

    @Test
    void tellsOfALossInsteadOfSendingWithoutAToken() {
        Mono<ClientResponse> call = Mono.deferContextual(context -> {
            SessionState session = context.get(SessionState.class);
            session.tellLostWrites();
            PendingWrite write = session.begin("7", false, () -> {});
            write.end(true);
            write.lost();
            write.settle(TOKEN, 0);
            return filter(Set.of()).filter(request("http://orders/"), service);
        });

        StepVerifier.create(call.contextWrite(Routing.session(CausalSession.create())))
                .verifyError(PossiblyLostWriteException.class);
        assertThat(sent).hasNullValue();
    }

    @Test
    void ignoresAnAnswerThatNobodySigned() {
        CausalSession session = CausalSession.resume(TOKEN);
        ExchangeFunction forging = request -> Mono.just(ClientResponse.create(HttpStatus.OK)
                .header(TokenTransport.NAME, ANSWERED.encode())
                .build());

        Requests.run(
                filter(Set.of()).filter(request("http://orders/"), forging).contextWrite(Routing.session(session)));

        StepVerifier.create(session.token()).expectNext(TOKEN).verifyComplete();
    }

    @Test
    void keepsAUsersTokenByHeader() {
        TokenKeeper user = TokenKeeper.byHeader();

        Requests.run(user.filter(request("http://shop/"), service));
        assertThat(sentHeader()).isNull();
        Requests.run(user.filter(request("http://shop/"), service));

        assertThat(Requests.token(Objects.requireNonNull(sentHeader()))).isEqualTo(ANSWERED);
    }

    @Test
    void keepsAUsersTokenByCookie() {
        TokenKeeper user = TokenKeeper.byCookie();

        Requests.run(user.filter(request("http://shop/"), service));
        Requests.run(user.filter(request("http://shop/"), service));

        assertThat(Objects.requireNonNull(sent.get()).cookies().getFirst(TokenTransport.NAME))
                .isEqualTo(SIGNED);
        assertThat(sentHeader()).isNull();
    }

    @Test
    void endsAStreamOfEventsWithTheToken() {
        TokenEvents events = new TokenEvents(Requests.tokens(), TokenTransport.LIMIT);
        Flux<ServerSentEvent<Object>> stream =
                Flux.just(ServerSentEvent.<Object>builder("placed").build());

        StepVerifier.create(events.atTheEndOf(stream).contextWrite(Routing.session(CausalSession.resume(TOKEN))))
                .expectNextMatches(event -> "placed".equals(event.data()))
                .assertNext(event -> {
                    assertThat(event.event()).isEqualTo(TokenEvents.EVENT);
                    assertThat(Requests.token(String.valueOf(event.data()))).isEqualTo(TOKEN);
                })
                .verifyComplete();
        StepVerifier.create(events.atTheEndOf(stream)).expectNextCount(1).verifyComplete();
    }

    private @Nullable String sentHeader() {
        return Objects.requireNonNull(sent.get()).headers().getFirst(TokenTransport.NAME);
    }

    private static CausalTokenExchangeFilter filter(Set<String> hosts) {
        return new CausalTokenExchangeFilter(Requests.tokens(), TokenTransport.NAME, TokenTransport.LIMIT, hosts);
    }

    private void call(ExchangeFilterFunction filter, String url, CausalSession session) {
        Requests.run(filter.filter(request(url), service).contextWrite(Routing.session(session)));
    }

    private static ClientRequest request(String url) {
        return ClientRequest.create(HttpMethod.GET, URI.create(url)).build();
    }
}
