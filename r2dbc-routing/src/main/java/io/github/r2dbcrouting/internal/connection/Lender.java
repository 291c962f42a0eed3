package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.NoEligibleServerException;
import io.github.r2dbcrouting.PossiblyLostWriteException;
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
import io.github.r2dbcrouting.internal.routing.Shortage;
import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.internal.table.Questions;
import io.github.r2dbcrouting.internal.table.TableRef;
import io.github.r2dbcrouting.spi.Engine;
import io.github.r2dbcrouting.spi.Lineage;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import io.r2dbc.spi.R2dbcException;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.LongPredicate;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.util.context.ContextView;

/**
 * Turns a question into a connection of a server that may answer it.
 *
 * <p>Reads the table once per attempt, takes a connection, checks that what the table said holds for this connection,
 * and goes on to the next server where it does not, or where no connection can be had. Writes are never moved.
 */
public final class Lender {

    private static final Logger LOG = LoggerFactory.getLogger(Lender.class);

    /** So long a read waits to learn what its session has seen elsewhere; then the primary serves it. */
    static final Duration FLOOR_LIMIT = Duration.ofMillis(50);

    /** So long a read waits for a branch of history that is known elsewhere; after a probe of every server. */
    static final Duration CATCH_UP_LIMIT = Duration.ofMillis(500);

    private final Router router;
    private final TableRef tables;
    private final List<ServerPool> pools;
    private final CopyOnWriteArrayList<RoutingListener> listeners = new CopyOnWriteArrayList<>();
    private final LeaseCheck check;
    private final Retries retries;
    private final Patience patience;
    private final FallbackBudget budget;
    private final Safeguards safeguards;
    private final LongSupplier clock;
    private final LostWrites lostWrites;

    /**
     * Creates a lender.
     *
     * @param router chooses
     * @param tables where the table is
     * @param pools one for each server, at its index; may grow, and must be safe to read meanwhile
     * @param listener hears of every decision; {@code null} if nobody does
     * @param safeguards the mechanisms in force
     * @param retries how often reads may be tried again
     * @param patience how long a request waits for what, if it says nothing itself
     * @param budget how many reads may fall back to the primary
     * @param clock tells the time by which servers were sampled, in nanoseconds
     * @param strictLostWrites whether a session gets an error when something that it wrote may be lost
     */
    public Lender(
            Router router,
            TableRef tables,
            List<ServerPool> pools,
            @Nullable RoutingListener listener,
            Safeguards safeguards,
            Retries retries,
            Patience patience,
            FallbackBudget budget,
            LongSupplier clock,
            boolean strictLostWrites) {
        this.router = router;
        this.tables = tables;
        // not copied: servers are added while it lends
        this.pools = pools;
        if (listener != null) {
            listeners.add(listener);
        }
        this.check = new LeaseCheck(tables, safeguards.has(Safeguard.LIVES), clock);
        this.retries = retries;
        this.patience = patience;
        this.budget = budget;
        this.safeguards = safeguards;
        this.clock = clock;
        this.lostWrites = new LostWrites(tables.questions(), strictLostWrites);
    }

    /**
     * Chooses a server, waiting for a table that has one. To be called by whoever is being subscribed: where nothing has
     * to be awaited, which is nearly always, the choice is made within the call, and costs no operator.
     *
     * @param tried the servers that failed this request so far
     * @param context the subscriber's
     */
    Mono<Route> route(Ask ask, BitSet tried, ContextView context) {
        router.policies().check(ask.policy());
        RoutingTable table = tables.current();
        if (!started(table)) {
            return await(Lender::started, patience.firstTable(), ask, tried).then(again(ask, tried, context));
        }
        if (behind(ask, table)) {
            return catchUp(ask, tried, context);
        }
        // before anything of it can turn out to be lost: what nobody listens for then is told to nobody
        lostWrites.listen(ask);
        takeOver(ask, table);
        Mono<Void> outcomes = outcomes(ask, table);
        return outcomes == null
                ? routeNow(ask, tried, context)
                : outcomes.then(Mono.defer(() -> routeNow(ask, tried, context)));
    }

    private Mono<Route> again(Ask ask, BitSet tried, ContextView context) {
        return Mono.defer(() -> route(ask, tried, context));
    }

    /**
     * What the session has done on a branch that was left, and that has no position yet, may be lost: that is known with
     * the first position of the primary, and is told before anything is served. Nothing is held meanwhile.
     *
     * @return ends when it is known; {@code null} if nothing has to be awaited
     */
    private @Nullable Mono<Void> outcomes(Ask ask, RoutingTable table) {
        SessionState session = ask.session();
        Lineage line = table.lineage();
        String cluster = table.cluster();
        if (session == null || line == null || cluster == null || !lostWrites.tells(ask)) {
            return null;
        }
        boolean unknown = table.primary().isPresent() && session.endedBefore(cluster, line.branch());
        return unknown ? known(session.settledBefore(cluster, line.branch())) : null;
    }

    private Mono<Void> known(Mono<Void> outcomes) {
        return outcomes.timeout(patience.primary(), Mono.error(this::outcomeUnknown));
    }

    private NoEligibleServerException outcomeUnknown() {
        return new NoEligibleServerException(
                "something that the session wrote or saw before the primary changed or crashed may be lost, and within "
                        + patience.primary().toMillis() + " ms the primary did not answer where it is",
                null);
    }

    private Mono<Route> routeNow(Ask ask, BitSet tried, ContextView context) {
        RoutingTable table = tables.current();
        PossiblyLostWriteException lost = lostWrites.toTell(ask, table);
        if (lost != null) {
            return Mono.error(lost);
        }
        Route route = router.choose(table, ask, tried);
        return route.awaitsFloors()
                ? floors(ask, route)
                        .flatMap(placed ->
                                placed ? route(ask.afterFloors(), tried, context) : chosen(route, ask, tried, context))
                : chosen(route, ask, tried, context);
    }

    /** Whether {@link #mayServe} has anything to say. */
    boolean tells(Ask ask) {
        return ask.session() != null && lostWrites.tells(ask);
    }

    /**
     * Says whether a session may be served on a connection that was found for it. Between the choice of the server and
     * this moment something of the session may have turned out to be lost; and a connection to the primary that is newer
     * than what the session did, or leads to another server than that was done on, shows what is left of it only.
     *
     * @return completes if it may, after it has waited for what is not known; an error if it must not, or is to be told
     *     something first. The connection is left as it is
     */
    Mono<Void> mayServe(Lease lease, Ask ask) {
        SessionState session = ask.session();
        if (session == null || !lostWrites.tells(ask)) {
            return Mono.empty();
        }
        RoutingTable table = tables.current();
        if (lease.server().role() == ServerRole.PRIMARY && safeguards.has(Safeguard.PENDING_WRITES)) {
            ServerIdentity identity = lease.physical().introduction().identity();
            long openedAt = lease.physical().openedAt();
            long branch = table.lineage() == null ? 0 : table.lineage().branch();
            LongPredicate parted = tables.questions()::partedSince;
            if (session.mayMissOn(identity.cluster(), identity, openedAt, branch, parted)) {
                return known(session.settledBeside(identity.cluster(), identity, openedAt, branch, parted))
                        .then(Mono.defer(() -> told(ask)));
            }
        }
        return told(ask);
    }

    /** Whether the history is followed still by which a server was chosen: else it is another one's to serve, perhaps. */
    boolean holds(Route route) {
        Lineage then = route.table().lineage();
        Lineage now = tables.current().lineage();
        return then == null || now == null || then.branch() == now.branch();
    }

    private Mono<Void> told(Ask ask) {
        PossiblyLostWriteException lost = lostWrites.toTell(ask, tables.current());
        return lost == null ? Mono.empty() : Mono.error(lost);
    }

    /** What came unresolved from elsewhere gets its position here, as if it had been written here. */
    private void takeOver(Ask ask, RoutingTable table) {
        SessionState session = ask.session();
        String cluster = table.cluster();
        if (session == null || cluster == null || !session.hasUnresolved(cluster)) {
            return;
        }
        table.primary().ifPresent(primary -> {
            Questions monitor = tables.questions();
            PendingWrite write =
                    session.takeOver(cluster, monitor::positionAwaited, clock.getAsLong(), primary.position());
            if (write != null) {
                // what was only seen lies on the line of whoever is the primary now
                Position basis = write.mayHaveWritten() ? write.basis() : primary.position();
                monitor.positionWanted(write, primary.index(), basis, write.sentAt());
            }
        });
    }

    /** The session has to leave the server that it read from: for that it must be known how far that one was. */
    private Mono<Boolean> floors(Ask ask, Route route) {
        SessionState session = Objects.requireNonNull(ask.session(), "session");
        String cluster = Objects.requireNonNull(route.table().cluster(), "cluster");
        // the primary has whatever a replica of it has shown, but not what one of a history has that was left
        boolean parted = lostWrites.tells(ask) && session.sawWhile(cluster, tables.questions()::partedSince);
        return session.floors(cluster)
                .thenReturn(true)
                .timeout(parted ? patience.primary() : FLOOR_LIMIT, Mono.just(false));
    }

    private Mono<Route> chosen(Route route, Ask ask, BitSet tried, ContextView context) {
        if (route.fallsBack() || (route.server() == null && ask.ofReplicas())) {
            return insteadOfReplica(route, ask, tried, context);
        }
        announce(route, ask, tried, context);
        if (route.server() == null) {
            Predicate<RoutingTable> servable =
                    table -> router.choose(table, ask, tried).server() != null;
            return await(servable, patience.primary(), ask, tried).then(again(ask, tried, context));
        }
        return Mono.just(route);
    }

    /** What becomes of a read that is the replicas', and that none of them can serve now. */
    private Mono<Route> insteadOfReplica(Route now, Ask ask, BitSet tried, ContextView context) {
        Plausibility required = safeguards.has(Safeguard.TOKEN_PLAUSIBILITY)
                ? Plausibility.of(ask, now.table())
                : Plausibility.NOT_IN_DOUBT;
        if (!required.inDoubt().isEmpty()) {
            return tables.questions().beyondTheEnd(required.inDoubt()).flatMap(beyond -> {
                if (beyond.isEmpty()) {
                    return behind(now, ask, tried, context);
                }
                SessionState session = Objects.requireNonNull(ask.session(), "session");
                PossiblyLostWriteException told = forget(session, beyond, now.table());
                return told == null ? route(ask, tried, context) : Mono.error(told);
            });
        }
        return behind(now, ask, tried, context);
    }

    /** Returns what to tell the session instead of serving it; {@code null} if nothing. */
    private @Nullable PossiblyLostWriteException forget(
            SessionState session, List<Position> beyond, RoutingTable table) {
        Questions monitor = tables.questions();
        String cluster = Objects.requireNonNull(table.cluster(), "cluster");
        SessionState.Forgotten forgotten = session.forget(cluster, beyond, monitor::positionAwaited);
        PendingWrite anew = forgotten.anew();
        if (anew != null) {
            table.primary()
                    .ifPresent(primary ->
                            monitor.positionWanted(anew, primary.index(), primary.position(), clock.getAsLong()));
        }
        return forgotten.lost() > 0 ? lostWrites.toTellOfAPrimary(forgotten.lost()) : null;
    }

    /**
     * Whether the session has been where somebody follows a later branch already. Its reads would find nobody who has that,
     * and what it writes here would be lost, for all who have seen it as well.
     */
    private boolean behind(Ask ask, RoutingTable table) {
        SessionState session = ask.session();
        String cluster = table.cluster();
        Position primary = table.primary().map(ServerState::position).orElse(null);
        return session != null
                && cluster != null
                && primary != null
                && ask.heedsSession()
                && safeguards.has(Safeguard.TOKEN_PLAUSIBILITY)
                && session.knowsBeyond(cluster, primary.branch());
    }

    /** Somebody follows a later branch already: the primary that is known here may be one that has lost. */
    private Mono<Route> catchUp(Ask ask, BitSet tried, ContextView context) {
        tables.current().servers().forEach(server -> tables.questions().surprisedBy(server.index()));
        Predicate<RoutingTable> upToDate = table -> !behind(ask, table);
        return tables.await(upToDate)
                .timeout(CATCH_UP_LIMIT, Mono.error(Lender::routerBehind))
                .switchIfEmpty(Mono.error(Lender::closed))
                .then(again(ask, tried, context));
    }

    private static NoEligibleServerException routerBehind() {
        return new NoEligibleServerException(
                "the session's token lies on a later branch of history than the primary that is followed here: another"
                        + " server was promoted, and none of the configured ones was found to be it within "
                        + CATCH_UP_LIMIT.toMillis() + " ms",
                null);
    }

    private Mono<Route> behind(Route now, Ask ask, BitSet tried, ContextView context) {
        WhenBehind whenBehind = ask.whenBehind() == null ? patience.whenBehind() : ask.whenBehind();
        Duration maxWait = ask.maxWait() == null ? patience.maxWait() : ask.maxWait();
        boolean primaryMissing = now.server() == null && !now.halted() && whenBehind != WhenBehind.WAIT;
        Duration deadline = primaryMissing && patience.primary().compareTo(patience.readDeadline()) < 0
                ? patience.primary()
                : patience.readDeadline();
        leaveQuestions(ask);
        if (whenBehind == WhenBehind.FAIL || !router.servable(now.table(), ask)) {
            return Mono.error(nobody(ask, tried, Duration.ZERO));
        }
        if (now.server() != null && !safeguards.has(Safeguard.FALLBACK_BUDGET)) {
            announce(now, ask, tried, context);
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
                        () -> nobody(ask, tried, deadline),
                        table -> lostWrites.strays(ask, table) || behind(ask, table))
                .<Route>handle((route, sink) -> {
                    // what had no position when it began to wait may have turned out to be lost
                    PossiblyLostWriteException lost = lostWrites.toTell(ask, route.table());
                    if (lost == null) {
                        sink.next(route);
                    } else {
                        sink.error(lost);
                    }
                })
                .doOnNext(route -> announce(route, ask, tried, context))
                .switchIfEmpty(again(ask, tried, context));
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

    /**
     * Takes a connection of the chosen server, and confirms that it holds what the route relies on.
     *
     * @param then what is made of it once it is confirmed
     */
    Mono<Lease> take(Route route, ServerState server, Function<Lease, Mono<Lease>> then) {
        return pools.get(server.index()).lend(server).flatMap(lease -> check.confirm(lease, route, then));
    }

    /** Whether a replica's connection that is held already has what the route requires. */
    boolean holds(Lease lease, Route route) {
        return check.holds(lease, route);
    }

    /** Whether the policy that is asked for admits the replica of a connection that is held already. */
    boolean admits(Lease lease, Route route, Ask ask, BitSet tried) {
        return router.admits(route, ask, tried, lease.server().index());
    }

    /** Whether requests have failed on a replica lately, so that another one serves if there is another one. */
    boolean leftAlone(Lease lease) {
        return router.ejections().ejected(lease.server().index());
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

    /** Whether it matters what sessions have read where. */
    boolean monotonic() {
        return safeguards.has(Safeguard.MONOTONIC_READS);
    }

    /**
     * Tells whether a read that could not have its connection may go to another server.
     *
     * @param tried the servers that failed this request, with the one that did just now
     */
    boolean mayMove(Ask ask, Route route, BitSet tried, Throwable error) {
        ServerState server = route.server();
        if (ask.intent() != Intent.READ || server == null || !movable(error)) {
            return false;
        }
        if (server.role() == ServerRole.PRIMARY) {
            ServerState next = router.choose(tables.current(), ask, tried).server();
            return route.spread() && next != null && !tried.get(next.index());
        }
        LOG.debug("a read moves on from {}", server.name(), error);
        if (error instanceof UnfitConnectionException || letsReplicationGoFirst(server, error)) {
            tables.questions().surprisedBy(server.index());
        } else {
            failed(server);
        }
        return router.choose(tables.current(), ask, tried).server() != null;
    }

    /** A replica that cancels what is in replication's way, a connection that is being opened as well, is none the worse. */
    private boolean letsReplicationGoFirst(ServerState server, Throwable error) {
        Engine engine = pools.get(server.index()).engine();
        return engine.anotherServerMay(error) && !engine.connectionLost(error);
    }

    Retries retries() {
        return retries;
    }

    /**
     * Tells whether a read that has failed on a server may be tried on another one, and takes it from the budget.
     *
     * @param tried the servers that failed it
     * @param before how often it was tried again already
     */
    boolean mayTryAgain(Ask ask, BitSet tried, int before) {
        ServerState next = router.choose(tables.current(), ask, tried).server();
        return next != null && !tried.get(next.index()) && retries.take(before);
    }

    /** Whether a write, a transaction, and a read that has emitted something, fail as they failed. */
    boolean repeatsOnlyWhatIsSafe() {
        return safeguards.has(Safeguard.SAFE_RETRIES);
    }

    /** A request could not use a replica, for no fault of its own. */
    void failed(ServerState server) {
        tables.questions().surprisedBy(server.index());
        router.ejections().failed(server.index(), tables.current().replicas().size());
    }

    /** A read was answered after a time, in nanoseconds. */
    void answered(ServerState server, long after, long now) {
        pools.get(server.index()).latency().add(after, now);
    }

    /** A request was answered. */
    void succeeded(ServerState server) {
        router.ejections().succeeded(server.index());
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
        String message = Shortage.message(ask, decision, table, limit, clock.getAsLong());
        boolean toPrimary = ask.ofReplicas() && table.servers().size() > 1;
        return new NoEligibleServerException(
                toPrimary ? message + "; " + Shortage.of(budget) : message, decision, null);
    }

    /**
     * Lets somebody hear of decisions from now on.
     *
     * @param listener hears of them, besides whoever does already
     * @return ends it; a decision that is made at the same time may still be told
     */
    public Disposable listen(RoutingListener listener) {
        Attached attached = new Attached(listener, listeners);
        listeners.add(attached);
        return attached;
    }

    /** One who listens for a while. A class, not a record: told apart by identity, the same listener may be there twice. */
    private static final class Attached implements RoutingListener, Disposable {

        private final RoutingListener listener;
        private final List<RoutingListener> among;

        Attached(RoutingListener listener, List<RoutingListener> among) {
            this.listener = listener;
            this.among = among;
        }

        @Override
        public void onDecision(RouteDecision decision) {
            listener.onDecision(decision);
        }

        @Override
        public boolean wantsNext() {
            return listener.wantsNext();
        }

        @Override
        public void dispose() {
            var unused = among.remove(this);
        }

        @Override
        public boolean isDisposed() {
            return !among.contains(this);
        }
    }

    /** Nothing is put into words unless somebody hears it: whoever listens to the factory, or whoever subscribed. */
    private void announce(Route route, Ask ask, BitSet tried, ContextView context) {
        RoutingListener subscriber = context.getOrDefault(RoutingListener.class, null);
        if (listeners.isEmpty() && subscriber == null) {
            return;
        }
        RouteDecision inWords = null;
        for (RoutingListener listener : listeners) {
            inWords = told(listener, inWords, route, ask, tried);
        }
        if (subscriber != null) {
            var unused = told(subscriber, inWords, route, ask, tried);
        }
    }

    /** Returns the decision, if it is in words by now. */
    private @Nullable RouteDecision told(
            RoutingListener listener, @Nullable RouteDecision inWords, Route route, Ask ask, BitSet tried) {
        if (!wantsNext(listener)) {
            return inWords;
        }
        RouteDecision decision = inWords == null ? router.explain(route, ask, tried) : inWords;
        try {
            listener.onDecision(decision);
        } catch (RuntimeException failure) {
            failed(failure);
        }
        return decision;
    }

    private static boolean wantsNext(RoutingListener listener) {
        try {
            return listener.wantsNext();
        } catch (RuntimeException failure) {
            failed(failure);
            return false;
        }
    }

    private static void failed(RuntimeException failure) {
        LOG.warn("a routing listener failed; the request goes on", failure);
    }
}
