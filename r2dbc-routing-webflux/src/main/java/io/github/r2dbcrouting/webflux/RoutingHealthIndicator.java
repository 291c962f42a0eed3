package io.github.r2dbcrouting.webflux;

import io.github.r2dbcrouting.NoEligibleServerException;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatistics;
import io.github.r2dbcrouting.ServerStatus;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.springframework.boot.health.contributor.AbstractReactiveHealthIndicator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.Status;
import reactor.core.publisher.Mono;

/**
 * Can the application work with its database? If its primary is up: replicas, and how far they are behind, are details.
 * So is a probe that the primary has missed: requests go on to a primary that is {@link ServerStatus#SUSPECT SUSPECT}, and
 * one lost answer must not take all instances out of service at once. After several in a row the primary is down.
 *
 * <p>What the monitor knows is told, so that a starved pool does not look like a dead server and no check takes a
 * connection.
 *
 * @since 0.1.0
 */
public final class RoutingHealthIndicator extends AbstractReactiveHealthIndicator {

    private static final Duration LIMIT = Duration.ofSeconds(2);

    private final RoutingConnectionFactory factory;

    /**
     * Creates an indicator.
     *
     * @param factory whose servers they are
     */
    public RoutingHealthIndicator(RoutingConnectionFactory factory) {
        super("the state of the database's servers could not be told");
        this.factory = factory;
    }

    @Override
    protected Mono<Health> doHealthCheck(Health.Builder builder) {
        return factory.ready(LIMIT)
                .onErrorComplete(NoEligibleServerException.class)
                .then(Mono.fromSupplier(() -> told(builder)));
    }

    private Health told(Health.Builder builder) {
        RoutingTable table = factory.table();
        ServerState primary = table.primary().orElse(null);
        Map<String, Object> servers = new LinkedHashMap<>();
        table.servers().forEach(server -> servers.put(server.name(), details(server)));
        builder.status(primary != null && isUp(primary.status()) ? Status.UP : Status.DOWN)
                .withDetail("database", factory.getMetadata().getName())
                .withDetail("primary", primary == null ? "none" : primary.name())
                .withDetail("servers", servers);
        return builder.build();
    }

    static boolean isUp(ServerStatus primary) {
        return primary == ServerStatus.UP || primary == ServerStatus.SUSPECT;
    }

    private Map<String, Object> details(ServerState server) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("role", lower(server.role()));
        details.put("status", lower(server.status()));
        if (!server.tags().isEmpty()) {
            details.put("tags", server.tags());
        }
        ServerStatistics now = factory.statistics(server);
        Duration staleness = now.staleness();
        if (staleness != null) {
            details.put("atMostOldMillis", staleness.toMillis());
        }
        now.bytesBehind().ifPresent(bytes -> details.put("bytesBehind", bytes));
        if (now.ejected()) {
            details.put("ejected", true);
        }
        if (server.problem() != null) {
            details.put("problem", server.problem());
        }
        return details;
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
