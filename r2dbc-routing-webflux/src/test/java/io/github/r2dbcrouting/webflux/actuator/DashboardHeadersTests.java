package io.github.r2dbcrouting.webflux.actuator;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.HttpMethod;
import org.springframework.mock.http.server.reactive.MockServerHttpRequest;
import org.springframework.mock.web.server.MockServerWebExchange;
import reactor.core.publisher.Mono;

class DashboardHeadersTests {

    private @Nullable String path = "/actuator/r2dbcrouting";
    private final DashboardHeaders filter = new DashboardHeaders(() -> path);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/actuator/r2dbcrouting/dashboard",
                "/actuator/r2dbcrouting/dashboard/dashboard.js",
                "/actuator/r2dbcrouting;x/dashboard",
                "/actuator;x=1/r2dbcrouting;y/dashboard;z",
                "/actuator/r2dbc%72outing/dashboard",
                "/%61ctuator/r2dbcrouting/%64ashboard"
            })
    void saysWhatThePageMayDoHoweverItIsAskedFor(String asked) {
        assertThat(policy(asked)).isEqualTo(DashboardHeaders.POLICY);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/actuator/r2dbcrouting",
                "/actuator/r2dbcroutings/dashboard",
                "/actuator/health/readiness",
                "/shop/actuator/r2dbcrouting/dashboard"
            })
    void leavesAllElseAlone(String asked) {
        assertThat(policy(asked)).isNull();
    }

    @Test
    void asksForThePathUntilThereIsOne() {
        path = null;
        assertThat(policy("/actuator/r2dbcrouting/dashboard")).isNull();

        path = "/manage/r2dbcrouting";
        assertThat(policy("/manage/r2dbcrouting/dashboard")).isNotNull();
    }

    private @Nullable String policy(String asked) {
        MockServerWebExchange exchange =
                MockServerWebExchange.from(MockServerHttpRequest.method(HttpMethod.GET, URI.create(asked)));
        Mono<Void> answered =
                filter.filter(exchange, passed -> passed.getResponse().setComplete());
        var unused = answered.block(Duration.ofSeconds(10));
        return exchange.getResponse().getHeaders().getFirst("Content-Security-Policy");
    }
}
