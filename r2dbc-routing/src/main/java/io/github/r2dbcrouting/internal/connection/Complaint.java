package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.Lag;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.RouteDecision.Refusal;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.routing.FallbackBudget;
import io.github.r2dbcrouting.spi.Position;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Which server lacked what, and for how long, put into words for whoever could not be served? */
final class Complaint {

    private static final long NANOS_PER_MILLI = 1_000_000;

    private Complaint() {}

    static String of(Ask ask, Duration limit, RoutingTable table, RouteDecision decision, long now) {
        StringBuilder message =
                new StringBuilder("no server could serve ").append(ask).append(" ");
        message.append(limit.isZero() ? "at once" : "within " + limit.toMillis() + " ms");
        String separator = ": ";
        for (ServerState server : table.servers()) {
            Refusal refusal = decision.candidates().get(server.index()).refusal();
            message.append(separator).append(server.name()).append(' ').append(why(server, refusal, ask, table, now));
            separator = "; ";
        }
        return message.toString();
    }

    static String of(FallbackBudget budget) {
        return budget.inUse() + " of " + budget.limit() + " reads that replicas should serve are with the primary, and "
                + budget.queued() + " wait for that";
    }

    private static String why(ServerState server, @Nullable Refusal refusal, Ask ask, RoutingTable table, long now) {
        if (server.problem() != null) {
            return server.problem();
        }
        boolean primary = table.primary()
                .map(followed -> followed.index() == server.index())
                .orElse(false);
        if (primary && ask.ofReplicas()) {
            return "(primary) serves it only within the fallback budget";
        }
        if (refusal == null) {
            return "is eligible by now";
        }
        return "(" + lower(server.role()) + ", " + lower(server.status()) + ") is " + refusal.text()
                + lack(server, refusal, ask, table, now);
    }

    private static String lack(ServerState server, Refusal refusal, Ask ask, RoutingTable table, long now) {
        if (server.role() != ServerRole.REPLICA) {
            return "";
        }
        Lag lag = server.lag();
        String age = lag.freshAt() == Lag.NEVER
                ? "of unknown age"
                : "at most " + (now - lag.freshAt()) / NANOS_PER_MILLI + " ms old";
        String cluster = table.cluster();
        return switch (refusal) {
            case BEHIND_TOKEN -> {
                List<Position> required = cluster == null ? List.of() : ask.required(cluster);
                yield ": it is at " + server.position() + ", " + age + ", and "
                        + (required.size() == 1 ? required.get(0) : required) + " is needed";
            }
            case TOO_OLD, TOO_FAR_BEHIND -> ": it is " + age;
            default -> "";
        };
    }

    private static String lower(Enum<?> name) {
        return name.name().toLowerCase(Locale.ROOT);
    }
}
