package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.monitor.ClusterMonitor;
import io.github.r2dbcrouting.internal.text.Lowercase;
import java.time.Duration;
import java.util.stream.Collectors;
import reactor.core.publisher.Mono;

/** Can routing begin, and if not, what is missing? */
final class Readiness {

    private final ClusterMonitor monitor;
    private final RunningServers servers;

    Readiness(ClusterMonitor monitor, RunningServers servers) {
        this.monitor = monitor;
        this.servers = servers;
    }

    /** Completes when the primary is known and every server was reached or found unreachable, or at the close. */
    Mono<Void> reached() {
        return monitor.tables()
                .await(table -> table.primary().isPresent() && table.complete())
                .then();
    }

    /** Errors with what is the matter with each server at that moment. */
    Mono<Void> missing(Duration after) {
        return Mono.error(() -> {
            RoutingTable table = monitor.tables().current();
            String primary = table.primary().isPresent() ? "" : "there is no primary among its servers; ";
            return new NoEligibleServerException(
                    "not ready within " + after.toMillis() + " ms: " + primary + listed(table) + sources(), null);
        });
    }

    private String listed(RoutingTable table) {
        return table.servers().isEmpty()
                ? String.join(", ", servers.names()) + ": not reached yet"
                : table.servers().stream()
                        .filter(server -> server.status() != ServerStatus.REMOVED)
                        .map(server -> server.name() + " " + standing(server))
                        .collect(Collectors.joining("; "));
    }

    private static String standing(ServerState server) {
        return server.problem() != null
                ? server.problem()
                : "is " + Lowercase.of(server.status()) + " as " + Lowercase.of(server.role());
    }

    private String sources() {
        return new Topology(servers)
                .sources().stream()
                        .filter(source -> source.problem() != null)
                        .map(source -> "; " + source.name() + ": " + source.problem())
                        .collect(Collectors.joining());
    }
}
