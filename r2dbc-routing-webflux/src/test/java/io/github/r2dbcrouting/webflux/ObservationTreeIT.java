package io.github.r2dbcrouting.webflux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.webflux.shop.Orders;
import io.github.r2dbcrouting.webflux.shop.ShopApplication;
import io.micrometer.common.KeyValue;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationView;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.http.HttpMethod;
import org.springframework.test.web.reactive.server.WebTestClient;

/** What would a trace show of one request? The controller, what was routed and whereto, and the queries in it. */
@PostgresClusterTest(replicas = 1)
class ObservationTreeIT {

    private static final String CONNECTION = "r2dbc.routing.connection";

    private final PostgresCluster cluster;
    private final Queue<Observation.Context> stopped = new ConcurrentLinkedQueue<>();
    private ConfigurableApplicationContext spring;

    ObservationTreeIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    /** Keeps what a tracer would export. */
    private final class Kept implements ObservationHandler<Observation.Context> {
        @Override
        public void onStop(Observation.Context context) {
            stopped.add(context);
        }

        @Override
        public boolean supportsContext(Observation.Context context) {
            return true;
        }
    }

    private void start(String... more) {
        cluster.primary().execute("CREATE TABLE placed (id serial PRIMARY KEY, status text NOT NULL)");
        cluster.awaitReplayed();
        List<String> properties = new ArrayList<>(List.of(
                "server.port=0",
                "spring.main.banner-mode=off",
                "spring.devtools.restart.enabled=false",
                "r2dbc.routing.tokens.enabled=false",
                "r2dbc.routing.policies.reporting=all()",
                "r2dbc.routing.servers.main.url=" + cluster.primary().r2dbcUrl(),
                "r2dbc.routing.servers.near.url=" + cluster.replica(0).r2dbcUrl()));
        properties.addAll(List.of(more));
        spring = new SpringApplicationBuilder(ShopApplication.class)
                .web(WebApplicationType.REACTIVE)
                .initializers(context -> context.getBeanFactory().registerSingleton("kept", new Kept()))
                .run(properties.stream().map(property -> "--" + property).toArray(String[]::new));
        Blocking.run(spring.getBean(RoutingConnectionFactory.class).ready(Duration.ofSeconds(20)));
        await().until(() ->
                Blocking.value(spring.getBean(Orders.class).listing().next()));
        stopped.clear();
    }

    @AfterEach
    void stop() {
        spring.close();
    }

    /** Asks the shop, and returns once the request is over for the server, too. */
    private void ask(HttpMethod method, int status) {
        WebTestClient.bindToServer()
                .baseUrl("http://127.0.0.1:" + spring.getEnvironment().getProperty("local.server.port"))
                .responseTimeout(Duration.ofSeconds(30))
                .build()
                .method(method)
                .uri("/orders")
                .exchange()
                .expectStatus()
                .isEqualTo(status);
        await().until(() -> named("http.server.requests").size() == 1);
    }

    private List<Observation.Context> named(String name) {
        return stopped.stream()
                .filter(context -> name.equals(context.getName()))
                .toList();
    }

    /** The request's own: not what a new connection is asked at first, nor what was read before the request. */
    private List<Observation.Context> queries(String text) {
        return named("r2dbc.query").stream()
                .filter(query -> path(query).contains("http.server.requests"))
                .filter(query -> query.getHighCardinalityKeyValues().stream()
                        .anyMatch(value -> value.getValue().startsWith(text)))
                .toList();
    }

    private static List<String> path(Observation.Context context) {
        return Stream.<Observation.ContextView>iterate(context, at -> at != null, ObservationTreeIT::parent)
                .map(Observation.ContextView::getName)
                .toList();
    }

    private static Observation.ContextView parent(Observation.ContextView context) {
        ObservationView parent = context.getParentObservation();
        return parent == null ? null : parent.getContextView();
    }

    private static String key(Observation.ContextView context, String name) {
        KeyValue value = context.getLowCardinalityKeyValue("r2dbc.routing." + name);
        return value == null ? "no such key" : value.getValue();
    }

    @Test
    void aReadIsBetweenItsControllerAndItsQuery() {
        start();

        ask(HttpMethod.GET, 200);

        assertThat(queries("SELECT pg_is_in_recovery()")).singleElement().satisfies(query -> {
            assertThat(path(query)).containsExactly("r2dbc.query", CONNECTION, "http.server.requests");
            assertThat(key(query, "server")).isEqualTo("near");
        });
        assertThat(named(CONNECTION)).singleElement().satisfies(routed -> {
            assertThat(routed.getContextualName()).isEqualTo("statement on near");
            assertThat(key(routed, "role")).isEqualTo("replica");
            assertThat(key(routed, "intent")).isEqualTo("read");
            assertThat(key(routed, "end")).isEqualTo("completed");
            assertThat(routed.getError()).isNull();
        });
    }

    @Test
    void aTransactionIsBetweenItsControllerAndItsQueries() {
        start();

        ask(HttpMethod.POST, 200);

        assertThat(queries("INSERT")).hasSize(2).allSatisfy(query -> {
            assertThat(path(query)).containsExactly("r2dbc.query", CONNECTION, "http.server.requests");
            assertThat(key(query, "server")).isEqualTo("main");
        });
        assertThat(named(CONNECTION)).singleElement().satisfies(routed -> {
            assertThat(routed.getContextualName()).isEqualTo("transaction on main");
            assertThat(key(routed, "reason")).isEqualTo("write");
            assertThat(key(routed, "end")).isEqualTo("completed");
        });
    }

    @Test
    void aTransactionThatFailsIsRolledBackAndItsQueryTellsWhy() {
        start();
        cluster.primary().execute("ALTER TABLE placed ADD CHECK (status <> 'paid')");

        ask(HttpMethod.POST, 500);

        assertThat(named(CONNECTION))
                .singleElement()
                .satisfies(routed -> assertThat(key(routed, "end")).isEqualTo("rolled_back"));
        // which r2dbc-proxy stops twice if it fails
        assertThat(queries("INSERT")).isNotEmpty().allSatisfy(query -> {
            assertThat(query.getError()).hasMessageContaining("check constraint");
            assertThat(path(query)).contains(CONNECTION);
        });
    }

    @Test
    void nothingIsBetweenThemIfItIsSwitchedOff() {
        start("r2dbc.routing.observation.connections=false");

        ask(HttpMethod.GET, 200);

        assertThat(queries("SELECT pg_is_in_recovery()"))
                .singleElement()
                .satisfies(query -> assertThat(path(query)).containsExactly("r2dbc.query", "http.server.requests"));
        assertThat(named(CONNECTION)).isEmpty();
    }

    @Test
    void nothingIsBetweenThemIfBootIsToldSo() {
        start("management.observations.enable.r2dbc.routing.connection=false");

        ask(HttpMethod.GET, 200);

        assertThat(queries("SELECT pg_is_in_recovery()"))
                .singleElement()
                .satisfies(query -> assertThat(path(query)).containsExactly("r2dbc.query", "http.server.requests"));
        assertThat(named(CONNECTION)).isEmpty();
    }
}
