package io.github.r2dbcrouting.micrometer;

import io.github.r2dbcrouting.CaptureStatistics;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.RouteDecision.Reason;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.RoutingListener;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.r2dbc.pool.PoolMetrics;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToDoubleFunction;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

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
    private static final String NONE = "none";

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
        Timer wait = timer(tags).register(registry);
        Map<Counted, Counter> counters = new ConcurrentHashMap<>();
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
                        "role", lower(counted.role),
                        "intent", lower(counted.intent),
                        "freshness", lower(counted.freshness),
                        "reason", lower(counted.reason),
                        "policy", counted.policy));
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
        for (String server : factory.serverNames()) {
            pool(registry, RoutingMeter.POOL_ACQUIRED, server, PoolMetrics::acquiredSize);
            pool(registry, RoutingMeter.POOL_ALLOCATED, server, PoolMetrics::allocatedSize);
            pool(registry, RoutingMeter.POOL_IDLE, server, PoolMetrics::idleSize);
            pool(registry, RoutingMeter.POOL_PENDING, server, PoolMetrics::pendingAcquireSize);
            pool(registry, RoutingMeter.POOL_MAX_ALLOCATED, server, PoolMetrics::getMaxAllocatedSize);
            server(
                    registry,
                    RoutingMeter.SAMPLE_AGE,
                    server,
                    state -> seconds(factory.statistics(state).sampleAge()));
            server(
                    registry,
                    RoutingMeter.SERVER_EJECTED,
                    server,
                    state -> factory.statistics(state).ejected() ? 1 : 0);
            server(
                    registry,
                    RoutingMeter.STALENESS,
                    server,
                    state -> seconds(factory.statistics(state).staleness()));
            server(
                    registry,
                    RoutingMeter.BYTES_BEHIND,
                    server,
                    state -> bytes(factory.statistics(state).bytesBehind()));
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

    /** As far as it is known: no number at all says more than a 0. */
    private void server(
            MeterRegistry registry, RoutingMeter meter, String server, ToDoubleFunction<ServerState> value) {
        gauge(
                registry,
                meter,
                factory,
                router -> router.table().servers().stream()
                        .filter(state -> state.name().equals(server))
                        .mapToDouble(value)
                        .findFirst()
                        .orElse(meter.unit() == null ? 0 : Double.NaN),
                "server",
                server);
    }

    /** The pool is another one after each change of the server's. */
    private void pool(MeterRegistry registry, RoutingMeter meter, String server, ToIntFunction<PoolMetrics> value) {
        gauge(
                registry,
                meter,
                factory,
                router -> router.pool(server)
                        .getMetrics()
                        .map(metrics -> (double) value.applyAsInt(metrics))
                        .orElse(0.0),
                "name",
                server);
    }

    private static double seconds(@Nullable Duration duration) {
        return duration == null ? Double.NaN : duration.toNanos() / NANOS_PER_SECOND;
    }

    private static double bytes(OptionalLong bytes) {
        return bytes.isPresent() ? bytes.getAsLong() : Double.NaN;
    }
}
