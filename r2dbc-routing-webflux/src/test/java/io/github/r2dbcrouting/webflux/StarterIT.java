package io.github.r2dbcrouting.webflux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.micrometer.RoutingMeter;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.github.r2dbcrouting.webflux.shop.Checkout;
import io.github.r2dbcrouting.webflux.shop.Orders;
import io.github.r2dbcrouting.webflux.shop.Placed;
import io.github.r2dbcrouting.webflux.shop.ShopApplication;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.test.web.reactive.server.WebTestClient;

/** A whole application of Boot's over a cluster, configured by nothing but properties. */
@PostgresClusterTest(replicas = 2)
class StarterIT {

    private static final String SCHEMA =
            "CREATE TABLE IF NOT EXISTS placed (id serial PRIMARY KEY, status text NOT NULL)";

    private final PostgresCluster cluster;
    private ConfigurableApplicationContext spring;
    private WebTestClient http;

    StarterIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void start() {
        spring = started();
        http = WebTestClient.bindToServer()
                .baseUrl("http://127.0.0.1:" + spring.getEnvironment().getProperty("local.server.port"))
                .responseTimeout(Duration.ofSeconds(30))
                .build();
        Blocking.run(factory().ready(Duration.ofSeconds(20)));
        await().until(() -> Blocking.value(orders().listing().next()));
    }

    private ConfigurableApplicationContext started() {
        List<String> properties = new ArrayList<>(List.of(
                "server.port=0",
                "spring.main.banner-mode=off",
                "spring.devtools.restart.enabled=false",
                "spring.sql.init.mode=always",
                "r2dbc.routing.tokens.enabled=false",
                "spring.r2dbc.url=" + cluster.primary().r2dbcUrl(),
                "r2dbc.routing.policies.reporting=tags(reporting); halt()",
                "r2dbc.routing.servers.main.tags=eu",
                "r2dbc.routing.servers.reports.tags=reporting",
                "management.endpoint.health.show-details=always",
                "management.endpoint.health.probes.enabled=true",
                "management.endpoint.health.group.readiness.include=readinessState,r2dbc",
                "management.endpoints.web.exposure.include=*",
                "management.endpoint.env.show-values=never"));
        List<String> names = List.of("near", "reports");
        for (int i = 0; i < 2; i++) {
            properties.add("r2dbc.routing.servers." + names.get(i) + ".url="
                    + cluster.replica(i).r2dbcUrl());
        }
        return new SpringApplicationBuilder(ShopApplication.class)
                .web(WebApplicationType.REACTIVE)
                .properties("spring.sql.init.schema-locations=" + schema())
                .run(properties.stream().map(property -> "--" + property).toArray(String[]::new));
    }

    private static String schema() {
        try {
            Path file = Path.of("target", "schema-of-the-shop.sql");
            return Files.writeString(file, SCHEMA).toUri().toString();
        } catch (IOException unwritable) {
            throw new AssertionError(unwritable);
        }
    }

    @AfterEach
    void stop() {
        spring.close();
    }

    private RoutingConnectionFactory factory() {
        return spring.getBean(RoutingConnectionFactory.class);
    }

    private Orders orders() {
        return spring.getBean(Orders.class);
    }

    @Test
    void readsListingsFromReplicasAndTheStateOfAnOrderFromThePrimary() {
        Checkout checkout = spring.getBean(Checkout.class);
        cluster.replica(0).pauseReplay();
        cluster.replica(1).pauseReplay();

        Placed paid = Blocking.value(checkout.pay());

        assertThat(Blocking.value(orders().status(paid.id()))).isEqualTo("paid");
        assertThat(orders().listing().collectList().block()).containsExactly(true);
        assertThat(checkout.listing().collectList().block())
                .as("the annotation that is nearer to the statement")
                .containsExactly(true);
        assertThat(checkout.listingInATransaction().collectList().block())
                .as("the entry around the transaction")
                .containsExactly(true);
    }

    @Test
    void readsReportsFromTheReportingReplica() {
        String reporting = cluster.replica(1).query("SELECT current_setting('cluster_name')");

        for (int i = 0; i < 10; i++) {
            assertThat(Blocking.value(orders().report())).isEqualTo(reporting);
        }
        assertThat(factory().table().servers())
                .filteredOn(server -> server.tags().contains("reporting"))
                .extracting(server -> server.name())
                .containsExactly("reports");
    }

    @Test
    void letsTheNearestSayHoldOverHttp() {
        http.get()
                .uri("/orders")
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody(Boolean.class)
                .isEqualTo(true);
    }

    @Test
    void isHealthyWithoutReplicasAndNotWithoutThePrimary() {
        cluster.replica(0).kill();
        await().untilAsserted(() -> assertThat(health("UP"))
                .contains("\"primary\":\"main\"", "\"near\":{\"role\":\"replica\",\"status\":\"down\"")
                .doesNotContain(password()));
        http.get().uri("/actuator/health/readiness").exchange().expectStatus().isOk();
        http.get().uri("/actuator/health/liveness").exchange().expectStatus().isOk();

        cluster.primary().kill();

        await().untilAsserted(() -> assertThat(health("DOWN")).doesNotContain(password()));
        http.get().uri("/actuator/health/readiness").exchange().expectStatus().isEqualTo(503);
        http.get().uri("/actuator/health/liveness").exchange().expectStatus().isOk();
    }

    @Test
    void isHealthyWhileThePrimaryHasMissedAProbeAndNotAfterSeveral() {
        cluster.primary().freeze();

        await().pollInterval(Duration.ofMillis(20))
                .untilAsserted(() ->
                        assertThat(health("UP")).contains("\"main\":{\"role\":\"primary\",\"status\":\"suspect\""));
        await().untilAsserted(() ->
                assertThat(health("DOWN")).contains("\"main\":{\"role\":\"primary\",\"status\":\"down\""));
    }

    private String health(String status) {
        String body = get("/actuator/health/r2dbc");
        assertThat(body).startsWith("{\"details\"").contains("\"status\":\"" + status + "\"}");
        return body;
    }

    private String password() {
        String url = cluster.primary().r2dbcUrl();
        return url.substring(url.indexOf(':', url.indexOf("//")) + 1, url.indexOf('@'));
    }

    private String get(String path) {
        return Objects.requireNonNull(http.get()
                .uri(path)
                .exchange()
                .expectBody(String.class)
                .returnResult()
                .getResponseBody());
    }

    @Test
    void measuresWhatWasDone() {
        MeterRegistry registry = spring.getBean(MeterRegistry.class);
        CausalSession session = CausalSession.create();
        String before = get("/actuator/prometheus");

        for (int i = 0; i < 7; i++) {
            Placed paid = Blocking.value(spring.getBean(Checkout.class).pay().contextWrite(Routing.session(session)));
            Blocking.run(orders().status(paid.id()));
        }
        for (int i = 0; i < 5; i++) {
            Blocking.run(orders().report());
            Blocking.run(orders().listing());
        }
        Blocking.run(session.token());

        String after = get("/actuator/prometheus");
        assertThat(decisions(after, "reason", "write") - decisions(before, "reason", "write"))
                .isEqualTo(7);
        assertThat(decisions(after, "reason", "latest") - decisions(before, "reason", "latest"))
                .isEqualTo(7);
        assertThat(decisions(after, "policy", "reporting") - decisions(before, "policy", "reporting"))
                .isEqualTo(5);
        assertThat(decisions(after, "role", "replica") - decisions(before, "role", "replica"))
                .isEqualTo(10);
        // counted a moment after whoever waits has been told
        await().untilAsserted(() -> assertThat(
                        registry.get("r2dbc.routing.captured").functionCounter().count())
                .isGreaterThanOrEqualTo(7));
        for (String server : List.of("near", "reports")) {
            assertThat(registry.get("r2dbc.routing.replica.behind")
                            .tag("server", server)
                            .gauge()
                            .value())
                    .isBetween(0.0, 1e9);
            assertThat(registry.get("r2dbc.pool.acquired")
                            .tag("name", server)
                            .gauge()
                            .value())
                    .isZero();
        }
        assertNoTagIsUnbounded(registry);
        assertDocumentsNameWhatIsScraped(after);
    }

    /** As a server that scrapes adds them up. */
    private static double decisions(String scraped, String tag, String value) {
        return scraped.lines()
                .filter(line -> line.startsWith("r2dbc_routing_decisions_total{"))
                .filter(line -> line.contains(tag + "=\"" + value + "\""))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .sum();
    }

    /** Every tag has the values that servers, policies and constants can give it. */
    private static void assertNoTagIsUnbounded(MeterRegistry registry) {
        List<String> servers = List.of("main", "near", "reports");
        Map<String, List<String>> allowed = Map.of(
                "server", List.of("main", "near", "reports", "none"),
                "name", servers,
                "policy", List.of("reporting", "none"),
                "role", constants(ServerRole.values()),
                "intent", constants(Intent.values()),
                "freshness", constants(Freshness.Kind.values()),
                "reason", constants(RouteDecision.Reason.values()));
        for (RoutingMeter meter : RoutingMeter.values()) {
            registry.find(meter.meterName()).meters().forEach(found -> {
                List<Tag> tags = found.getId().getTags();
                assertThat(tags).extracting(Tag::getKey).isSubsetOf(meter.tags());
                assertThat(tags)
                        .allSatisfy(tag -> assertThat(allowed.get(tag.getKey()))
                                .as(tag.getKey())
                                .contains(tag.getValue()));
            });
        }
    }

    private static List<String> constants(Enum<?>[] all) {
        return Stream.of(all).map(one -> one.name().toLowerCase(Locale.ROOT)).toList();
    }

    private static final Pattern METRIC = Pattern.compile("\\br2dbc_[a-z0-9_]+");

    /** What the dashboard and the alerts ask for is there by that name. */
    private static void assertDocumentsNameWhatIsScraped(String scraped) {
        for (String document : List.of("grafana-dashboard.json", "prometheus-alerts.yml")) {
            Matcher asked = METRIC.matcher(document(document));
            TreeSet<String> names = new TreeSet<>();
            while (asked.find()) {
                names.add(asked.group());
            }
            assertThat(names)
                    .as(document)
                    .isNotEmpty()
                    .allSatisfy(name -> assertThat(scraped).containsPattern("(?m)^" + name + "[{ ]"));
        }
    }

    private static String document(String name) {
        try {
            return Files.readString(Path.of("..", "docs", name), StandardCharsets.UTF_8);
        } catch (IOException missing) {
            throw new AssertionError(missing);
        }
    }

    @Test
    void namesTheServerInObservationsOfQueriesAndKeepsProbesOut() {
        MeterRegistry registry = spring.getBean(MeterRegistry.class);

        Blocking.run(orders().report());

        await().untilAsserted(() -> assertThat(registry.find("r2dbc.query")
                        .tag(ServerObservationConvention.SERVER, "reports")
                        .timers())
                .isNotEmpty());
        assertThat(registry.find("r2dbc.query").tagKeys("r2dbc.thread").timers())
                .isEmpty();
        double before = queries(registry);
        long sampled = factory().table().version();
        await().until(() -> factory().table().version() > sampled + 5);
        assertThat(queries(registry)).isEqualTo(before);
    }

    private static double queries(MeterRegistry registry) {
        return registry.find("r2dbc.query").timers().stream()
                .mapToDouble(timer -> timer.count())
                .sum();
    }

    @Test
    void leavesNoConnectionBehindAndStartsAgainInTheSameProcess() {
        spring.close();

        for (PostgresServer server : cluster.servers()) {
            await().untilAsserted(() -> assertThat(server.query("SELECT count(*) FROM pg_stat_activity WHERE datname"
                            + " = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"))
                    .isEqualTo("0"));
        }
        spring = started();
        assertThat(Blocking.value(orders().report())).isNotEmpty();
    }
}
