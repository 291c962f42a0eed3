package io.github.r2dbcrouting.micrometer;

import io.github.r2dbcrouting.CaptureStatistics;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.RoutingListener;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/**
 * How does a router fare?
 *
 * <p>Binds the {@linkplain RoutingMeter meters} of one factory. They are read when the registry asks: between that
 * nothing is done. Decisions are counted by the {@link #listener} only, since each has to be put into words for it; it
 * is given to the factory's builder.
 *
 * @since 0.1.0
 */
public final class RoutingMetrics implements MeterBinder {

    private static final double NANOS_PER_SECOND = 1e9;

    private final RoutingConnectionFactory factory;
    private final Tags tags;

    /**
     * Creates a binder.
     *
     * @param factory whose meters they are
     * @param tags on each of them, to tell several factories apart
     */
    public RoutingMetrics(RoutingConnectionFactory factory, Tags tags) {
        this.factory = Objects.requireNonNull(factory, "factory");
        this.tags = Objects.requireNonNull(tags, "tags");
    }

    /**
     * Counts decisions, and times those that were waited for.
     *
     * @param registry where the meters go
     * @param tags on each of them
     * @return a listener for the builder of a factory, or for one request
     */
    public static RoutingListener listener(MeterRegistry registry, Tags tags) {
        return decision -> {
            counter(decision, tags).register(registry).increment();
            if (!decision.waited().isZero()) {
                timer(tags).register(registry).record(decision.waited());
            }
        };
    }

    private static Counter.Builder counter(RouteDecision decision, Tags tags) {
        String server = decision.server();
        return Counter.builder(RoutingMeter.DECISIONS.meterName())
                .description(RoutingMeter.DECISIONS.description())
                .tags(tags.and(
                        "server", server == null ? "none" : server,
                        "role", lower(decision.role()),
                        "reason", lower(decision.reason()),
                        "intent", lower(decision.intent())));
    }

    private static Timer.Builder timer(Tags tags) {
        return Timer.builder(RoutingMeter.WAIT.meterName())
                .description(RoutingMeter.WAIT.description())
                .tags(tags);
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        gauge(registry, RoutingMeter.PENDING, CaptureStatistics::pending);
        gauge(registry, RoutingMeter.PENDING_AGE, now -> seconds(now.oldestPending()));
        count(registry, RoutingMeter.CAPTURES, CaptureStatistics::captures);
        count(registry, RoutingMeter.CAPTURED, CaptureStatistics::captured);
        gauge(registry, RoutingMeter.CAPTURE_TIME, now -> seconds(now.lastCapture()));
        count(registry, RoutingMeter.NUDGES, CaptureStatistics::nudges);
        count(registry, RoutingMeter.POSSIBLY_LOST, CaptureStatistics::possiblyLost);
        gauge(registry, RoutingMeter.UNCOVERED, CaptureStatistics::uncovered);
        gauge(registry, RoutingMeter.UNCOVERED_AGE, now -> seconds(now.oldestUncovered()));
        for (String server : factory.serverNames()) {
            server(registry, RoutingMeter.SERVER_UP, server, state -> state.status() == ServerStatus.UP ? 1 : 0);
            server(registry, RoutingMeter.SERVER_PRIMARY, server, state -> isPrimary(state) ? 1 : 0);
            server(
                    registry,
                    RoutingMeter.CATCH_UP,
                    server,
                    state -> seconds(state.lag().catchUp()));
        }
    }

    private boolean isPrimary(ServerState state) {
        return factory.table()
                .primary()
                .map(primary -> primary.index() == state.index())
                .orElse(false);
    }

    private void gauge(MeterRegistry registry, RoutingMeter meter, ToDoubleFunction<CaptureStatistics> value) {
        var unused = Gauge.builder(
                        meter.meterName(), factory, router -> value.applyAsDouble(router.captureStatistics()))
                .description(meter.description())
                .baseUnit(meter.unit())
                .tags(tags)
                .register(registry);
    }

    private void count(MeterRegistry registry, RoutingMeter meter, ToDoubleFunction<CaptureStatistics> value) {
        var unused = FunctionCounter.builder(
                        meter.meterName(), factory, router -> value.applyAsDouble(router.captureStatistics()))
                .description(meter.description())
                .tags(tags)
                .register(registry);
    }

    private void server(
            MeterRegistry registry, RoutingMeter meter, String server, ToDoubleFunction<ServerState> value) {
        var unused = Gauge.builder(
                        meter.meterName(),
                        factory,
                        router -> router.table().servers().stream()
                                .filter(state -> state.name().equals(server))
                                .mapToDouble(value)
                                .findFirst()
                                .orElse(0))
                .description(meter.description())
                .baseUnit(meter.unit())
                .tags(tags.and("server", server))
                .register(registry);
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / NANOS_PER_SECOND;
    }
}
