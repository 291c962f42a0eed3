package io.github.r2dbcrouting.micrometer;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.r2dbc.pool.PoolMetrics;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Which servers have meters in one registry? Those that there are: one that is added gets its own, and one that is removed
 * takes them with it, so that servers which come and go leave nothing behind.
 *
 * <p>Servers are looked through at each event of the factory, whatever it tells: so one that is lost is made up for by the
 * next. Nothing here is done by two threads at once.
 */
final class ServerMeters {

    private static final Logger LOG = LoggerFactory.getLogger(ServerMeters.class);
    private static final double NANOS_PER_SECOND = 1e9;
    private static final String SERVER = "server";

    private final RoutingConnectionFactory factory;
    private final MeterRegistry registry;
    private final Tags tags;
    private final Map<String, List<Meter>> bound = new HashMap<>();

    ServerMeters(RoutingConnectionFactory factory, MeterRegistry registry, Tags tags) {
        this.factory = factory;
        this.registry = registry;
        this.tags = tags;
    }

    /**
     * Binds the meters of the servers that there are, and goes on to follow which there are.
     *
     * @return ends that; it ends by itself when the factory is closed
     */
    Disposable follow() {
        // the events are subscribed to first, so that none is missed between the two
        return Flux.merge(factory.events().map(event -> true), Mono.just(true))
                .subscribe(any -> reconcile(), error -> LOG.warn("the meters of servers are followed no more", error));
    }

    private void reconcile() {
        Set<String> present = new HashSet<>(factory.serverNames());
        for (String gone : List.copyOf(bound.keySet())) {
            if (!present.contains(gone)) {
                remove(bound.remove(gone));
            }
        }
        for (ServerState server : factory.table().servers()) {
            // also what was counted after it was gone, by a request that had been under way
            if (server.status() == ServerStatus.REMOVED && !present.contains(server.name())) {
                remove(registry.find(RoutingMeter.DECISIONS.meterName())
                        .tags(tags.and(SERVER, server.name()))
                        .meters());
            }
        }
        for (String server : present) {
            bound.computeIfAbsent(server, this::bind);
        }
    }

    private void remove(@Nullable Iterable<? extends Meter> meters) {
        if (meters != null) {
            meters.forEach(registry::remove);
        }
    }

    private List<Meter> bind(String server) {
        return List.of(
                pool(RoutingMeter.POOL_ACQUIRED, server, PoolMetrics::acquiredSize),
                pool(RoutingMeter.POOL_ALLOCATED, server, PoolMetrics::allocatedSize),
                pool(RoutingMeter.POOL_IDLE, server, PoolMetrics::idleSize),
                pool(RoutingMeter.POOL_PENDING, server, PoolMetrics::pendingAcquireSize),
                pool(RoutingMeter.POOL_MAX_ALLOCATED, server, PoolMetrics::getMaxAllocatedSize),
                server(
                        RoutingMeter.SAMPLE_AGE,
                        server,
                        state -> seconds(factory.statistics(state).sampleAge())),
                server(
                        RoutingMeter.PROBE_TIME,
                        server,
                        state -> seconds(factory.statistics(state).probeTime())),
                server(
                        RoutingMeter.SERVER_EJECTED,
                        server,
                        state -> factory.statistics(state).ejected() ? 1 : 0),
                server(
                        RoutingMeter.STALENESS,
                        server,
                        state -> seconds(factory.statistics(state).staleness())),
                server(
                        RoutingMeter.BYTES_BEHIND,
                        server,
                        state -> bytes(factory.statistics(state).bytesBehind())),
                server(RoutingMeter.SERVER_UP, server, state -> state.status() == ServerStatus.UP ? 1 : 0),
                server(RoutingMeter.SERVER_PRIMARY, server, state -> isPrimary(state) ? 1 : 0),
                server(
                        RoutingMeter.CATCH_UP,
                        server,
                        state -> seconds(state.lag().catchUp())));
    }

    private boolean isPrimary(ServerState state) {
        return factory.table()
                .primary()
                .map(primary -> primary.index() == state.index())
                .orElse(false);
    }

    /** As far as it is known: no number at all says more than a 0. */
    private Meter server(RoutingMeter meter, String server, ToDoubleFunction<ServerState> value) {
        // a name may have been another server's before
        return gauge(
                meter,
                SERVER,
                server,
                router -> router.table().servers().stream()
                        .filter(state -> state.status() != ServerStatus.REMOVED
                                && state.name().equals(server))
                        .mapToDouble(value)
                        .findFirst()
                        .orElse(meter.unit() == null ? 0 : Double.NaN));
    }

    /** The pool is another one after each change of the server's. */
    private Meter pool(RoutingMeter meter, String server, ToIntFunction<PoolMetrics> value) {
        return gauge(
                meter,
                "name",
                server,
                router -> !router.serverNames().contains(server)
                        ? Double.NaN
                        : router.pool(server)
                                .getMetrics()
                                .map(metrics -> (double) value.applyAsInt(metrics))
                                .orElse(0.0));
    }

    private Meter gauge(
            RoutingMeter meter, String tag, String server, ToDoubleFunction<RoutingConnectionFactory> value) {
        return Gauge.builder(meter.meterName(), factory, value)
                .description(meter.description())
                .baseUnit(meter.unit())
                .tags(tags.and(tag, server))
                .register(registry);
    }

    private static double seconds(@Nullable Duration duration) {
        return duration == null ? Double.NaN : duration.toNanos() / NANOS_PER_SECOND;
    }

    private static double bytes(OptionalLong bytes) {
        return bytes.isPresent() ? bytes.getAsLong() : Double.NaN;
    }
}
