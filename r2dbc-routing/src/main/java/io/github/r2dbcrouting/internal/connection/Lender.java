package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.NoEligibleServerException;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.RoutingListener;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.WhenBehind;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.routing.FallbackBudget;
import io.github.r2dbcrouting.internal.routing.Route;
import io.github.r2dbcrouting.internal.routing.Router;
import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.table.TableRef;
import io.r2dbc.spi.R2dbcException;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/**
 * Turns a question into a connection of a server that may answer it.
 *
 * <p>Reads the table once per attempt, takes a connection, checks that what the table said holds for this connection,
 * and goes on to the next server where it does not, or where no connection can be had. Writes are never moved.
 */
public final class Lender {

    private static final Logger LOG = LoggerFactory.getLogger(Lender.class);

    private final Router router;
    private final TableRef tables;
    private final List<ServerPool> pools;
    private final @Nullable RoutingListener listener;
    private final LeaseCheck check;
    private final Patience patience;
    private final FallbackBudget budget;
    private final Safeguards safeguards;
    private final LongSupplier clock;

    /**
     * Creates a lender.
     *
     * @param router chooses
     * @param tables where the table is
     * @param pools one for each server, at its index
     * @param listener hears of every decision; {@code null} if nobody does
     * @param safeguards the mechanisms in force
     * @param patience how long a request waits for what, if it says nothing itself
     * @param budget how many reads may fall back to the primary
     * @param clock tells the time by which servers were sampled, in nanoseconds
     */
    public Lender(
            Router router,
            TableRef tables,
            List<ServerPool> pools,
            @Nullable RoutingListener listener,
            Safeguards safeguards,
            Patience patience,
            FallbackBudget budget,
            LongSupplier clock) {
        this.router = router;
        this.tables = tables;
        this.pools = List.copyOf(pools);
        this.listener = listener;
        this.check = new LeaseCheck(tables, safeguards.has(Safeguard.LIVES), clock);
        this.safeguards = safeguards;
        this.patience = patience;
        this.budget = budget;
        this.clock = clock;
    }

    /**
     * Chooses a server, waiting for a table that has one. Nothing happens before it is subscribed.
     *
     * @param tried the servers that failed this request so far
     */
    Mono<Route> route(Ask ask, BitSet tried) {
        return Mono.defer(() -> {
            if (!started(tables.current())) {
                return await(Lender::started, patience.firstTable(), ask, tried).then(route(ask, tried));
            }
            Route route = router.choose(tables.current(), ask, tried);
            if (route.fallsBack() || (route.server() == null && ask.ofReplicas())) {
                return insteadOfReplica(route, ask, tried);
            }
            if (route.server() == null) {
                Predicate<RoutingTable> servable =
                        table -> router.choose(table, ask, tried).server() != null;
                return await(servable, patience.primary(), ask, tried).then(route(ask, tried));
            }
            announce(route, ask, tried);
            return Mono.just(route);
        });
    }

    /** What becomes of a read that is the replicas', and that none of them can serve now. */
    private Mono<Route> insteadOfReplica(Route now, Ask ask, BitSet tried) {
        WhenBehind whenBehind = ask.whenBehind() == null ? patience.whenBehind() : ask.whenBehind();
        Duration maxWait = ask.maxWait() == null ? patience.maxWait() : ask.maxWait();
        boolean primaryMissing = now.server() == null && whenBehind != WhenBehind.WAIT;
        Duration deadline = primaryMissing && patience.primary().compareTo(patience.readDeadline()) < 0
                ? patience.primary()
                : patience.readDeadline();
        leaveQuestions(ask);
        if (whenBehind == WhenBehind.FAIL) {
            return Mono.error(nobody(ask, tried, Duration.ZERO));
        }
        if (now.server() != null && !safeguards.has(Safeguard.FALLBACK_BUDGET)) {
            announce(now, ask, tried);
            return Mono.just(now);
        }
        return new RouteWait(
                        router,
                        tables,
                        budget,
                        clock,
                        ask,
                        tried,
                        whenBehind,
                        maxWait,
                        deadline,
                        () -> nobody(ask, tried, deadline))
                .doOnNext(route -> announce(route, ask, tried));
    }

    private void leaveQuestions(Ask ask) {
        Duration bound = ask.freshness().bound();
        if (bound == null) {
            tables.questions().replicaBehind();
        } else {
            tables.questions().olderThan(bound);
        }
        if (!safeguards.has(Safeguard.SHARED_WATCH)) {
            tables.questions().replicasUnwatched();
        }
    }

    /** Takes a connection of the chosen server, and confirms that it holds what the route relies on. */
    Mono<Lease> take(Route route, ServerState server) {
        return pools.get(server.index()).lend(server).flatMap(lease -> check.confirm(lease, route));
    }

    /** Whether a replica's connection that is held already has what the route requires. */
    boolean holds(Lease lease, Route route) {
        return check.holds(lease, route);
    }

    /** Every server but the primary: for a read that can be served by nobody else. */
    BitSet replicas() {
        BitSet all = new BitSet();
        for (ServerState server : tables.current().servers()) {
            if (server.role() != ServerRole.PRIMARY) {
                all.set(server.index());
            }
        }
        return all;
    }

    /**
     * Tells whether a read that could not have its connection may go to another server.
     *
     * @param tried the servers that failed this request, with the one that did just now
     */
    boolean mayMove(Ask ask, Route route, BitSet tried, Throwable error) {
        ServerState server = route.server();
        if (ask.intent() != Intent.READ || server == null || server.role() != ServerRole.REPLICA || !movable(error)) {
            return false;
        }
        LOG.debug("a read moves on from {}", server.name(), error);
        tables.questions().surprisedBy(server.index());
        return router.choose(tables.current(), ask, tried).server() != null;
    }

    /** Nothing was sent yet, so whatever kept the connection from being had, another server may be asked. */
    private static boolean movable(Throwable error) {
        return error instanceof R2dbcException;
    }

    private static boolean started(RoutingTable table) {
        return table.version() > 0 && (table.primary().isPresent() || table.complete());
    }

    private Mono<RoutingTable> await(Predicate<RoutingTable> wanted, Duration limit, Ask ask, BitSet tried) {
        return tables.await(wanted)
                .timeout(limit, Mono.error(() -> nobody(ask, tried, limit)))
                .switchIfEmpty(Mono.error(Lender::closed));
    }

    static NoEligibleServerException closed() {
        return new NoEligibleServerException("the router is closed", null);
    }

    private NoEligibleServerException nobody(Ask ask, BitSet tried, Duration limit) {
        RoutingTable table = tables.current();
        RouteDecision decision = router.explain(router.choose(table, ask, tried), ask, tried);
        String message = Complaint.of(ask, limit, table, decision, clock.getAsLong());
        boolean toPrimary = ask.ofReplicas() && table.servers().size() > 1;
        return new NoEligibleServerException(toPrimary ? message + "; " + Complaint.of(budget) : message, null);
    }

    private void announce(Route route, Ask ask, BitSet tried) {
        if (listener != null) {
            try {
                listener.onDecision(router.explain(route, ask, tried));
            } catch (RuntimeException failure) {
                LOG.warn("a routing listener failed; the request goes on", failure);
            }
        }
    }
}
