package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.routing.Permit;
import io.github.r2dbcrouting.internal.routing.Route;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.spi.ConnectionObserver;
import io.github.r2dbcrouting.spi.ConnectionObserver.End;
import io.github.r2dbcrouting.spi.ConnectionObserver.Scope;
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
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.SignalType;
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
    private final boolean lazyBegin;
    private final @Nullable FollowedUses followed;
    private final LeaseSlot primary = new LeaseSlot();
    private final LeaseSlot replica = new LeaseSlot();
    private final ConnectionSettings settings = new ConnectionSettings();
    private volatile @Nullable Transaction transaction;
    private volatile boolean closed;
    /** Something was left behind in the primary's connection that later statements rely on. */
    private volatile boolean pinned;

    /**
     * Creates a connection that holds nothing.
     *
     * @param lender lends the servers' connections
     * @param engine reads statements
     * @param metadata what is said of the product before a server is chosen
     * @param lazyBegin whether a begin is held back until something is sent in its transaction
     * @param observer follows its statements and transactions; {@code null} if nobody does
     */
    public RoutedConnection(
            Lender lender,
            Engine engine,
            ConnectionMetadata metadata,
            boolean lazyBegin,
            @Nullable ConnectionObserver observer) {
        this.lender = lender;
        this.engine = engine;
        this.metadata = metadata;
        this.lazyBegin = lazyBegin;
        this.followed = observer == null ? null : new FollowedUses(observer);
    }

    /**
     * A transaction that runs on a lease, with the writes that it counts as: one for each session that uses it, which
     * may be another than the one that began it.
     */
    private record Transaction(
            Lease lease,
            boolean readOnly,
            List<PendingWrite> writes,
            Served served,
            @Nullable FollowedUse use) {

        void writtenBy(SessionState session) {
            boolean onReplica = lease.server().role() != ServerRole.PRIMARY;
            if (onReplica || writes.stream().anyMatch(write -> write.session() == session)) {
                return;
            }
            writes.add(lease.writing(session, true));
        }
    }

    /** A connection for one statement or transaction, with the place in the budget that it takes, if it takes one. */
    record Served(Lease lease, @Nullable Permit permit) {

        /** The statement or transaction is over. */
        void over() {
            if (permit != null) {
                lease.released(permit);
            }
        }
    }

    /** Finds the connection on which a statement runs. */
    Mono<Served> leaseForStatement(Ask ask) {
        return Mono.defer(() -> {
            if (closed) {
                return Mono.error(closedError());
            }
            Transaction open = transaction;
            if (open != null) {
                return Mono.just(new Served(open.lease, null));
            }
            Lease held = primary.held();
            // a transaction that was begun by a statement's text is where it is
            boolean begun = held != null && !held.connection().isAutoCommit();
            return held != null && begun ? Mono.just(new Served(held, null)) : lease(ask);
        });
    }

    /** Returns who follows the open transaction; {@code null} if there is none, or nobody follows it. */
    @Nullable
    FollowedUse followedAround() {
        Transaction open = transaction;
        return open == null ? null : open.use;
    }

    /** Returns who follows a statement that is routed by itself; {@code null} if it is not, or if nobody does. */
    @Nullable
    FollowedUse followed(ContextView context) {
        if (followed == null || closed || transaction != null) {
            return null;
        }
        Lease held = primary.held();
        return held == null || held.connection().isAutoCommit() ? followed.begins(Scope.STATEMENT, context) : null;
    }

    Engine engine() {
        return engine;
    }

    Lender lender() {
        return lender;
    }

    /** From here on everything runs on the primary, and on one connection to it. */
    void pin() {
        pinned = true;
    }

    /** Whether what nobody needs the primary for may run elsewhere. */
    boolean allowsReplica() {
        return settings.allowReplica() && !pinned;
    }

    /** Whether what is sent on the lease is a transaction of its own. */
    boolean outsideTransaction(Lease lease) {
        return transaction == null && lease.connection().isAutoCommit();
    }

    /** Lets a lease go on which a read failed, for one of another server. */
    void leave(Lease lease) {
        (lease.server().role() == ServerRole.PRIMARY ? primary : replica).leave(lease);
    }

    /** Finds a connection for a read that failed on the servers that it has tried. */
    Mono<Served> leaseElsewhere(Ask ask, BitSet tried) {
        return Mono.defer(() -> closed ? Mono.error(closedError()) : lease(ask, (BitSet) tried.clone()));
    }

    /** Finds the connection for something that was taken to be a read. */
    Mono<Served> leaseForWrite(Ask ask) {
        return Mono.defer(() -> closed ? Mono.error(closedError()) : lease(ask, new BitSet()));
    }

    private Mono<Served> lease(Ask ask) {
        return lease(allowsReplica() ? ask : ask.onPrimary(), new BitSet());
    }

    private Mono<Served> lease(Ask ask, BitSet tried) {
        return lender.route(ask, tried).flatMap(route -> {
            if (route.onPrimary()) {
                return onPrimary(route, ask);
            }
            leaveUnlessFit(route, ask, tried);
            AtomicReference<@Nullable Lease> confirmed = new AtomicReference<>();
            return held(replica, route, confirmed::set)
                    .map(lease -> new Served(lease, null))
                    .onErrorResume(
                            error -> !closed && lender.mayMove(ask, route, with(tried, route), error),
                            error -> lease(ask, with(tried, route)))
                    .flatMap(served -> {
                        if (served.lease.server().role() == ServerRole.PRIMARY) {
                            return Mono.just(served);
                        }
                        if (!lender.holds(route)) {
                            replica.leave(served.lease);
                            return lease(ask, tried);
                        }
                        // one that an earlier read is still using, and that lacks what this one needs, is kept for its
                        // own
                        if (served.lease != confirmed.get() && !serves(served.lease, route, ask, tried)) {
                            return lease(ask.withoutWaiting(), lender.replicas());
                        }
                        return lender.tells(ask)
                                ? lender.mayServe(served.lease, ask).thenReturn(served)
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
        Mono<Lease> found = held(primary, route, lease -> {});
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

    private Mono<Lease> held(LeaseSlot slot, Route route, Consumer<Lease> onTaken) {
        ServerState server = Objects.requireNonNull(route.server(), "server");
        return slot.get(lender.take(route, server).doOnNext(onTaken).flatMap(settings::replay));
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
                // as with the driver a second begin does nothing, which the driver says only once it knows of the first
                return notYetBegun(open.lease) == null
                        ? command(open.lease, begin(open.lease.connection(), definition))
                        : Mono.empty();
            }
            boolean nothingHeld = primary.held() == null && replica.held() == null;
            FollowedUse use = followed == null ? null : followed.begins(Scope.TRANSACTION, context);
            Ask ask = Ask.ofTransaction(context, readOnly(definition));
            Mono<Void> beginning = lease(ask).flatMap(served -> {
                Lease lease = served.lease;
                Transaction begun =
                        new Transaction(lease, declaredReadOnly(definition), new CopyOnWriteArrayList<>(), served, use);
                SessionState session = ask.session();
                Runnable writes = () -> {
                    if (session != null && !begun.readOnly) {
                        begun.writtenBy(session);
                    }
                };
                // in one that was begun by a statement's text there is nothing to begin
                if (lazyBegin
                        && HeldBegin.mayHold(definition)
                        && lease.connection().isAutoCommit()) {
                    Publisher<Void> held = begin(lease.connection(), definition);
                    lease.hold(new HeldBegin(held, HeldBegin.isolation(definition), writes));
                    transaction = begun;
                    return Mono.empty();
                }
                writes.run();
                transaction = begun;
                return command(lease, begin(lease.connection(), definition))
                        .doOnError(error -> endTransaction(End.FAILED, error));
            });
            if (use != null) {
                beginning = beginning
                        .doOnError(use::failed)
                        .doOnSuccess(ignored -> endsUnlessBegun(use))
                        .contextWrite(use::within);
            }
            return nothingHeld || use != null ? unlessCancelled(beginning, nothingHeld, use) : beginning;
        });
    }

    /**
     * Whoever cancels a begin may have lost the connection with it, and will never close it: Spring's transaction
     * manager does so. What the begin took is given back, and the transaction with it, if it was begun.
     *
     * @param vacates whether nothing but the begin has taken anything
     * @param use follows the transaction; {@code null} if nobody does
     */
    private Mono<Void> unlessCancelled(Mono<Void> beginning, boolean vacates, @Nullable FollowedUse use) {
        AtomicBoolean over = new AtomicBoolean();
        // the flag is set before the signal, since the cancel of what follows comes through here, too; and the slots
        // are looked at after the cancel has gone up, since until then a connection may still arrive in one
        return beginning.doOnTerminate(() -> over.set(true)).doFinally(signal -> {
            if (signal == SignalType.CANCEL && over.compareAndSet(false, true)) {
                if (vacates) {
                    transaction = null;
                    primary.vacate();
                    replica.vacate();
                }
                if (use != null) {
                    use.ended(End.CANCELLED);
                }
            }
        });
    }

    /** What was cancelled while it waited for a connection can complete without one, before it is seen to be cancelled. */
    private void endsUnlessBegun(FollowedUse use) {
        Transaction begun = transaction;
        if (begun == null || begun.use != use) {
            use.ended(End.CANCELLED);
        }
    }

    private static Publisher<Void> begin(Connection connection, @Nullable TransactionDefinition definition) {
        return definition == null ? connection.beginTransaction() : connection.beginTransaction(definition);
    }

    private static boolean declaredReadOnly(@Nullable TransactionDefinition definition) {
        return definition != null && Boolean.TRUE.equals(definition.getAttribute(TransactionDefinition.READ_ONLY));
    }

    private boolean readOnly(@Nullable TransactionDefinition definition) {
        if (definition == null || !declaredReadOnly(definition)) {
            return false;
        }
        IsolationLevel isolation = HeldBegin.isolation(definition);
        IsolationLevel effective = isolation == null ? settings.isolation() : isolation;
        // a hot standby refuses it
        return !IsolationLevel.SERIALIZABLE.equals(effective);
    }

    @Override
    public Publisher<Void> commitTransaction() {
        return ending(Connection::commitTransaction, true);
    }

    @Override
    public Publisher<Void> rollbackTransaction() {
        return ending(Connection::rollbackTransaction, false);
    }

    private Mono<Void> ending(Function<Connection, Publisher<Void>> command, boolean commits) {
        End end = commits ? End.COMPLETED : End.ROLLED_BACK;
        return onOpenTransaction(lease -> {
            HeldBegin begin = notYetBegun(lease);
            if (begin == null) {
                return ending(lease, command, end);
            }
            if (begin.drop()) {
                endTransaction(end, null);
                return Mono.empty();
            }
            // without the answer the driver would take it that there is nothing to end
            return begin.answered()
                    .thenReturn(true)
                    .onErrorResume(error -> {
                        neverBegun(error);
                        return commits ? Mono.error(error) : Mono.just(false);
                    })
                    .flatMap(begun -> begun ? ending(lease, command, end) : Mono.empty());
        });
    }

    private Mono<Void> ending(Lease lease, Function<Connection, Publisher<Void>> command, End end) {
        return command(lease, command.apply(lease.connection()))
                .doOnSuccess(ignored -> {
                    endTransaction(end, null);
                    lease.transactionEnded();
                })
                .doOnError(error -> {
                    FollowedUse use = followedAround();
                    if (use != null) {
                        use.failed(error);
                    }
                    if (lease.connection().isAutoCommit() && !engine.connectionLost(error)) {
                        endTransaction(End.FAILED, error);
                    }
                });
    }

    /** The begin of the transaction that runs on the lease, as long as the driver does not know of it. */
    private static @Nullable HeldBegin notYetBegun(Lease lease) {
        HeldBegin begin = lease.heldBegin();
        return begin == null || begin.knownToDriver() ? null : begin;
    }

    /** What was sent behind a begin that failed may have run all the same: its end is known with the connection's. */
    private void neverBegun(Throwable error) {
        Transaction failed = transaction;
        transaction = null;
        if (failed != null) {
            failed.served.over();
            failed.lease.markUncertain();
            failed.lease.hold(null);
            over(failed, End.FAILED, error);
        }
    }

    private static void over(Transaction transaction, End end, @Nullable Throwable error) {
        if (transaction.use != null) {
            transaction.use.ended(end, error);
        }
    }

    private void endTransaction(End end, @Nullable Throwable error) {
        Transaction ended = transaction;
        transaction = null;
        if (ended != null) {
            ended.served.over();
            ended.lease.hold(null);
            ended.writes.forEach(ended.lease::ended);
            over(ended, end, error);
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

    /** A command for which the driver looks at the state that it knows goes behind a begin's answer, not its sending. */
    private static Mono<Void> command(Lease lease, Publisher<Void> command) {
        HeldBegin begin = notYetBegun(lease);
        Publisher<Void> sent = begin == null ? command : begin.begun().then(Mono.fromDirect(command));
        return Mono.fromDirect(new InUse<Void>(lease, sent, () -> {}, Ending.UNWATCHED, false))
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

    /** Counts what is about to be sent as something that the session it is asked for, if there is one, does. */
    @Nullable
    Tracked track(Lease lease, Ask ask, StatementText.Kind kind) {
        SessionState session = ask.session();
        if (session == null) {
            return null;
        }
        if (lease.server().role() != ServerRole.PRIMARY) {
            return lender.monotonic() ? new Tracked.OnReplica(lease, lease.readingOnReplica(session)) : null;
        }
        Transaction open = transaction;
        if (open == null) {
            if (ask.intent() == Intent.WRITE) {
                return new Tracked.OnPrimary(lease, lease.writing(session, false));
            }
            boolean mayWrite = kind != StatementText.Kind.READ;
            return lender.monotonic() ? new Tracked.OnPrimary(lease, lease.readingOnPrimary(session, mayWrite)) : null;
        }
        if (open.readOnly && kind != StatementText.Kind.WRITE) {
            return lender.monotonic()
                    ? new Tracked.InReadOnlyTransaction(lease, lease.readingOnPrimary(session, false))
                    : null;
        }
        open.writtenBy(session);
        return null;
    }

    @Override
    public boolean isAutoCommit() {
        Transaction open = transaction;
        Lease held = open != null ? open.lease : primary.held();
        return held == null || (notYetBegun(held) == null && held.connection().isAutoCommit());
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
        if (open == null) {
            return settings.isolation();
        }
        HeldBegin begin = notYetBegun(open.lease);
        if (begin == null) {
            return open.lease.connection().getTransactionIsolationLevel();
        }
        IsolationLevel asked = begin.isolation();
        return asked == null ? settings.isolation() : asked;
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
                        if (held == null) {
                            return Mono.<Void>empty();
                        }
                        return notYetBegun(held) == null ? setting.apply(held) : command(held, setting.apply(held));
                    })
                    .then();
        });
    }

    @Override
    public Publisher<Boolean> validate(ValidationDepth depth) {
        Required.argument(depth, "depth");
        return Mono.deferContextual(context -> {
            if (closed) {
                return Mono.just(false);
            }
            if (depth == ValidationDepth.LOCAL) {
                return Mono.just(true);
            }
            return leaseForStatement(Ask.ofStatement(context, StatementText.Kind.UNKNOWN))
                    .flatMap(served -> Mono.<Boolean>fromDirect(new InUse<>(
                                    served.lease,
                                    served.lease.connection().validate(ValidationDepth.REMOTE),
                                    () -> {},
                                    Ending.UNWATCHED,
                                    false))
                            .doOnCancel(served.lease()::markUncertain)
                            .doOnTerminate(served::over))
                    .onErrorReturn(false);
        });
    }

    @Override
    public Mono<Void> close() {
        return Mono.defer(() -> {
            closed = true;
            if (followed != null) {
                followed.close();
            }
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
