package io.github.r2dbcrouting.webflux.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.webflux.token.IncomingTokens;
import io.github.r2dbcrouting.webflux.token.TokenResult;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.springframework.http.HttpCookie;
import org.springframework.http.HttpStatusCode;
import org.springframework.mock.http.server.reactive.MockServerHttpRequest;
import org.springframework.mock.http.server.reactive.MockServerHttpResponse;
import reactor.core.publisher.Mono;

/** Each text has exactly one result, and each request an answer and a session. */
class HostileTextsTests {

    private static final int TEXTS = 5_000;

    private final IncomingTokens tokens = Requests.tokens();
    private final CausalTokenWebFilter filter = new CausalTokenWebFilter(tokens, TokenTransport.DEFAULT, 0);
    private final AtomicInteger sessions = new AtomicInteger();

    @Test
    void areAnsweredAsHeadersAndAsCookies() {
        HostileTexts texts = new HostileTexts(7, new WalPosition("7", 1, 255));

        for (int i = 0; i < TEXTS; i++) {
            String text = texts.next();
            answers(MockServerHttpRequest.get("/").header(TokenTransport.NAME, text));
            answers(MockServerHttpRequest.get("/").cookie(new HttpCookie(TokenTransport.NAME, text)));
        }

        assertThat(sessions).hasValue(2 * TEXTS);
        long counted = 0;
        for (TokenResult result : TokenResult.values()) {
            counted += tokens.counted(result);
        }
        assertThat(counted).isEqualTo(2 * TEXTS);
        assertThat(tokens.counted(TokenResult.MALFORMED)).isPositive();
        assertThat(tokens.counted(TokenResult.FORGED)).isPositive();
        assertThat(tokens.counted(TokenResult.EXPIRED))
                .as("of last week and of the next")
                .isGreaterThan(2 * TEXTS / 11);
        assertThat(tokens.counted(TokenResult.FOREIGN_CLUSTER)).isPositive();
        assertThat(tokens.counted(TokenResult.ACCEPTED)).as("signed, and ahead").isPositive();
    }

    private void answers(MockServerHttpRequest.BaseBuilder<?> request) {
        MockServerHttpResponse response = Requests.exchange(
                filter,
                exchange -> Routing.currentSession()
                        .doOnNext(session -> sessions.incrementAndGet())
                        .then(Mono.empty()),
                request.build());

        HttpStatusCode status = response.getStatusCode();
        assertThat(status == null || status.is2xxSuccessful()).isTrue();
    }
}
