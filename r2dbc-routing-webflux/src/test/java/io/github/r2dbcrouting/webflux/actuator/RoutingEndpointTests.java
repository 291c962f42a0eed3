package io.github.r2dbcrouting.webflux.actuator;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.SigningKey;
import io.github.r2dbcrouting.TokenCodec;
import io.github.r2dbcrouting.Topology;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the endpoint answers where nothing has to be reached for it. */
class RoutingEndpointTests {

    private static final String SECRET = "swordfish";

    private final RoutingConnectionFactory factory = RoutingConnectionFactory.builder()
            .server("db0", "r2dbc:postgresql://app:" + SECRET + "@127.0.0.1:1/shop", "eu")
            .server("db1", "r2dbc:postgresql://app:" + SECRET + "@127.0.0.1:2/shop", "us")
            .policy("near", "tags(eu)")
            .build();
    private final Watch watch = new Watch(factory, Schedulers.parallel());
    private final RoutingEndpoint endpoint = new RoutingEndpoint(factory, watch, new DashboardPage(), null);

    @AfterEach
    void close() {
        watch.dispose();
        var unused = factory.close().block(Duration.ofSeconds(10));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "delete | -      | -    | -        | intent",
                "read   | fresh  | -    | -        | freshness",
                "read   | 0ms    | -    | -        | freshness",
                "read   | -5ms   | -    | -        | freshness",
                "read   | 99999999999999999999s | - | - | freshness",
                "read   | any    | far  | -        | policy",
                "read   | causal | near | swordfish | token"
            })
    void saysWhatIsWrongWithAQuestion(String intent, String freshness, String policy, String token, String where) {
        JsonNode refused = refused(explain(intent, freshness, policy, token), 400);

        assertThat(refused.path("where").asString()).isEqualTo(where);
        assertThat(refused.path("expected").asString()).isNotBlank();
        assertThat(refused.toString()).doesNotContain(SECRET);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "read  | -     | -    | any",
                "READ  | 500ms | near | at most 500 ms old",
                "write | -     | -    | any",
                "-     | PT2S  | -    | at most 2000 ms old",
                "-     | latest| -    | latest"
            })
    void answersWhatIsAQuestion(String intent, String freshness, String policy, String understood) {
        WebEndpointResponse<Object> answer = explain(intent, freshness, policy, null);

        assertThat(answer.getStatus()).isEqualTo(200);
        JsonNode decision = body(answer);
        assertThat(decision.path("freshness").asString()).isEqualTo(understood);
        assertThat(decision.path("server").isNull()).as("none was reached").isTrue();
    }

    @Test
    void readsTokensAsClientsHaveThemAndAsProgramsDo() {
        TokenCodec codec = TokenCodec.hmac(SigningKey.of("k1", new byte[32]));
        RoutingEndpoint signed = new RoutingEndpoint(factory, watch, new DashboardPage(), codec);
        String plain = "1~pg.7.1.ff";
        String text = codec.encode(CausalToken.parse(plain));

        for (String token : List.of(plain, text)) {
            assertThat(value(signed.part("explain", null, null, null, token)).getStatus())
                    .isEqualTo(200);
        }
        assertThat(refused(value(signed.part("explain", null, null, null, text + "x")), 400)
                        .path("where")
                        .asString())
                .isEqualTo("token");
    }

    @Test
    void replacesAPolicyAndSaysWhereTheTextOfOneIsNone() {
        assertThat(change("policies", "near", "tags(us); all()", null, null, null)
                        .getStatus())
                .isEqualTo(204);
        assertThat(factory.policies()).containsEntry("near", "tags(us); all()");

        JsonNode refused = refused(change("policies", "near", "tags(eu); tagged(us)", null, null, null), 400);

        assertThat(refused.path("where").asString()).isEqualTo("text");
        assertThat(refused.path("offset").asInt()).isEqualTo(10);
        assertThat(refused.path("problem").asString()).contains("offset 10");
        assertThat(factory.policies()).containsEntry("near", "tags(us); all()");
        assertThat(refused(change("policies", "no-name", "all()", null, null, null), 400)
                        .path("where")
                        .asString())
                .isEqualTo("name");
        assertThat(refused(change("policies", "near", null, null, null, null), 400)
                        .path("where")
                        .asString())
                .isEqualTo("text");
    }

    @Test
    void changesAServerWhole() {
        assertThat(change("servers", "db1", null, "eu, reporting", "2.5", "false")
                        .getStatus())
                .isEqualTo(204);

        assertThat(factory.topology().servers())
                .contains(new Topology.Server("db1", List.of("eu", "reporting"), 2.5, false));

        assertThat(change("servers", "db1", null, "", null, "true").getStatus()).isEqualTo(204);
        assertThat(factory.topology().servers()).contains(new Topology.Server("db1", List.of(), 2.5, true));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "db1 | e u   | 2    | false | tags",
                "db1 | eu    | much | false | weight",
                "db1 | eu    | 0    | false | weight",
                "db1 | eu    | NaN  | false | weight",
                "db1 | eu    | 2    | no    | enabled",
                "db1 | -     | -    | -     | body"
            })
    void changesNothingOfAServerIfAnyOfItIsWrong(
            String name, String tags, String weight, String enabled, String where) {
        List<Topology.Server> before = factory.topology().servers();

        assertThat(refused(change("servers", name, null, tags, weight, enabled), 400)
                        .path("where")
                        .asString())
                .isEqualTo(where);

        assertThat(factory.topology().servers()).isEqualTo(before);
    }

    @Test
    void knowsNoOtherServersAndNothingElseToChange() {
        assertThat(refused(change("servers", "db9", null, "eu", null, null), 404)
                        .path("expected")
                        .asString())
                .contains("db0", "db1");
        assertThat(refused(change("secrets", "db1", null, null, null, null), 404)
                        .path("where")
                        .asString())
                .isEqualTo("path");
        assertThat(endpoint.part("elsewhere", null, null, null, null).blockOptional())
                .isEmpty();
        assertThat(endpoint.file("dashboard", "nothing.js").blockOptional()).isEmpty();
        assertThat(endpoint.file("stream", "dashboard.js").blockOptional()).isEmpty();
    }

    @Test
    void reportsBeforeAnythingWasReached() {
        JsonNode report = body(value(endpoint.report()));

        assertThat(report.path("primary").isNull()).isTrue();
        assertThat(report.path("policies"))
                .extracting(policy -> policy.path("name").asString())
                .containsExactly("default", "near");
        assertThat(report.toString()).doesNotContain(SECRET);
    }

    private WebEndpointResponse<Object> explain(
            @Nullable String intent, @Nullable String freshness, @Nullable String policy, @Nullable String token) {
        return value(endpoint.part("explain", intent, freshness, policy, token));
    }

    private WebEndpointResponse<Object> change(
            String kind,
            String name,
            @Nullable String text,
            @Nullable String tags,
            @Nullable String weight,
            @Nullable String enabled) {
        return value(endpoint.change(kind, name, text, tags, weight, enabled));
    }

    private static JsonNode refused(WebEndpointResponse<Object> answer, int status) {
        assertThat(answer.getStatus()).isEqualTo(status);
        return body(answer);
    }

    private static JsonNode body(WebEndpointResponse<Object> answer) {
        return new JsonMapper().readTree((byte[]) Objects.requireNonNull(answer.getBody()));
    }

    private static <T> T value(Mono<T> mono) {
        return Objects.requireNonNull(mono.block(Duration.ofSeconds(10)));
    }
}
