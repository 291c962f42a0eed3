package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.Lag;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.RouteDecision.Candidate;
import io.github.r2dbcrouting.RouteDecision.Refusal;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.internal.text.Lowercase;
import io.github.r2dbcrouting.spi.Position;
import java.time.Duration;
import java.util.List;
import java.util.StringJoiner;

/** What is said when nobody could serve: what was asked, who was considered, and what kept each from it? */
public final class Shortage {

    private Shortage() {}

    /**
     * Puts it into words.
     *
     * @param ask what was asked
     * @param decision what was decided at the end
     * @param table what was known of the servers then
     * @param waited for how long it was tried
     * @param now the time by which servers were sampled, in nanoseconds
     * @return the message, on one line
     */
    public static String message(Ask ask, RouteDecision decision, RoutingTable table, Duration waited, long now) {
        StringBuilder message =
                new StringBuilder("no server could serve ").append(ask).append(' ');
        message.append(waited.isZero() ? "at once" : "within " + waited.toMillis() + " ms");
        if (table.servers().isEmpty()) {
            return message.append(": no server has been reached yet").toString();
        }
        if (table.primary().isEmpty()) {
            message.append(", and no primary is known");
        }
        String cluster = table.cluster();
        List<Position> required = cluster == null ? List.of() : ask.required(cluster);
        StringJoiner servers = new StringJoiner("; ", ": ", "");
        for (ServerState server : table.servers()) {
            servers.add(server.name() + " " + standing(server) + " " + why(server, decision, required, now));
        }
        return message.append(servers).toString();
    }

    /**
     * Says how much of the budget for the primary is used.
     *
     * @param budget the budget
     * @return a part of a message
     */
    public static String of(FallbackBudget budget) {
        return budget.inUse() + " of " + budget.limit() + " reads that replicas should serve are with the primary, and "
                + budget.queued() + " wait for that";
    }

    private static String age(ServerState server, long now) {
        Lag lag = server.lag();
        return lag.freshAt() == Lag.NEVER
                ? "of unknown age"
                : "at most " + Duration.ofNanos(now - lag.freshAt()).toMillis() + " ms old";
    }

    private static String standing(ServerState server) {
        return "(" + Lowercase.of(server.role()) + ", " + Lowercase.of(server.status()) + ")";
    }

    private static String why(ServerState server, RouteDecision decision, List<Position> required, long now) {
        // what went wrong with the server itself says more than that it is down
        if (server.problem() != null) {
            return server.problem();
        }
        Refusal refusal = decision.candidates().stream()
                .filter(candidate -> candidate.server().equals(server.name()))
                .findFirst()
                .map(Candidate::refusal)
                .orElse(null);
        if (refusal == null) {
            return "could serve by now";
        }
        if (refusal == Refusal.BEHIND_TOKEN) {
            return refusal.text() + ": it is at "
                    + (server.position() == null ? "no known position" : server.position()) + ", " + age(server, now)
                    + ", " + required
                    + " is needed";
        }
        if (refusal == Refusal.TOO_OLD || refusal == Refusal.TOO_FAR_BEHIND) {
            return refusal.text() + ": it is " + age(server, now);
        }
        if (refusal == Refusal.WRONG_ROLE && server.role() == ServerRole.REPLICA) {
            return "is a replica, the primary is needed";
        }
        return refusal.text();
    }
}
