package io.github.r2dbcrouting.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.RouteDecision.Reason;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.RoutingListener;
import io.github.r2dbcrouting.ServerRole;
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

    private static RouteDecision decision(Duration waited) {
        return new RouteDecision(
                "db1",
                ServerRole.REPLICA,
                Reason.COVERS_TOKEN,
                Intent.READ,
                Freshness.causal(),
                List.of(),
                waited,
                null);
    }
}
