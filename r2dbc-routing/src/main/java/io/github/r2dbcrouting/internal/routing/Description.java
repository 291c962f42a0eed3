package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.Lag;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.internal.text.Columns;
import io.github.r2dbcrouting.internal.text.Lowercase;
import java.time.Duration;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.function.LongSupplier;

/** How do the servers stand at this moment? A text for people, with a line for each. */
final class Description {

    private static final String NOTHING = "-";

    private final Prepared prepared;
    private final Load load;
    private final Ejections ejections;
    private final LongSupplier clock;

    Description(Prepared prepared, Load load, Ejections ejections, LongSupplier clock) {
        this.prepared = prepared;
        this.load = load;
        this.ejections = ejections;
        this.clock = clock;
    }

    @Override
    public String toString() {
        RoutingTable table = prepared.table();
        long now = clock.getAsLong();
        Columns columns = new Columns(
                "server",
                "role",
                "state",
                "since",
                "tags",
                "position",
                "behind",
                "lag",
                "in flight",
                "latency",
                "weight",
                "policies",
                "problem");
        for (ServerState server : table.servers()) {
            columns.row(
                    server.name()
                            + (table.followed() == server.index()
                                            && table.primary().isPresent()
                                    ? " *"
                                    : ""),
                    Lowercase.of(server.role()),
                    state(server),
                    time(now - prepared.since().changedAt(server.index())),
                    server.tags().isEmpty() ? NOTHING : String.join(",", server.tags()),
                    server.position() == null ? NOTHING : server.position().toString(),
                    table.behind(server),
                    server.lag().freshAt() == Lag.NEVER
                            ? NOTHING
                            : time(now - server.lag().freshAt()),
                    Integer.toString(load.inFlight(server.index())),
                    latency(load.latency(server.index(), System.nanoTime())),
                    weight(prepared.members().weight(server.index()), now, server.index()),
                    policies(server.index()),
                    server.problem() == null ? "" : server.problem());
        }
        return columns.toString();
    }

    private String state(ServerState server) {
        if (ejections.ejected(server.index())) {
            return "ejected";
        }
        return Lowercase.of(server.status()) + (server.readable() || !server.tooFarBehind() ? "" : ", far behind");
    }

    /** The policies that leave the server now, of all that may be read from. */
    private String policies(int server) {
        StringJoiner names = new StringJoiner(",");
        names.setEmptyValue(NOTHING);
        prepared.members().policies().sorted().forEach((name, policy) -> {
            EligibleSet left = prepared.lookUp(Need.NOTHING, policy, clock);
            if (left != null && left.has(server)) {
                names.add(name);
            }
        });
        return names.toString();
    }

    private String weight(double weight, long now, int server) {
        double present = weight * prepared.since().share(server, now);
        String usual = weight == Math.rint(weight) ? Long.toString((long) weight) : Double.toString(weight);
        return present < weight ? String.format(Locale.ROOT, "%.2f of %s", present, usual) : usual;
    }

    private static String latency(double nanos) {
        return nanos == 0
                ? NOTHING
                : String.format(
                        Locale.ROOT, "%.2f ms", nanos / Duration.ofMillis(1).toNanos());
    }

    /** Whole milliseconds up to ten seconds, and whole seconds then. */
    private static String time(long nanos) {
        Duration time = Duration.ofNanos(nanos);
        return time.toSeconds() < 10 ? time.toMillis() + " ms" : time.toSeconds() + " s";
    }
}
