package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.RoutingEvent;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import java.util.Objects;
import java.util.function.Consumer;

/** What is different between two tables, as far as anybody wants to hear of it? */
final class TableChanges {

    private TableChanges() {}

    static void between(RoutingTable before, RoutingTable after, Consumer<RoutingEvent> events) {
        for (ServerState now : after.servers()) {
            ServerState then =
                    now.index() < before.servers().size() ? before.servers().get(now.index()) : null;
            if (now.status() == ServerStatus.REMOVED) {
                if (then == null || then.status() != ServerStatus.REMOVED) {
                    events.accept(new RoutingEvent.ServerRemoved(now.name()));
                }
                continue;
            }
            if (then == null && !before.servers().isEmpty()) {
                events.accept(new RoutingEvent.ServerAdded(now.name()));
            }
            if (then != null && (!then.tags().equals(now.tags()) || then.weight() != now.weight())) {
                events.accept(new RoutingEvent.ServerReconfigured(now.name(), now.tags(), now.weight()));
            }
            boolean same = then == null
                    ? now.problem() == null && now.sampledAt() == 0
                    : then.role() == now.role()
                            && then.status() == now.status()
                            && Objects.equals(then.problem(), now.problem());
            if (!same) {
                events.accept(new RoutingEvent.ServerChanged(now.name(), now.role(), now.status(), now.problem()));
            }
        }
        String from = before.primary().map(ServerState::name).orElse(null);
        String to = after.primary().map(ServerState::name).orElse(null);
        if (!Objects.equals(from, to)) {
            events.accept(new RoutingEvent.PrimaryChanged(from, to));
        }
    }
}
