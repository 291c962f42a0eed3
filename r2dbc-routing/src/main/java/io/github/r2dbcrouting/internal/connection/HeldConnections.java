package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.routing.Permit;
import io.github.r2dbcrouting.internal.routing.Route;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import java.util.BitSet;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.ContextView;

/**
 * Which servers' connections does a routed connection hold, and which of them is it for what is asked now?
 *
 * <p>At most one of a replica and one of the primary, each with the settings that were made. Thread-safe.
 */
final class HeldConnections {

    private final Lender lender;
    private final ConnectionSettings settings;
    private final LeaseSlot primary = new LeaseSlot();
    private final LeaseSlot replica = new LeaseSlot();
    /** Something was left behind in the primary's connection that later statements rely on. */
    private volatile boolean pinned;

    private volatile boolean closed;

    /**
     * Holds nothing yet.
     *
     * @param lender lends the servers' connections
     * @param settings made on each of them
     */
    HeldConnections(Lender lender, ConnectionSettings settings) {
        this.lender = lender;
        this.settings = settings;
    }

    /** The primary's, if it is held. */
    @Nullable
    Lease primary() {
        return primary.held();
    }

    /** A replica's, if one is held. */
    @Nullable
    Lease replica() {
        return replica.held();
    }

    boolean none() {
        return primary.held() == null && replica.held() == null;
    }

    /** From here on everything runs on the primary, and on one connection to it. */
    void pin() {
        pinned = true;
    }

    /** Whether what nobody needs the primary for may run elsewhere. */
    boolean allowReplica() {
        return settings.allowReplica() && !pinned;
    }

    /** Does something on each that is held, one after the other. */
    Mono<Void> onEach(Function<Lease, Mono<Void>> command) {
        return Flux.just(primary, replica)
                .concatMap(slot -> {
                    Lease held = slot.held();
                    return held == null ? Mono.<Void>empty() : command.apply(held);
                })
                .then();
    }

    /** Lets a lease go on which a read failed, for one of another server. */
    void leave(Lease lease) {
        (lease.server().role() == ServerRole.PRIMARY ? primary : replica).leave(lease);
    }

    /** Gives back what is held, at a moment at which nobody waits for it. */
    void vacate() {
        primary.vacate();
        replica.vacate();
    }

    /** From now on nothing is held any more; what is gets back to its pools when the result is subscribed. */
    Mono<Void> close() {
        closed = true;
        Lease onPrimary = primary.close();
        Lease onReplica = replica.close();
        if (onPrimary == null || onReplica == null) {
            Lease only = onPrimary == null ? onReplica : onPrimary;
            return only == null ? Mono.empty() : only.release();
        }
        return Flux.concatDelayError(onPrimary.release(), onReplica.release()).then();
    }

    boolean closed() {
        return closed;
    }

    /** Finds the connection for whatever was not tried elsewhere yet. */
    Mono<Served> serve(Ask ask) {
        return serve(allowReplica() ? ask : ask.onPrimary(), new BitSet());
    }

    /**
     * Finds the connection for what was asked, where it was asked to be.
     *
     * @param tried the indexes of the servers that are not to be asked again
     * @return an error if nothing is held any more
     */
    Mono<Served> serve(Ask ask, BitSet tried) {
        return Mono.deferContextual(context -> closed ? Mono.error(closedError()) : find(ask, tried, context));
    }

    static R2dbcNonTransientResourceException closedError() {
        return new R2dbcNonTransientResourceException("the connection is closed");
    }

    private Mono<Served> find(Ask ask, BitSet tried, ContextView context) {
        return lender.route(ask, tried, context).flatMap(route -> {
            if (route.onPrimary()) {
                return onPrimary(route, ask);
            }
            leaveUnlessFit(route, ask, tried);
            AtomicReference<@Nullable Lease> confirmed = new AtomicReference<>();
            return held(replica, route, confirmed::set)
                    .map(lease -> new Served(lease, null))
                    .onErrorResume(
                            error -> !closed && lender.mayMove(ask, route, with(tried, route), error),
                            error -> find(ask, with(tried, route), context))
                    .flatMap(served -> {
                        if (served.lease().server().role() == ServerRole.PRIMARY) {
                            return Mono.just(served);
                        }
                        if (!lender.holds(route)) {
                            replica.leave(served.lease());
                            return find(ask, tried, context);
                        }
                        // one that an earlier read is still using, and that lacks what this one needs, is kept for its
                        // own
                        if (served.lease() != confirmed.get() && !serves(served.lease(), route, ask, tried)) {
                            return find(ask.withoutWaiting(), lender.replicas(), context);
                        }
                        return lender.tells(ask)
                                ? lender.mayServe(served.lease(), ask).thenReturn(served)
                                : Mono.just(served);
                    });
        });
    }

    private boolean serves(Lease held, Route route, Ask ask, BitSet tried) {
        return lender.admits(held, route, ask, tried) && lender.holds(held, route);
    }

    /** What was taken for an earlier read is judged anew for each: by its freshness, its policy, and how it fares. */
    private void leaveUnlessFit(Route route, Ask ask, BitSet tried) {
        Lease held = replica.held();
        if (held == null || held.inUse()) {
            return;
        }
        ServerState chosen = Objects.requireNonNull(route.server(), "server");
        boolean avoided = held.server().index() != chosen.index() && lender.leftAlone(held);
        if (avoided || !serves(held, route, ask, tried)) {
            replica.leave(held);
        }
    }

    private Mono<Served> onPrimary(Route route, Ask ask) {
        Permit permit = route.permit();
        Mono<Lease> found =
                leavesAnotherPrimary(route) ? held(primary, route, lease -> {}) : Mono.error(reliesOnAnother());
        Mono<Lease> leased = lender.tells(ask)
                ? found.flatMap(lease -> lender.mayServe(lease, ask).thenReturn(lease))
                : found;
        if (permit == null) {
            return leased.map(lease -> new Served(lease, null));
        }
        return leased.flatMap(lease -> lease.adopt(permit)
                        ? Mono.just(new Served(lease, permit))
                        : Mono.<Served>error(new CancellationException("the read was cancelled")))
                .doOnError(error -> permit.withdraw())
                .doOnCancel(permit::withdraw);
    }

    /**
     * What is held may lead to the primary that was followed until a moment ago, and that still takes writes.
     *
     * @return whether what was asked can go to the one of the route
     */
    private boolean leavesAnotherPrimary(Route route) {
        Lease held = primary.held();
        ServerState chosen = route.server();
        if (held == null || chosen == null || held.server().index() == chosen.index()) {
            return true;
        }
        if (pinned) {
            return false;
        }
        primary.leave(held);
        return true;
    }

    private static R2dbcNonTransientResourceException reliesOnAnother() {
        return new R2dbcNonTransientResourceException(
                "the connection relies on what was left behind on a server that is not"
                        + " the primary any more: go on with another connection");
    }

    private Mono<Lease> held(LeaseSlot slot, Route route, Consumer<Lease> onTaken) {
        Lease already = slot.held();
        if (already != null) {
            return Mono.just(already);
        }
        ServerState server = Objects.requireNonNull(route.server(), "server");
        return slot.get(lender.take(route, server, lease -> {
            onTaken.accept(lease);
            return settings.replay(lease);
        }));
    }

    private static BitSet with(BitSet tried, Route route) {
        BitSet all = (BitSet) tried.clone();
        if (route.server() != null) {
            all.set(route.server().index());
        }
        return all;
    }
}
