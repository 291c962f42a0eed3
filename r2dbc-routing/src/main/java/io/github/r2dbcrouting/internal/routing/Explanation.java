package io.github.r2dbcrouting.internal.routing;

import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.RouteDecision.Candidate;
import io.github.r2dbcrouting.RouteDecision.Refusal;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.internal.session.Sighting;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Why did a route come out as it did, and why was it none of the other servers? */
final class Explanation {

    private final Router router;
    private final Route route;
    private final Ask ask;
    private final BitSet avoid;
    private final RoutingTable table;
    private final Need need;
    private final boolean primaryOnly;
    private final boolean pending;
    private final boolean lately;
    private final List<Sighting> seen;

    Explanation(Router router, Route route, Ask ask, BitSet avoid, long now) {
        this.router = router;
        this.route = route;
        this.ask = ask;
        this.avoid = avoid;
        this.table = route.table();
        String cluster = table.cluster();
        this.need = new Need(
                cluster == null ? List.of() : Need.onLine(ask.required(cluster), table),
                ask.freshness().bound(),
                now);
        this.primaryOnly = ask.intent() == Intent.WRITE || ask.freshness().kind() == Freshness.Kind.LATEST;
        this.pending = router.pending(ask, cluster) || (cluster != null && ask.readsPending(cluster));
        this.lately = router.wroteLately(ask);
        this.seen = cluster == null || pending || ask.placed() ? List.of() : router.seen(ask, cluster);
    }

    RouteDecision decision() {
        ServerState chosen = route.server();
        Prepared prepared = router.prepared(table);
        AppliedPolicy policy =
                primaryOnly ? null : prepared.members().policies().of(ask.policy());
        EligibleSet left = policy == null ? null : router.eligible(prepared, need, policy, avoid);
        List<Candidate> candidates = new ArrayList<>();
        for (ServerState server : table.servers()) {
            boolean isChosen = chosen != null && chosen.index() == server.index();
            Refusal refusal =
                    isChosen ? null : refusal(server, prepared.members().primary());
            boolean unwanted = !isChosen && refusal == null && left != null && !left.has(server.index());
            candidates.add(new Candidate(server.name(), unwanted ? Refusal.NOT_IN_POLICY : refusal));
        }
        return new RouteDecision(
                chosen == null ? null : chosen.name(),
                chosen == null ? ServerRole.UNKNOWN : chosen.role(),
                route.reason(),
                ask.intent(),
                ask.freshness(),
                List.copyOf(candidates),
                route.waited(),
                policy == null ? null : policy.name());
    }

    /** What kept a server that was not chosen from being it; {@code null} if it could have been. */
    private @Nullable Refusal refusal(ServerState server, int readingPrimary) {
        if (avoid.get(server.index())) {
            return Refusal.FAILED;
        }
        if (server.status() != ServerStatus.UP) {
            return Refusal.NOT_UP;
        }
        boolean reads = server.role() == ServerRole.REPLICA || server.index() == readingPrimary;
        if (primaryOnly || !reads) {
            return Refusal.WRONG_ROLE;
        }
        if (server.tooFarBehind()) {
            return Refusal.TOO_FAR_BEHIND;
        }
        if (server.index() == readingPrimary) {
            return null;
        }
        if (lately) {
            return Refusal.WROTE_LATELY;
        }
        if (pending) {
            return Refusal.WRITE_PENDING;
        }
        if (!need.metBy(server)) {
            return need.bound() == null ? Refusal.BEHIND_TOKEN : Refusal.TOO_OLD;
        }
        boolean stays = seen.isEmpty() || (Stay.onOneServer(seen) && Stay.seenAt(server, seen));
        if (!stays) {
            return Refusal.SEEN_ELSEWHERE;
        }
        return router.ejections().ejected(server.index()) ? Refusal.EJECTED : null;
    }
}
