package io.github.r2dbcrouting.webflux.actuator;

import io.github.r2dbcrouting.CaptureStatistics;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.RoutingStatistics;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatistics;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.Topology;
import io.github.r2dbcrouting.UnknownPolicyException;
import io.github.r2dbcrouting.spi.Position;
import io.r2dbc.pool.PoolMetrics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** How does a router stand at this moment? Reads what it publishes, takes nothing and asks no server. */
final class RouterView {

    private static final String DEFAULT_POLICY = "default";
    private static final RouterReport.Pool NO_POOL = new RouterReport.Pool(0, 0, 0, 0);

    private final RoutingConnectionFactory factory;

    RouterView(RoutingConnectionFactory factory) {
        this.factory = factory;
    }

    RoutingTable table() {
        return factory.table();
    }

    static @Nullable String primary(RoutingTable table) {
        return table.primary().map(ServerState::name).orElse(null);
    }

    List<RouterReport.Server> servers(RoutingTable table) {
        Map<String, Boolean> enabled = factory.topology().servers().stream()
                .collect(Collectors.toMap(Topology.Server::name, Topology.Server::enabled));
        String primary = primary(table);
        List<RouterReport.Server> servers = new ArrayList<>();
        for (ServerState server : table.servers()) {
            if (server.status() != ServerStatus.REMOVED) {
                servers.add(server(server, server.name().equals(primary), enabled.getOrDefault(server.name(), true)));
            }
        }
        return servers;
    }

    private RouterReport.Server server(ServerState server, boolean primary, boolean enabled) {
        ServerStatistics now = factory.statistics(server);
        Position position = server.position();
        boolean replica = server.role() == ServerRole.REPLICA;
        return new RouterReport.Server(
                server.name(),
                lower(server.role()),
                lower(server.status()),
                primary,
                enabled,
                now.ejected(),
                server.tooFarBehind(),
                server.tags(),
                server.weight(),
                position == null ? null : position.branch(),
                position == null ? null : position.toString(),
                millis(now.sampleAge()),
                millis(now.staleness()),
                replica ? millis(server.lag().catchUp()) : null,
                now.bytesBehind().isPresent() ? now.bytesBehind().getAsLong() : null,
                server.problem(),
                pool(server.name()));
    }

    private RouterReport.Pool pool(String server) {
        try {
            return factory.pool(server).getMetrics().map(RouterView::pool).orElse(NO_POOL);
        } catch (IllegalArgumentException removed) {
            return NO_POOL;
        }
    }

    private static RouterReport.Pool pool(PoolMetrics metrics) {
        return new RouterReport.Pool(
                metrics.acquiredSize(),
                metrics.idleSize(),
                metrics.pendingAcquireSize(),
                metrics.getMaxAllocatedSize());
    }

    List<RouterReport.Policy> policies() {
        Map<String, String> defined = factory.policies();
        List<RouterReport.Policy> policies = new ArrayList<>();
        if (!defined.containsKey(DEFAULT_POLICY)) {
            policies.add(policy(DEFAULT_POLICY, null));
        }
        defined.forEach((name, text) -> policies.add(policy(name, text)));
        return policies;
    }

    private RouterReport.Policy policy(String name, @Nullable String text) {
        Routing asked = Routing.read().freshness(Freshness.any());
        RouteDecision decision;
        try {
            decision = factory.explain(text == null ? asked : asked.policy(name), null);
        } catch (UnknownPolicyException neverTaken) {
            // policies are added and replaced, and never removed
            return new RouterReport.Policy(name, text, List.of(), null);
        }
        boolean standsIn = decision.reason() == RouteDecision.Reason.NO_REPLICA;
        List<String> servers = decision.candidates().stream()
                .filter(candidate -> candidate.refusal() == null)
                .map(RouteDecision.Candidate::server)
                .filter(server -> !standsIn || !server.equals(decision.server()))
                .toList();
        return new RouterReport.Policy(name, text, servers, standsIn ? decision.server() : null);
    }

    List<RouterReport.Source> sources() {
        return factory.topology().sources().stream()
                .map(source -> new RouterReport.Source(source.name(), millis(source.age()), source.problem()))
                .toList();
    }

    RouterReport.Counters counters() {
        RoutingStatistics requests = factory.statistics();
        CaptureStatistics captures = factory.captureStatistics();
        return new RouterReport.Counters(
                requests.waiting(),
                requests.fallbackLimit(),
                requests.fallbackInUse(),
                requests.fallbackQueued(),
                requests.fallbackRefused(),
                requests.primariesFollowed(),
                factory.rejectedPositions(),
                captures.pending(),
                toMillis(captures.oldestPending()),
                captures.captures(),
                captures.captured(),
                toMillis(captures.lastCapture()),
                captures.nudges(),
                captures.possiblyLost(),
                captures.uncovered(),
                toMillis(captures.oldestUncovered()));
    }

    static RouterReport.Decision decision(long id, Duration ago, RouteDecision decision) {
        return new RouterReport.Decision(
                id,
                ago.toMillis(),
                decision.server(),
                lower(decision.role()),
                lower(decision.reason()),
                decision.reason().text(),
                lower(decision.intent()),
                decision.freshness().toString(),
                decision.policy(),
                toMillis(decision.waited()),
                decision.candidates().stream().map(RouterView::candidate).toList());
    }

    private static RouterReport.Candidate candidate(RouteDecision.Candidate candidate) {
        RouteDecision.Refusal refusal = candidate.refusal();
        return new RouterReport.Candidate(
                candidate.server(), refusal == null ? null : lower(refusal), refusal == null ? null : refusal.text());
    }

    static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static @Nullable Double millis(@Nullable Duration time) {
        return time == null ? null : toMillis(time);
    }

    /** To a tenth: whoever reads it is a person. */
    private static double toMillis(Duration time) {
        return Math.rint(time.toNanos() / 1e5) / 10;
    }
}
