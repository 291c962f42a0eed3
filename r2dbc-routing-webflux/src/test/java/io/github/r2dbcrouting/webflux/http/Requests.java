package io.github.r2dbcrouting.webflux.http;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.SigningKey;
import io.github.r2dbcrouting.TokenCodec;
import io.github.r2dbcrouting.webflux.token.IncomingTokens;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.reactivestreams.Publisher;
import org.springframework.mock.http.server.reactive.MockServerHttpRequest;
import org.springframework.mock.http.server.reactive.MockServerHttpResponse;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebHandler;
import org.springframework.web.server.adapter.WebHttpHandlerBuilder;
import org.springframework.web.server.handler.ResponseStatusExceptionHandler;
import reactor.core.publisher.Flux;

/** Sends requests through a filter without a network. */
final class Requests {

    static final TokenCodec CODEC = TokenCodec.hmac(key("k1"));
    static final CausalToken TOKEN = CausalToken.parse("1~pg.7.1.ff");
    static final String SIGNED = CODEC.encode(TOKEN);

    private Requests() {}

    static SigningKey key(String id) {
        return SigningKey.of(id, ("secret of " + id).repeat(4).getBytes(StandardCharsets.UTF_8));
    }

    static IncomingTokens tokens() {
        return new IncomingTokens(CODEC, () -> "7");
    }

    static MockServerHttpResponse exchange(WebFilter filter, WebHandler handler, MockServerHttpRequest request) {
        MockServerHttpResponse response = new MockServerHttpResponse();
        run(WebHttpHandlerBuilder.webHandler(handler)
                .filter(filter)
                .exceptionHandler(new ResponseStatusExceptionHandler())
                .build()
                .handle(request, response));
        return response;
    }

    static void run(Publisher<?> publisher) {
        var unused = Flux.from(publisher).then().block(Duration.ofSeconds(30));
    }

    static CausalToken header(MockServerHttpResponse response) {
        return token(Objects.requireNonNull(response.getHeaders().getFirst(TokenTransport.NAME), "no header"));
    }

    static CausalToken cookie(MockServerHttpResponse response) {
        return token(Objects.requireNonNull(response.getCookies().getFirst(TokenTransport.NAME), "no cookie")
                .getValue());
    }

    static CausalToken token(String text) {
        return Objects.requireNonNull(CODEC.decode(text).token(), "refused");
    }

    static List<String> names(MockServerHttpResponse response) {
        return List.copyOf(response.getCookies().keySet());
    }
}
