package io.github.r2dbcrouting.micrometer;

import io.github.r2dbcrouting.CaptureStatistics;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.RouteDecision.Reason;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.RoutingListener;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.internal.text.Lowercase;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.Disposables;

/**
 * How does a router fare?
 *
 * <p>Binds the {@linkplain RoutingMeter meters} of one factory. They are read when the registry asks: between that
 * nothing is done. Servers that are added later get theirs, and those of a server that is removed are removed with it,
 * until the factory or this is closed. Decisions are counted by the {@link #listener} only, since each has to be put into words for it; it
 * is given to the factory's builder.
 *
 * @since 0.1.0
 */
public final class RoutingMetrics implements MeterBinder, AutoCloseable {

    private static final double NANOS_PER_SECOND = 1e9;
    private static final String NONE = "none";

    private final RoutingConnectionFactory factory;
    private final Tags tags;
    private final Disposable.Composite following = Disposables.composite();

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
     * Counts decisions, and times those that were waited for. The counters of a server that is removed are removed where
     * {@link #bindTo} was called for the same registry, with the same tags.
     *
     * @param registry where the meters go
     * @param tags on each of them
     * @return a listener for the builder of a factory, or for requests: to be made once, and not for each
     */
    public static RoutingListener listener(MeterRegistry registry, Tags tags) {
        Timer wait = timer(tags).register(registry);
        Map<Counted, Counter> counters = new ConcurrentHashMap<>();
        var unused = registry.config()
                .onMeterRemoved(removed ->
                        counters.values().removeIf(counter -> counter.getId().equals(removed.getId())));
        return decision -> {
            // looking a meter up in the registry costs more than all else here
            counters.computeIfAbsent(
                            Counted.of(decision),
                            counted -> counter(counted, tags).register(registry))
                    .increment();
            if (!decision.waited().isZero()) {
                wait.record(decision.waited());
            }
        };
    }

    /** What decisions are told apart by: servers, policies and constants, so that there are not many. */
    private record Counted(
            String server, ServerRole role, Intent intent, Freshness.Kind freshness, Reason reason, String policy) {

        static Counted of(RouteDecision decision) {
            return new Counted(
                    decision.server() == null ? NONE : decision.server(),
                    decision.role(),
                    decision.intent(),
                    decision.freshness().kind(),
                    decision.reason(),
                    decision.policy() == null ? NONE : decision.policy());
        }
    }

    private static Counter.Builder counter(Counted counted, Tags tags) {
        return Counter.builder(RoutingMeter.DECISIONS.meterName())
                .description(RoutingMeter.DECISIONS.description())
                .tags(tags.and(
                        "server", counted.server,
                        "role", Lowercase.of(counted.role),
                        "intent", Lowercase.of(counted.intent),
                        "freshness", Lowercase.of(counted.freshness),
                        "reason", Lowercase.of(counted.reason),
                        "policy", counted.policy));
    }

    private static Timer.Builder timer(Tags tags) {
        return Timer.builder(RoutingMeter.WAIT.meterName())
                .description(RoutingMeter.WAIT.description())
                .tags(tags);
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
        gauge(
                registry,
                RoutingMeter.WAITING,
                factory,
                router -> router.statistics().waiting());
        gauge(
                registry,
                RoutingMeter.FALLBACK_LIMIT,
                factory,
                router -> router.statistics().fallbackLimit());
        gauge(
                registry,
                RoutingMeter.FALLBACK_USED,
                factory,
                router -> router.statistics().fallbackInUse());
        gauge(
                registry,
                RoutingMeter.FALLBACK_QUEUED,
                factory,
                router -> router.statistics().fallbackQueued());
        count(
                registry,
                RoutingMeter.FALLBACK_REFUSED,
                factory,
                router -> router.statistics().fallbackRefused());
        count(
                registry,
                RoutingMeter.PRIMARIES_FOLLOWED,
                factory,
                router -> router.statistics().primariesFollowed());
        count(registry, RoutingMeter.POSITIONS_REJECTED, factory, RoutingConnectionFactory::rejectedPositions);
        following.add(new ServerMeters(factory, registry, tags).follow());
    }

    /**
     * Ends following which servers there are. The meters stay. Not needed where the factory is closed; closing it again has
     * no effect.
     */
    @Override
    public void close() {
        following.dispose();
    }

    private void gauge(MeterRegistry registry, RoutingMeter meter, ToDoubleFunction<CaptureStatistics> value) {
        gauge(registry, meter, factory, router -> value.applyAsDouble(router.captureStatistics()));
    }

    private void count(MeterRegistry registry, RoutingMeter meter, ToDoubleFunction<CaptureStatistics> value) {
        count(registry, meter, factory, router -> value.applyAsDouble(router.captureStatistics()));
    }

    private void gauge(
            MeterRegistry registry,
            RoutingMeter meter,
            RoutingConnectionFactory router,
            ToDoubleFunction<RoutingConnectionFactory> value,
            String... tag) {
        var unused = Gauge.builder(meter.meterName(), router, value)
                .description(meter.description())
                .baseUnit(meter.unit())
                .tags(tags.and(tag))
                .register(registry);
    }

    private void count(
            MeterRegistry registry,
            RoutingMeter meter,
            RoutingConnectionFactory router,
            ToDoubleFunction<RoutingConnectionFactory> value) {
        var unused = FunctionCounter.builder(meter.meterName(), router, value)
                .description(meter.description())
                .tags(tags)
                .register(registry);
    }

    private static double seconds(@Nullable Duration duration) {
        return duration == null ? Double.NaN : duration.toNanos() / NANOS_PER_SECOND;
    }
}
