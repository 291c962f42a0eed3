package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.routing.Permit;
import io.github.r2dbcrouting.internal.routing.Route;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.spi.Engine;
import io.github.r2dbcrouting.spi.StatementText;
import io.r2dbc.spi.Batch;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionMetadata;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import io.r2dbc.spi.Statement;
import io.r2dbc.spi.TransactionDefinition;
import io.r2dbc.spi.ValidationDepth;
import java.time.Duration;
import java.util.BitSet;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.ContextView;

/**
 * A connection that holds no server until it must.
 *
 * <p>Outside a transaction each statement is routed when it is subscribed; a transaction is routed at its begin and
 * stays where it is. At most one connection of a replica and one of the primary are held, until {@link #close()}.
 * Thread-safe as far as the driver's connections are: one thing at a time, from any thread.
 */
public final class RoutedConnection implements Connection {

    private final Lender lender;
    private final Engine engine;
    private final ConnectionMetadata metadata;
    private final LeaseSlot primary = new LeaseSlot();
    private final LeaseSlot replica = new LeaseSlot();
    private final ConnectionSettings settings = new ConnectionSettings();
    private volatile @Nullable Transaction transaction;
    private volatile boolean closed;

    /**
     * Creates a connection that holds nothing.
     *
     * @param lender lends the servers' connections
     * @param engine reads statements
     * @param metadata what is said of the product before a server is chosen
     */
    public RoutedConnection(Lender lender, Engine engine, ConnectionMetadata metadata) {
        this.lender = lender;
        this.engine = engine;
        this.metadata = metadata;
    }

    /** A transaction that runs on a lease, with the write that it counts as; {@code null} if it cannot write. */
    private record Transaction(Lease lease, @Nullable PendingWrite write, Served served) {}

    /** A connection for one statement or transaction, with the place in the budget that it takes, if it takes one. */
    record Served(Lease lease, @Nullable Permit permit) {

        /** The statement or transaction is over. */
        void over() {
            if (permit != null) {
                lease.released(permit);
            }
        }
    }

    /** Finds the connection on which the statement of this subscriber runs. */
    Mono<Served> leaseForStatement(StatementText.Kind kind) {
        return Mono.deferContextual(context -> {
            if (closed) {
                return Mono.error(closedError());
            }
            Transaction open = transaction;
            if (open != null) {
                return Mono.just(new Served(open.lease, null));
            }
            Ask ask = Ask.ofStatement(context, kind);
            Lease held = primary.held();
            // a transaction that was begun by a statement's text is where it is
            boolean begun = held != null && !held.connection().isAutoCommit();
            return held != null && begun ? Mono.just(new Served(held, null)) : lease(ask);
        });
    }

    Engine engine() {
        return engine;
    }

    private Mono<Served> lease(Ask ask) {
        return lease(settings.allowReplica() ? ask : ask.onPrimary(), new BitSet());
    }

    private Mono<Served> lease(Ask ask, BitSet tried) {
        return lender.route(ask, tried).flatMap(route -> {
            if (route.onPrimary()) {
                return onPrimary(route);
            }
            return held(replica, route)
                    .map(lease -> new Served(lease, null))
                    .onErrorResume(
                            error -> lender.mayMove(ask, route, with(tried, route), error),
                            error -> lease(ask, with(tried, route)))
                    // one that was taken for an earlier read, and lacks what this one needs, is kept for its own
                    .flatMap(served ->
                            served.lease.server().role() == ServerRole.PRIMARY || lender.holds(served.lease, route)
                                    ? Mono.just(served)
                                    : lease(ask.withoutWaiting(), lender.replicas()));
        });
    }

    private Mono<Served> onPrimary(Route route) {
        Permit permit = route.permit();
        Mono<Lease> leased = held(primary, route);
        if (permit == null) {
            return leased.map(lease -> new Served(lease, null));
        }
        return leased.flatMap(lease -> lease.adopt(permit)
                        ? Mono.just(new Served(lease, permit))
                        : Mono.<Served>error(new CancellationException("the read was cancelled")))
                .doOnError(error -> permit.withdraw())
                .doOnCancel(permit::withdraw);
    }

    private Mono<Lease> held(LeaseSlot slot, Route route) {
        ServerState server = Objects.requireNonNull(route.server(), "server");
        return slot.get(lender.take(route, server).flatMap(settings::replay));
    }

    private static BitSet with(BitSet tried, Route route) {
        BitSet all = (BitSet) tried.clone();
        if (route.server() != null) {
            all.set(route.server().index());
        }
        return all;
    }

    @Override
    public Publisher<Void> beginTransaction() {
        return begin(null);
    }

    @Override
    public Publisher<Void> beginTransaction(TransactionDefinition definition) {
        return begin(Objects.requireNonNull(definition, "definition"));
    }

    private Mono<Void> begin(@Nullable TransactionDefinition definition) {
        return Mono.deferContextual(context -> {
            if (closed) {
                return Mono.error(closedError());
            }
            Transaction open = transaction;
            if (open != null) {
                return command(open.lease, begin(open.lease.connection(), definition));
            }
            Ask ask = Ask.ofTransaction(context, readOnly(definition));
            return lease(ask).flatMap(served -> {
                Lease lease = served.lease;
                boolean writes = ask.intent() == Intent.WRITE;
                SessionState session = ask.session();
                PendingWrite write = writes && session != null ? lease.writing(session, true) : null;
                transaction = new Transaction(lease, write, served);
                return command(lease, begin(lease.connection(), definition)).doOnError(error -> endTransaction());
            });
        });
    }

    private static Publisher<Void> begin(Connection connection, @Nullable TransactionDefinition definition) {
        return definition == null ? connection.beginTransaction() : connection.beginTransaction(definition);
    }

    private boolean readOnly(@Nullable TransactionDefinition definition) {
        if (definition == null || !Boolean.TRUE.equals(definition.getAttribute(TransactionDefinition.READ_ONLY))) {
            return false;
        }
        IsolationLevel isolation = definition.getAttribute(TransactionDefinition.ISOLATION_LEVEL);
        IsolationLevel effective = isolation == null ? settings.isolation() : isolation;
        // a hot standby refuses it
        return !IsolationLevel.SERIALIZABLE.equals(effective);
    }

    @Override
    public Publisher<Void> commitTransaction() {
        return ending(Connection::commitTransaction);
    }

    @Override
    public Publisher<Void> rollbackTransaction() {
        return ending(Connection::rollbackTransaction);
    }

    private Mono<Void> ending(Function<Connection, Publisher<Void>> command) {
        return onOpenTransaction(lease -> command(lease, command.apply(lease.connection()))
                .doOnSuccess(ignored -> endTransaction())
                .doOnError(error -> {
                    if (lease.connection().isAutoCommit() && !engine.connectionLost(error)) {
                        endTransaction();
                    }
                }));
    }

    private void endTransaction() {
        Transaction ended = transaction;
        transaction = null;
        if (ended != null) {
            ended.served.over();
            if (ended.write != null) {
                ended.lease.ended(ended.write);
            }
        }
    }

    /** Without a transaction these do nothing, as with the driver. */
    private Mono<Void> onOpenTransaction(Function<Lease, Mono<Void>> command) {
        return Mono.defer(() -> {
            Transaction open = transaction;
            Lease lease = open != null ? open.lease : primary.held();
            return lease == null ? Mono.empty() : command.apply(lease);
        });
    }

    private static Mono<Void> command(Lease lease, Publisher<Void> command) {
        return Mono.fromDirect(new InUse<Void>(lease, command))
                .doOnCancel(lease::markUncertain)
                .doOnError(error -> lease.markUncertain());
    }

    @Override
    public Publisher<Void> createSavepoint(String name) {
        Required.argument(name, "name");
        Mono<Void> begun = Mono.defer(() -> transaction == null ? begin(null) : Mono.empty());
        return begun.then(
                onOpenTransaction(lease -> command(lease, lease.connection().createSavepoint(name))));
    }

    @Override
    public Publisher<Void> releaseSavepoint(String name) {
        Required.argument(name, "name");
        return onOpenTransaction(lease -> command(lease, lease.connection().releaseSavepoint(name)));
    }

    @Override
    public Publisher<Void> rollbackTransactionToSavepoint(String name) {
        Required.argument(name, "name");
        return onOpenTransaction(lease -> command(lease, lease.connection().rollbackTransactionToSavepoint(name)));
    }

    @Override
    public Batch createBatch() {
        assertOpen();
        return new RoutedBatch(this, engine);
    }

    @Override
    public Statement createStatement(String sql) {
        assertOpen();
        return new RoutedStatement(this, engine, Required.argument(sql, "sql"));
    }

    /** Counts what is about to be sent outside a transaction as a write of the session, if there is one. */
    @Nullable
    PendingWrite beginWrite(Lease lease, ContextView context, StatementText.Kind kind) {
        SessionState session = context.getOrDefault(SessionState.class, null);
        boolean untracked = session == null
                || transaction != null
                || lease.server().role() != ServerRole.PRIMARY
                || Ask.ofStatement(context, kind).intent() == Intent.READ;
        if (untracked || session == null) {
            return null;
        }
        return lease.writing(session, false);
    }

    @Override
    public boolean isAutoCommit() {
        Transaction open = transaction;
        Lease held = open != null ? open.lease : primary.held();
        return held == null || held.connection().isAutoCommit();
    }

    @Override
    public Publisher<Void> setAutoCommit(boolean autoCommit) {
        return Mono.defer(() -> {
            if (autoCommit == isAutoCommit()) {
                return Mono.empty();
            }
            return Mono.from(autoCommit ? commitTransaction() : beginTransaction());
        });
    }

    @Override
    public ConnectionMetadata getMetadata() {
        Lease held = primary.held() != null ? primary.held() : replica.held();
        return held == null ? metadata : held.connection().getMetadata();
    }

    @Override
    public IsolationLevel getTransactionIsolationLevel() {
        Transaction open = transaction;
        return open != null ? open.lease.connection().getTransactionIsolationLevel() : settings.isolation();
    }

    @Override
    public Publisher<Void> setTransactionIsolationLevel(IsolationLevel isolationLevel) {
        Required.argument(isolationLevel, "isolationLevel");
        return onHeld(settings.isolation(isolationLevel)).doOnSuccess(ignored -> settings.isolationIs(isolationLevel));
    }

    @Override
    public Publisher<Void> setLockWaitTimeout(Duration timeout) {
        Required.argument(timeout, "timeout");
        return onHeld(settings.lockWaitTimeout(timeout));
    }

    @Override
    public Publisher<Void> setStatementTimeout(Duration timeout) {
        Required.argument(timeout, "timeout");
        return onHeld(settings.statementTimeout(timeout));
    }

    private Mono<Void> onHeld(ConnectionSettings.Setting setting) {
        return Mono.defer(() -> {
            if (closed) {
                return Mono.error(closedError());
            }
            settings.add(setting);
            return Flux.just(primary, replica)
                    .concatMap(slot -> {
                        Lease held = slot.held();
                        return held == null ? Mono.<Void>empty() : setting.apply(held);
                    })
                    .then();
        });
    }

    @Override
    public Publisher<Boolean> validate(ValidationDepth depth) {
        Required.argument(depth, "depth");
        return Mono.defer(() -> {
            if (closed) {
                return Mono.just(false);
            }
            if (depth == ValidationDepth.LOCAL) {
                return Mono.just(true);
            }
            return leaseForStatement(StatementText.Kind.UNKNOWN)
                    .flatMap(served -> Mono.<Boolean>fromDirect(new InUse<>(
                                    served.lease, served.lease.connection().validate(ValidationDepth.REMOTE)))
                            .doOnTerminate(served::over))
                    .onErrorReturn(false);
        });
    }

    @Override
    public Mono<Void> close() {
        return Mono.defer(() -> {
            closed = true;
            return Flux.just(primary, replica)
                    .concatMapDelayError(LeaseSlot::close)
                    .then();
        });
    }

    private void assertOpen() {
        if (closed) {
            throw new IllegalStateException("the connection is closed");
        }
    }

    private static R2dbcNonTransientResourceException closedError() {
        return new R2dbcNonTransientResourceException("the connection is closed");
    }

    @Override
    public String toString() {
        Lease onPrimary = primary.held();
        Lease onReplica = replica.held();
        return "RoutedConnection[primary="
                + (onPrimary == null ? "none" : onPrimary.server().name()) + ", replica="
                + (onReplica == null ? "none" : onReplica.server().name()) + "]";
    }
}
