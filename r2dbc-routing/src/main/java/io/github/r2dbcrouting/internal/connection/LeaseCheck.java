package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.internal.routing.Route;
import io.github.r2dbcrouting.internal.routing.Router;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.internal.session.Sighting;
import io.github.r2dbcrouting.internal.table.TableRef;
import io.github.r2dbcrouting.spi.Introduction;
import io.github.r2dbcrouting.spi.Lineage;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * Does what the table says of a server hold for this connection to it?
 *
 * <p>A server that recovers from a crash can go back behind what it had replayed, and the crash need not show: the death
 * of one backend is enough, and leaves the server process standing. What does show is that recovery ends every
 * connection. So a sample speaks for a connection only if both lead to the same server process and the connection was
 * open before the sample was sent. A newer connection has what it said itself when it was opened, and can be asked
 * again.
 */
final class LeaseCheck {

    private final TableRef tables;
    private final boolean livesMatter;
    private final LongSupplier clock;

    LeaseCheck(TableRef tables, boolean livesMatter, LongSupplier clock) {
        this.tables = tables;
        this.livesMatter = livesMatter;
        this.clock = clock;
    }

    /**
     * Confirms that the lease may serve what it was taken for, asking the server where nothing known speaks for it.
     *
     * @param then what is made of the lease once it is confirmed, within this call if nothing has to be asked
     * @return what that returns, or an error after the lease was given back; a cancel gives it back, too
     */
    Mono<Lease> confirm(Lease lease, Route route, Function<Lease, Mono<Lease>> then) {
        RoutingTable now = tables.current();
        ServerState state = now.servers().get(lease.server().index());
        String unfit = unfit(lease, state, now);
        if (unfit != null) {
            return refuse(lease, unfit);
        }
        boolean primary = lease.server().role() == ServerRole.PRIMARY;
        if (primary) {
            return knowsItsDurability(lease)
                    ? then.apply(lease)
                    : introduceAgain(lease).flatMap(then);
        }
        if (!youngEnough(state, route)) {
            // it was when the request began to wait for the connection, with which nothing is wrong
            return keep(lease, "was free only when the server was too old for the read");
        }
        if (!staysWith(lease, route.seen())) {
            return learnFloors(lease, route.seen()).flatMap(then);
        }
        List<Position> required = required(state, route);
        return holds(lease, required, now)
                ? then.apply(lease)
                : ask(lease, required).flatMap(then);
    }

    private boolean youngEnough(ServerState state, Route route) {
        Duration bound = route.bound();
        return bound == null || state.lag().within(clock.getAsLong(), bound.toNanos());
    }

    /** The age of a server is that of its position: it must still have it in the life of the connection. */
    private static List<Position> required(ServerState state, Route route) {
        return route.bound() == null ? route.required() : positionOf(state);
    }

    /** Whether something known says that a connection which is held already may serve another read. */
    boolean holds(Lease lease, Route route) {
        RoutingTable now = tables.current();
        ServerState state = now.servers().get(lease.server().index());
        return youngEnough(state, route) && staysWith(lease, route.seen()) && holds(lease, required(state, route), now);
    }

    /** Whether the connection belongs to the life in which the session has read whatever has no position yet. */
    private boolean staysWith(Lease lease, List<Sighting> seen) {
        PhysicalConnection physical = lease.physical();
        ServerIdentity identity = physical.introduction().identity();
        for (int i = 0; i < seen.size(); i++) {
            Sighting sighting = seen.get(i);
            boolean stays = !livesMatter || sighting.includes(identity, physical.openedAt());
            if (!stays) {
                return false;
            }
        }
        return true;
    }

    /** The connection is newer than what the session has seen: it serves if it has got beyond that. */
    private Mono<Lease> learnFloors(Lease lease, List<Sighting> seen) {
        SessionState session = seen.get(0).session();
        String cluster = seen.get(0).identity().cluster();
        String why = "is newer than what the session read, and it is not known where that was";
        return session.floors(cluster)
                .timeout(
                        Lender.FLOOR_LIMIT, Mono.defer(() -> lease.release().then(Mono.error(() -> unfit(lease, why)))))
                .then(Mono.defer(() -> {
                    RoutingTable now = tables.current();
                    List<Position> required = Router.onLine(session.required(cluster), now);
                    return holds(lease, required, now) ? Mono.just(lease) : ask(lease, required);
                }))
                .doOnCancel(lease::releaseDetached);
    }

    /** Whether something known in the life of this connection says that its server covers the positions. */
    private boolean holds(Lease lease, List<Position> required, RoutingTable table) {
        ServerState state = table.servers().get(lease.server().index());
        if (state.status() != ServerStatus.UP || state.role() != lease.server().role()) {
            return false;
        }
        boolean speaksForIt = !livesMatter || speaksFor(state, lease.physical());
        return (speaksForIt && state.covers(required))
                || (state.position() != null
                        && asJudged(lease, state, table)
                        && covers(onLine(lease.physical().floor(), table), required));
    }

    /**
     * Whether what was found of the branch that a replica is on holds for this connection. It does as long as its process
     * lives: whoever starts it anew may have given it another primary to follow. On the first branch there is only one.
     */
    private static boolean asJudged(Lease lease, ServerState state, RoutingTable table) {
        Lineage line = table.lineage();
        return line == null
                || line.branch() <= 1
                || lease.physical().introduction().identity().equals(state.identity());
    }

    private static @Nullable Position onLine(@Nullable Position position, RoutingTable table) {
        return position == null ? null : table.onLine(position);
    }

    /** Whether the sample behind the state was taken in the life of the connection. */
    static boolean speaksFor(ServerState state, PhysicalConnection connection) {
        return connection.introduction().identity().equals(state.identity())
                && connection.openedAt() - state.sampledAt() < 0;
    }

    private static @Nullable String unfit(Lease lease, ServerState state, RoutingTable table) {
        Introduction introduction = lease.physical().introduction();
        ServerRole role = lease.server().role();
        if (!introduction.identity().cluster().equals(table.cluster())) {
            return "leads to another cluster";
        }
        if (state.status() == ServerStatus.REFUSED) {
            return "leads to a server that must not be used";
        }
        if (role == ServerRole.PRIMARY) {
            boolean followed = table.primary()
                    .map(primary -> primary.index() == state.index())
                    .orElse(false);
            // the same process that was seen as the primary, or a later one that says so itself and lies on its branch
            boolean isPrimary = introduction.identity().equals(state.identity())
                    || (introduction.observation().role() == ServerRole.PRIMARY
                            && covers(lease.physical().floor(), positionOf(state)));
            return followed && isPrimary ? null : "no longer leads to the primary";
        }
        boolean replica = state.role() == ServerRole.REPLICA && state.status() == ServerStatus.UP;
        return replica ? null : "no longer leads to a replica that may be read from";
    }

    private static List<Position> positionOf(ServerState state) {
        Position position = state.position();
        return position == null ? List.of() : List.of(position);
    }

    private static boolean covers(@Nullable Position floor, List<Position> required) {
        for (Position position : required) {
            if (floor == null || !floor.covers(position)) {
                return false;
            }
        }
        return true;
    }

    private static boolean knowsItsDurability(Lease lease) {
        return lease.physical().introducedAt(lease.monitorConfiguration());
    }

    private Mono<Lease> ask(Lease lease, List<Position> required) {
        PhysicalConnection physical = lease.physical();
        return lease.engine()
                .observe(physical.driver(), physical.introduction())
                .flatMap(observation -> {
                    physical.raiseFloor(observation.position());
                    RoutingTable now = tables.current();
                    ServerState state = now.servers().get(lease.server().index());
                    boolean placed = state.position() != null
                            && asJudged(lease, state, now)
                            && (observation.branchCertain()
                                    || now.primary()
                                            .map(primary -> primary.status() == ServerStatus.UP)
                                            .orElse(false));
                    boolean fit = observation.role() == ServerRole.REPLICA
                            && placed
                            && covers(onLine(observation.position(), now), required);
                    if (fit) {
                        return Mono.just(lease);
                    }
                    // nothing is wrong with what cannot say on which branch it is: the next sample speaks for it
                    return observation.branchCertain()
                            ? refuse(lease, "has not replayed what the read needs")
                            : keep(lease, "is newer than what shows that its server has what the read needs");
                })
                .onErrorResume(
                        error -> !(error instanceof UnfitConnectionException),
                        error -> lease.discard().then(Mono.error(error)))
                .doOnCancel(lease::releaseDetached);
    }

    /** The configuration was read again since it was introduced: what it said of its commits may no longer hold. */
    private static Mono<Lease> introduceAgain(Lease lease) {
        long configuration = lease.monitorConfiguration();
        return lease.engine()
                .introduce(lease.connection())
                .map(introduction -> {
                    lease.physical().introducedAgain(introduction, configuration);
                    return lease;
                })
                .onErrorResume(error -> lease.discard().then(Mono.error(error)))
                .doOnCancel(lease::releaseDetached);
    }

    private static Mono<Lease> keep(Lease lease, String why) {
        return lease.release().then(Mono.error(() -> unfit(lease, why)));
    }

    private static Mono<Lease> refuse(Lease lease, String why) {
        return lease.discard().then(Mono.error(() -> unfit(lease, why)));
    }

    private static UnfitConnectionException unfit(Lease lease, String why) {
        return new UnfitConnectionException("a connection to " + lease.server().name() + " " + why);
    }
}
