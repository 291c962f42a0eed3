package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.Lag;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.internal.monitor.MonitoredServer.Service;
import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.spi.Lineage;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What do the reports of all servers say together?
 *
 * <p>A pure function. Its answers to contradictions: servers of another cluster, second names of one server and addresses
 * that lead to several servers are refused; {@link Succession} says which of several primaries is followed, and
 * {@link Placement} which replicas are on its line of history.
 */
final class ClusterReducer {

    private final int failuresUntilDown;
    private final Succession succession;
    private final boolean timelinesMatter;

    ClusterReducer(int failuresUntilDown) {
        this(failuresUntilDown, Safeguards.all());
    }

    ClusterReducer(int failuresUntilDown, Safeguards safeguards) {
        this.failuresUntilDown = failuresUntilDown;
        this.succession = new Succession(safeguards.has(Safeguard.ONE_PRIMARY));
        this.timelinesMatter = safeguards.has(Safeguard.TIMELINES);
    }

    /** Reduces the reports of a cluster in which nothing is marked. */
    RoutingTable reduce(List<ServerReport> reports, RoutingTable before, Predicate<Position> near) {
        return reduce(reports, before, near, BranchMarks.NONE, time -> false);
    }

    /**
     * Reduces the reports to a table.
     *
     * @param reports one for each server, in the order of their indexes
     * @param before the table until now
     * @param near whether a replica at a position on the primary's branch is not too far behind
     * @param marks what was written to the history of the primary that was followed until now
     * @param partedSince whether another history was followed at a time than was in the table until now
     * @return the table from now on, with the next version
     */
    RoutingTable reduce(
            List<ServerReport> reports,
            RoutingTable before,
            Predicate<Position> near,
            BranchMarks marks,
            LongPredicate partedSince) {
        String cluster = cluster(reports, before);
        Map<ServerIdentity, String> seen = new HashMap<>();
        List<ServerState> servers = new ArrayList<>(reports.size());
        for (ServerReport report : reports) {
            boolean removed = report.server().is(Service.REMOVED);
            servers.add(removed ? tombstone(report.server(), before) : state(report, cluster, seen));
        }
        ServerState primary = succession.primary(reports, servers, before);
        Lineage lineage = primary == null
                ? before.lineage()
                : Succession.lineage(reports.get(primary.index()), primary.index(), before);
        int followed = primary == null ? before.followed() : primary.index();
        boolean parts = parts(before, lineage, followed);
        Placement placement = new Placement(
                lineage,
                new Placement.Primaries(
                        primary,
                        succession.rival(reports, servers, lineage, followed),
                        Succession.anotherAnswers(servers, followed)),
                timelinesMatter,
                sample -> lineage == null
                        ? BranchMarks.Verdict.NOT_TOLD
                        : marks.judge(sample.bearing(), followed, lineage.branch()),
                sentAt -> !parts && !partedSince.test(sentAt));
        servers.replaceAll(server -> placement.place(server, reports.get(server.index()), near));
        succession.explainMissingPrimary(reports, servers, primary, before);
        servers.replaceAll(server -> disabled(server, reports.get(server.index())));
        return new RoutingTable(before.version() + 1, servers, primary, cluster, lineage, followed);
    }

    /** Whether another history than before is followed from now on. */
    static boolean parts(RoutingTable before, @Nullable Lineage line, int followed) {
        Lineage was = before.lineage();
        boolean another = was != null && line != null && was.branch() != line.branch();
        return another || (before.followed() >= 0 && followed >= 0 && before.followed() != followed);
    }

    /** What was removed keeps its place: indexes are never given to another server. */
    private static ServerState tombstone(MonitoredServer server, RoutingTable before) {
        boolean known = server.index() < before.servers().size();
        ServerIdentity was = known ? before.servers().get(server.index()).identity() : null;
        return new ServerState(
                server.index(),
                server.name(),
                List.of(),
                ServerRole.UNKNOWN,
                ServerStatus.REMOVED,
                null,
                was,
                0,
                true,
                "was removed",
                Lag.UNKNOWN,
                server.weight());
    }

    /** A primary goes on to lead: whoever disables servers shall not be able to stop all writes. */
    private static ServerState disabled(ServerState server, ServerReport report) {
        boolean serves = server.role() == ServerRole.REPLICA && server.status() == ServerStatus.UP;
        return serves && report.server().is(Service.DISABLED)
                ? server.withStatus(ServerStatus.DISABLED, "is disabled")
                : server;
    }

    /**
     * Until every server was heard of, the first configured one that was reached says which cluster it is. Then it
     * stays that one: an address that comes to lead somewhere else must not take everything along.
     */
    private static @Nullable String cluster(List<ServerReport> reports, RoutingTable before) {
        // servers that are added later do not open the question again
        boolean settled = before.complete() || before.followed() != RoutingTable.NOBODY;
        if (before.cluster() != null && settled) {
            return before.cluster();
        }
        for (ServerReport report : reports) {
            if (report.sample() != null) {
                return report.sample().introduction().identity().cluster();
            }
        }
        return null;
    }

    private ServerState state(ServerReport report, @Nullable String cluster, Map<ServerIdentity, String> seen) {
        MonitoredServer server = report.server();
        Sample sample = report.sample();
        if (sample == null) {
            ServerStatus status = report.failures() == 0 ? ServerStatus.UNKNOWN : ServerStatus.DOWN;
            return new ServerState(
                    server.index(),
                    server.name(),
                    server.tags(),
                    ServerRole.UNKNOWN,
                    status,
                    null,
                    null,
                    0,
                    true,
                    report.problem(),
                    Lag.UNKNOWN,
                    server.weight());
        }
        ServerIdentity identity = sample.introduction().identity();
        ServerStatus status = report.failures() == 0
                ? ServerStatus.UP
                : report.failures() < failuresUntilDown ? ServerStatus.SUSPECT : ServerStatus.DOWN;
        String problem = report.problem();
        if (!identity.cluster().equals(cluster)) {
            status = ServerStatus.REFUSED;
            problem = "belongs to another cluster (" + identity.cluster() + ", the others to " + cluster
                    + "): check its address";
        } else if (report.alternating()) {
            status = ServerStatus.REFUSED;
            problem =
                    "leads to one server and then to another, like a virtual IP or a load balancer: give the address of"
                            + " each server";
        } else if (status == ServerStatus.UP) {
            String twin = seen.putIfAbsent(identity, server.name());
            if (twin != null) {
                status = ServerStatus.REFUSED;
                problem = "is the same server as " + twin + " under a second address: remove one of the two";
            }
        }
        return new ServerState(
                server.index(),
                server.name(),
                server.tags(),
                sample.observation().role(),
                status,
                sample.observation().position(),
                identity,
                sample.sentAt(),
                sample.is(ServerRole.REPLICA),
                problem,
                Lag.UNKNOWN,
                server.weight());
    }
}
