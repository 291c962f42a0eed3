package io.github.r2dbcrouting.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.RouteDecision.Reason;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.RoutingListener;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RoutingMetricsTests {

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final RoutingConnectionFactory factory = RoutingConnectionFactory.builder()
            .server("db0", "r2dbc:postgresql://app:secret@127.0.0.1:1/shop")
            .server("db1", "r2dbc:postgresql://app:secret@127.0.0.1:2/shop")
            .build();

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    @Test
    void bindsEveryMeterThatNeedsNoListener() {
        new RoutingMetrics(factory, Tags.of("router", "shop")).bindTo(registry);

        Set<String> expected = Stream.of(RoutingMeter.values())
                .filter(meter -> meter != RoutingMeter.DECISIONS && meter != RoutingMeter.WAIT)
                .map(RoutingMeter::meterName)
                .collect(Collectors.toSet());
        assertThat(registry.getMeters())
                .extracting(meter -> meter.getId().getName())
                .containsOnlyOnceElementsOf(expected.stream()
                        .filter(name -> !name.contains(".server.")
                                && !name.contains(".replica.")
                                && !name.startsWith("r2dbc.pool."))
                        .toList())
                .containsAll(expected);
        assertThat(registry.getMeters())
                .allSatisfy(meter -> assertThat(meter.getId().getTag("router")).isEqualTo("shop"));
    }

    @Test
    void hasTheTagsAndTheKindThatAreDocumented() {
        new RoutingMetrics(factory, Tags.empty()).bindTo(registry);
        RoutingMetrics.listener(registry, Tags.empty()).onDecision(decision(Duration.ofMillis(1)));

        for (RoutingMeter documented : RoutingMeter.values()) {
            assertThat(registry.find(documented.meterName()).meters())
                    .as(documented.meterName())
                    .isNotEmpty()
                    .allSatisfy(meter -> {
                        assertThat(meter.getId().getTags())
                                .extracting(Tag::getKey)
                                .containsExactlyInAnyOrderElementsOf(documented.tags());
                        assertThat(meter.getId().getType().name())
                                .isEqualTo(documented.kind().name());
                    });
        }
    }

    @Test
    void readsWhatIsKnownOfEachServer() {
        new RoutingMetrics(factory, Tags.empty()).bindTo(registry);

        for (String server : List.of("db0", "db1")) {
            assertThat(registry.get("r2dbc.routing.server.up")
                            .tag("server", server)
                            .gauge()
                            .value())
                    .isZero();
        }
        assertThat(registry.get("r2dbc.routing.pending").gauge().value()).isZero();
    }

    @Test
    void countsDecisionsAndTimesThoseThatWaited() {
        RoutingListener listener = RoutingMetrics.listener(registry, Tags.of("router", "shop"));

        listener.onDecision(decision(Duration.ZERO));
        listener.onDecision(decision(Duration.ofMillis(3)));

        assertThat(registry.get("r2dbc.routing.decisions")
                        .tags("server", "db1", "role", "replica", "reason", "covers_token", "intent", "read")
                        .tags("freshness", "causal", "policy", "none")
                        .counter()
                        .count())
                .isEqualTo(2);
        assertThat(registry.get("r2dbc.routing.wait").timer().count()).isEqualTo(1);
        assertThat(registry.get("r2dbc.routing.wait").timer().totalTime(TimeUnit.MILLISECONDS))
                .isEqualTo(3);
    }

    @Test
    void holdsNoSecret() {
        new RoutingMetrics(factory, Tags.empty()).bindTo(registry);

        for (Meter meter : registry.getMeters()) {
            assertThat(meter.getId().toString() + meter.getId().getDescription())
                    .doesNotContain("secret")
                    .doesNotContain("127.0.0.1");
        }
    }

    @Test
    void bindsTheMetersOfAServerThatIsAddedAndRemovesThoseOfOneThatGoes() {
        new RoutingMetrics(factory, Tags.of("router", "shop")).bindTo(registry);
        run();

        Blocking.run(factory.topology().add("db2", "r2dbc:postgresql://app:secret@127.0.0.1:3/shop", spec -> {}));
        soon().untilAsserted(() -> assertThat(metered()).containsExactlyInAnyOrder("db0", "db1", "db2"));
        assertThat(registry.get("r2dbc.routing.server.up")
                        .tags("server", "db2", "router", "shop")
                        .gauge()
                        .value())
                .isZero();
        Set<Meter> ofTheOthers = metersOf("db0", "db1");

        Blocking.run(factory.topology().remove("db2"));
        soon().untilAsserted(() -> assertThat(metered()).containsExactlyInAnyOrder("db0", "db1"));
        assertThat(metersOf("db2")).isEmpty();
        assertThat(metersOf("db0", "db1")).as("they go on").isEqualTo(ofTheOthers);
    }

    @Test
    void showsAServerThatHasTheNameOfOneThatWas() {
        new RoutingMetrics(factory, Tags.empty()).bindTo(registry);
        run();
        Blocking.run(factory.topology().remove("db1"));
        soon().untilAsserted(() -> assertThat(metered()).containsExactly("db0"));

        Blocking.run(factory.topology().add("db1", "r2dbc:postgresql://app:secret@127.0.0.1:3/shop", spec -> {}));

        soon().untilAsserted(() ->
                assertThat(metersOf("db1")).hasSize(metersOf("db0").size()));
        assertThat(registry.get("r2dbc.pool.max.allocated")
                        .tag("name", "db1")
                        .gauge()
                        .value())
                .isPositive();
        assertThat(factory.table().servers())
                .filteredOn(server -> server.name().equals("db1"))
                .extracting(ServerState::status)
                .contains(ServerStatus.REMOVED)
                .hasSize(2);
    }

    @Test
    void leavesNothingBehindOfServersThatComeAndGo() {
        RoutingListener listener = RoutingMetrics.listener(registry, Tags.empty());
        new RoutingMetrics(factory, Tags.empty()).bindTo(registry);
        run();
        listener.onDecision(decision("db0"));
        int before = registry.getMeters().size();

        for (String name : List.of("pod-1", "pod-2", "pod-3", "pod-4")) {
            Blocking.run(factory.topology().add(name, "r2dbc:postgresql://app:secret@127.0.0.1:3/shop", spec -> {}));
            soon().until(() -> metered().contains(name));
            listener.onDecision(decision(name));
            Blocking.run(factory.topology().remove(name));
            soon().until(() -> !metered().contains(name));
            // of a request that had been under way; the next change takes it along
            listener.onDecision(decision(name));
        }
        Blocking.run(factory.topology().tags("db0", "eu"));

        soon().untilAsserted(() -> assertThat(registry.getMeters()).hasSize(before));
        listener.onDecision(decision("db0"));
        assertThat(registry.get("r2dbc.routing.decisions")
                        .tag("server", "db0")
                        .counter()
                        .count())
                .as("what still is there goes on")
                .isEqualTo(2);
    }

    @Test
    void countsAnewWhereAServerComesBackUnderItsName() {
        RoutingListener listener = RoutingMetrics.listener(registry, Tags.empty());
        listener.onDecision(decision("db7"));
        listener.onDecision(decision("db7"));
        registry.remove(registry.get("r2dbc.routing.decisions").counter());

        listener.onDecision(decision("db7"));

        assertThat(registry.get("r2dbc.routing.decisions").counter().count()).isEqualTo(1);
    }

    @Test
    void followsNoServersOnceItIsClosed() {
        RoutingMetrics metrics = new RoutingMetrics(factory, Tags.empty());
        SimpleMeterRegistry open = new SimpleMeterRegistry();
        metrics.bindTo(registry);
        new RoutingMetrics(factory, Tags.empty()).bindTo(open);
        run();

        metrics.close();
        metrics.close();
        Blocking.run(factory.topology().add("db2", "r2dbc:postgresql://app:secret@127.0.0.1:3/shop", spec -> {}));

        soon().untilAsserted(() ->
                assertThat(open.find("r2dbc.routing.server.up").gauges()).hasSize(3));
        assertThat(metered()).containsExactlyInAnyOrder("db0", "db1");
    }

    private static ConditionFactory soon() {
        return await().pollInterval(Duration.ofMillis(10));
    }

    /** Starts the monitor: before that there is no table, and nothing that could change. */
    private void run() {
        Blocking.run(factory.ready(Duration.ofMillis(1)).onErrorComplete());
        soon().until(() -> factory.table().servers().size() == 2);
    }

    private Set<String> metered() {
        return registry.find("r2dbc.routing.server.up").gauges().stream()
                .map(gauge -> gauge.getId().getTag("server"))
                .collect(Collectors.toSet());
    }

    private Set<Meter> metersOf(String... servers) {
        Set<String> names = Set.of(servers);
        return registry.getMeters().stream()
                .filter(meter -> names.contains(String.valueOf(meter.getId().getTag("server")))
                        || names.contains(String.valueOf(meter.getId().getTag("name"))))
                .collect(Collectors.toSet());
    }

    private static RouteDecision decision(Duration waited) {
        return decision("db1", waited);
    }

    private static RouteDecision decision(String server) {
        return decision(server, Duration.ZERO);
    }

    private static RouteDecision decision(String server, Duration waited) {
        return new RouteDecision(
                server,
                ServerRole.REPLICA,
                Reason.COVERS_TOKEN,
                Intent.READ,
                Freshness.causal(),
                List.of(),
                waited,
                null);
    }
}
