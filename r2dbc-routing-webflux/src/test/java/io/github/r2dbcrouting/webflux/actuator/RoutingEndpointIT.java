package io.github.r2dbcrouting.webflux.actuator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.ParameterizedTypeReference;
import org.springframework.http.MediaType;
import org.springframework.http.codec.ServerSentEvent;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.test.web.reactive.server.EntityExchangeResult;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The endpoint over HTTP, of an application on a cluster. */
@PostgresClusterTest(replicas = 2)
class RoutingEndpointIT {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String KEY = "r2dbc.routing.tokens.keys=k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    private static final JsonMapper JSON = new JsonMapper();

    private final PostgresCluster cluster;
    private final List<String> answers = new CopyOnWriteArrayList<>();
    private ConfigurableApplicationContext application;
    private WebTestClient http;

    RoutingEndpointIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @EnableAutoConfiguration
    static class Application {}

    private void start(String... more) {
        List<String> properties = new ArrayList<>();
        for (PostgresServer server : cluster.servers()) {
            properties.add("r2dbc.routing.servers.db" + server.number() + ".url=" + server.r2dbcUrl());
        }
        properties.addAll(List.of(
                KEY,
                "server.port=0",
                "spring.main.banner-mode=off",
                "spring.devtools.restart.enabled=false",
                "r2dbc.routing.policies.reporting=tags(reporting); halt()",
                "r2dbc.routing.servers.db1.tags=eu",
                "r2dbc.routing.servers.db2.tags=reporting",
                "management.endpoints.web.exposure.include=*",
                "server.shutdown=graceful",
                "spring.lifecycle.timeout-per-shutdown-phase=50s"));
        properties.addAll(Arrays.asList(more));
        SpringApplication spring = new SpringApplication(Application.class);
        spring.setWebApplicationType(WebApplicationType.REACTIVE);
        spring.setRegisterShutdownHook(false);
        application = spring.run(properties.stream().map(one -> "--" + one).toArray(String[]::new));
        http = client("local.server.port");
        run(factory().ready(Duration.ofSeconds(20)));
    }

    private WebTestClient client(String port) {
        return WebTestClient.bindToServer()
                .baseUrl("http://localhost:" + application.getEnvironment().getProperty(port))
                .responseTimeout(Duration.ofSeconds(30))
                .build();
    }

    private RoutingConnectionFactory factory() {
        return application.getBean(RoutingConnectionFactory.class);
    }

    /** Whatever a test asked for, no answer has the password in it. */
    @AfterEach
    void stop() {
        try {
            String url = cluster.primary().r2dbcUrl();
            String password = url.substring(url.indexOf(':', url.indexOf("//")) + 1, url.indexOf('@'));
            assertThat(password).isNotEmpty();
            assertThat(answers).isNotEmpty().noneMatch(answer -> answer.contains(password));
            assertThat(answers).noneMatch(answer -> answer.contains("r2dbc:"));
        } finally {
            application.close();
        }
    }

    @Test
    void tellsExplainsAndRefusesToChangeAnythingByDefault() {
        start();
        get("/actuator/r2dbcrouting", 200);
        write();
        read();

        JsonNode report = get("/actuator/r2dbcrouting", 200);

        assertThat(report.path("primary").asString()).isEqualTo("db0");
        assertThat(report.path("servers")).hasSize(3).allSatisfy(server -> {
            assertThat(server.path("status").asString()).isEqualTo("up");
            assertThat(server.path("timeline").asLong()).isPositive();
            assertThat(server.path("sampleAge").asDouble()).isNotNegative();
        });
        assertThat(server(report, "db2").path("tags").toString()).isEqualTo("[\"reporting\"]");
        assertThat(report.path("policies"))
                .anySatisfy(policy -> {
                    assertThat(policy.path("name").asString()).isEqualTo("reporting");
                    assertThat(policy.path("servers").toString()).isEqualTo("[\"db2\"]");
                })
                .anySatisfy(policy -> {
                    assertThat(policy.path("name").asString()).isEqualTo("default");
                    assertThat(policy.path("servers").toString()).isEqualTo("[\"db1\",\"db2\"]");
                });
        assertThat(report.at("/recent/decisions"))
                .as("since the first question")
                .extracting(decision -> decision.path("intent").asString())
                .contains("write", "read");
        assertThat(report.at("/recent/decisions/0/candidates")).hasSize(3);
        assertThat(report.path("events"))
                .extracting(event -> event.path("text").asString())
                .contains("db0 is the primary");

        JsonNode explained = get("/actuator/r2dbcrouting/explain?policy=reporting&freshness=any", 200);
        assertThat(explained.path("server").asString()).isEqualTo("db2");
        assertThat(explained.path("candidates"))
                .anySatisfy(candidate ->
                        assertThat(candidate.path("refusal").asString()).isEqualTo("not_in_policy"));

        JsonNode refused = get("/actuator/r2dbcrouting/explain?freshness=soon", 400);
        assertThat(refused.path("where").asString()).isEqualTo("freshness");
        get("/actuator/r2dbcrouting/elsewhere", 404);

        assertTellsWhatATokenLeadsTo();

        post("/actuator/r2dbcrouting/policies/reporting", Map.of("text", "all()"), 405);
        post("/actuator/r2dbcrouting/servers/db1", Map.of("enabled", "false"), 405);
        assertThat(factory().policies()).containsEntry("reporting", "tags(reporting); halt()");
    }

    private void assertTellsWhatATokenLeadsTo() {
        cluster.replica(0).pauseReplay();
        cluster.replica(1).pauseReplay();
        CausalSession session = CausalSession.create();
        run(statement("CREATE TABLE written (id int)").contextWrite(Routing.session(session)));
        String token = Objects.requireNonNull(session.token().block(LIMIT)).encode();

        JsonNode explained = get("/actuator/r2dbcrouting/explain?token=" + token, 200);

        assertThat(explained.path("server").asString()).isEqualTo("db0");
        assertThat(explained.path("reason").asString()).isEqualTo("no_replica_covers");
        assertThat(explained.path("candidates"))
                .filteredOn(candidate -> !candidate.path("server").asString().equals("db0"))
                .hasSize(2)
                .allSatisfy(candidate ->
                        assertThat(candidate.path("refusal").asString()).isEqualTo("behind_token"));
    }

    @Test
    void changesPoliciesAndServersWhereThatIsAllowed() {
        start("management.endpoint.r2dbcrouting.access=unrestricted");

        post("/actuator/r2dbcrouting/policies/reporting", Map.of("text", "tags(eu); halt()"), 204);
        assertThat(get("/actuator/r2dbcrouting/explain?policy=reporting", 200)
                        .path("server")
                        .asString())
                .isEqualTo("db1");

        JsonNode refused = post("/actuator/r2dbcrouting/policies/reporting", Map.of("text", "tags(eu); nobody()"), 400);
        assertThat(refused.path("offset").asInt()).isEqualTo(10);
        assertThat(refused.path("where").asString()).isEqualTo("text");
        assertThat(factory().policies()).containsEntry("reporting", "tags(eu); halt()");

        post("/actuator/r2dbcrouting/servers/db1", Map.of("enabled", "false"), 204);
        assertThat(get("/actuator/r2dbcrouting/explain", 200).path("server").asString())
                .isEqualTo("db2");
        JsonNode halted = get("/actuator/r2dbcrouting/explain?policy=reporting", 200);
        assertThat(halted.path("server").isNull()).isTrue();

        post("/actuator/r2dbcrouting/servers/db1", Map.of("enabled", "true", "tags", "eu,near", "weight", "3"), 204);
        await().untilAsserted(() -> {
            JsonNode server = server(get("/actuator/r2dbcrouting", 200), "db1");
            assertThat(server.path("status").asString()).isEqualTo("up");
            assertThat(server.path("tags").toString()).isEqualTo("[\"eu\",\"near\"]");
            assertThat(server.path("weight").asDouble()).isEqualTo(3);
        });
        post("/actuator/r2dbcrouting/servers/db9", Map.of("enabled", "true"), 404);
    }

    @Test
    void showsAPageThatNeedsNothingElse() {
        start(
                "management.server.port=0",
                "management.endpoints.web.base-path=/manage",
                "spring.jackson.property-naming-strategy=SNAKE_CASE");
        http = client("local.management.port");

        EntityExchangeResult<byte[]> page = http.get()
                .uri("/manage/r2dbcrouting/dashboard")
                .header("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
                .exchange()
                .expectStatus()
                .isOk()
                .expectHeader()
                .contentTypeCompatibleWith(MediaType.TEXT_HTML)
                .expectHeader()
                .valueEquals("Content-Security-Policy", DashboardHeaders.POLICY)
                .expectHeader()
                .valueEquals("X-Content-Type-Options", "nosniff")
                .expectBody()
                .returnResult();
        answers.add(new String(Objects.requireNonNull(page.getResponseBody()), StandardCharsets.UTF_8));
        http.get()
                .uri("/manage/r2dbcrouting;of=mine/dashboard")
                .exchange()
                .expectStatus()
                .isOk()
                .expectHeader()
                .valueEquals("Content-Security-Policy", DashboardHeaders.POLICY);
        Map.of("dashboard.css", "text/css", "dashboard.js", "text/javascript", "icon.svg", "image/svg+xml")
                .forEach((file, type) -> http.get()
                        .uri("/manage/r2dbcrouting/dashboard/" + file)
                        .exchange()
                        .expectStatus()
                        .isOk()
                        .expectHeader()
                        .contentTypeCompatibleWith(MediaType.parseMediaType(type)));
        assertThat(server(get("/manage/r2dbcrouting", 200), "db1")
                        .path("bytesBehind")
                        .isNumber())
                .as("whatever the application has set for its own JSON")
                .isTrue();
        http.get().uri("/manage/health").exchange().expectHeader().doesNotExist("Content-Security-Policy");
    }

    @Test
    void streamsALagThatRisesAndStopsWhenNobodyLooksAndWhenItAllEnds() {
        start();
        List<JsonNode> frames = new CopyOnWriteArrayList<>();
        List<String> names = new CopyOnWriteArrayList<>();
        Disposable viewer = view(frames, names);
        await().until(() -> frames.size() >= 2);
        assertThat(names.get(0)).isEqualTo("past");

        cluster.replica(1).pauseReplay();
        write();

        await().atMost(Duration.ofSeconds(30)).until(() -> {
            run(statement("SELECT 1").contextWrite(Routing.read().freshness(Freshness.atMost(Duration.ofSeconds(1)))));
            return lag(frames, "db2") > 1_500 && lag(frames, "db1") < 1_000;
        });
        assertThat(frames)
                .anySatisfy(frame -> assertThat(frame.path("rates")).anySatisfy(rate -> {
                    assertThat(rate.path("server").asString()).isEqualTo("db1");
                    assertThat(rate.path("perSecond").asDouble()).isPositive();
                }));
        List<Double> rising = frames.stream()
                .map(frame -> server(frame, "db2").path("staleness").asDouble())
                .filter(lag -> lag > 500)
                .toList();
        assertThat(rising).isNotEmpty().isSorted();

        Watch watch = application.getBean(Watch.class);
        assertThat(watch.sampling()).isTrue();
        viewer.dispose();
        await().atMost(Duration.ofSeconds(30)).until(() -> !watch.sampling());

        frames.clear();
        Disposable last = view(frames, names);
        await().until(() -> !frames.isEmpty());
        long begun = System.nanoTime();
        application.close();
        assertThat(Duration.ofNanos(System.nanoTime() - begun))
                .as("a stream is no answer that the end waits for")
                .isLessThan(Duration.ofSeconds(40));
        await().until(last::isDisposed);
    }

    private Disposable view(List<JsonNode> frames, List<String> names) {
        return WebClient.create(
                        "http://localhost:" + application.getEnvironment().getProperty("local.server.port"))
                .get()
                .uri("/actuator/r2dbcrouting/stream")
                .accept(MediaType.TEXT_EVENT_STREAM)
                .retrieve()
                .bodyToFlux(new ParameterizedTypeReference<ServerSentEvent<String>>() {})
                .subscribe(
                        event -> {
                            answers.add(String.valueOf(event.data()));
                            names.add(String.valueOf(event.event()));
                            if ("frame".equals(event.event())) {
                                frames.add(JSON.readTree(event.data()));
                            }
                        },
                        error -> names.add(error.toString()));
    }

    private static double lag(List<JsonNode> frames, String server) {
        return server(frames.get(frames.size() - 1), server).path("staleness").asDouble();
    }

    private static JsonNode server(JsonNode told, String name) {
        for (JsonNode server : told.path("servers")) {
            if (server.path("name").asString().equals(name)) {
                return server;
            }
        }
        throw new AssertionError(name);
    }

    private static void run(Mono<Void> mono) {
        var unused = mono.block(LIMIT);
    }

    private void write() {
        run(statement("CREATE TABLE IF NOT EXISTS noted (id int)"));
    }

    private void read() {
        run(statement("SELECT 1").contextWrite(Routing.read()));
    }

    private Mono<Void> statement(String sql) {
        return application.getBean(DatabaseClient.class).sql(sql).then();
    }

    private JsonNode get(String path, int status) {
        return answer(http.get().uri(path).exchange(), status);
    }

    private JsonNode post(String path, Map<String, String> body, int status) {
        return answer(
                http.post()
                        .uri(path)
                        .contentType(MediaType.APPLICATION_JSON)
                        .bodyValue(body)
                        .exchange(),
                status);
    }

    private JsonNode answer(WebTestClient.ResponseSpec response, int status) {
        String body = response.expectStatus()
                .isEqualTo(status)
                .expectBody(String.class)
                .returnResult()
                .getResponseBody();
        answers.add(String.valueOf(body));
        return body == null ? JSON.createObjectNode() : JSON.readTree(body);
    }
}
