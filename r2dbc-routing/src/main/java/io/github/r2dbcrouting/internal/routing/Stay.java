package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.internal.session.Sighting;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Can a session stay where it has read what has no position yet? */
final class Stay {

    private Stay() {}

    static boolean onOneServer(List<Sighting> seen) {
        for (int i = 1; i < seen.size(); i++) {
            if (!seen.get(i).identity().equals(seen.get(0).identity())) {
                return false;
            }
        }
        return true;
    }

    /** The first that the session has read from, so that reads at the same time come to agree on one. */
    static @Nullable ServerState with(Prepared prepared, EligibleSet eligible, List<Sighting> seen) {
        Members members = prepared.members();
        List<ServerState> servers = prepared.table().servers();
        int first = Members.NOBODY;
        if (members.twins()) {
            for (int i = 0; i < eligible.size() && first == Members.NOBODY; i++) {
                int server = eligible.server(i);
                first = server != members.primary() && seenAt(servers.get(server), seen) ? server : Members.NOBODY;
            }
        } else {
            for (int i = 0; i < seen.size(); i++) {
                int server = members.find(seen.get(i).identity());
                boolean stays = server != Members.NOBODY && eligible.has(server);
                first = stays && (first == Members.NOBODY || server < first) ? server : first;
            }
        }
        return first == Members.NOBODY ? null : servers.get(first);
    }

    static boolean seenAt(ServerState replica, List<Sighting> seen) {
        for (int i = 0; i < seen.size(); i++) {
            if (seen.get(i).identity().equals(replica.identity())) {
                return true;
            }
        }
        return false;
    }
}
