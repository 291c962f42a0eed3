package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.spi.ConnectionObserver;
import io.github.r2dbcrouting.spi.ConnectionObserver.Scope;
import io.github.r2dbcrouting.spi.Engine;
import io.github.r2dbcrouting.spi.StatementText;
import io.r2dbc.spi.Batch;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionMetadata;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.Statement;
import io.r2dbc.spi.TransactionDefinition;
import io.r2dbc.spi.ValidationDepth;
import java.time.Duration;
import java.util.BitSet;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
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
    private final ConnectionSettings settings = new ConnectionSettings();
    private final HeldConnections held;
    private final Transactions transactions;
    private final @Nullable FollowedUses followed;

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
        this.followed = observer == null ? null : new FollowedUses(observer);
        this.held = new HeldConnections(lender, settings);
        this.transactions = new Transactions(held, settings, engine, lazyBegin, followed);
    }

    /** Finds the connection on which a statement runs. */
    Mono<Served> leaseForStatement(Ask ask) {
        return Mono.defer(() -> {
            if (held.closed()) {
                return Mono.error(HeldConnections.closedError());
            }
            Lease begun = transactions.lease();
            return begun == null ? held.serve(ask) : Mono.just(new Served(begun, null));
        });
    }

    /** Returns who follows the open transaction; {@code null} if there is none, or nobody follows it. */
    @Nullable
    FollowedUse followedAround() {
        OpenTransaction open = transactions.open();
        return open == null ? null : open.use();
    }

    /** Returns who follows a statement that is routed by itself; {@code null} if it is not, or if nobody does. */
    @Nullable
    FollowedUse followed(ContextView context) {
        return followed == null || held.closed() || transactions.lease() != null
                ? null
                : followed.begins(Scope.STATEMENT, context);
    }

    Engine engine() {
        return engine;
    }

    Lender lender() {
        return lender;
    }

    /** From here on everything runs on the primary, and on one connection to it. */
    void pin() {
        held.pin();
    }

    /** Whether what nobody needs the primary for may run elsewhere. */
    boolean allowsReplica() {
        return held.allowReplica();
    }

    /** Whether what is sent on the lease is a transaction of its own. */
    boolean outsideTransaction(Lease lease) {
        return transactions.open() == null && lease.connection().isAutoCommit();
    }

    /** Lets a lease go on which a read failed, for one of another server. */
    void leave(Lease lease) {
        held.leave(lease);
    }

    /** Finds a connection for a read that failed on the servers that it has tried. */
    Mono<Served> leaseElsewhere(Ask ask, BitSet tried) {
        return Mono.defer(() -> held.serve(ask, (BitSet) tried.clone()));
    }

    /** Finds the connection for something that was taken to be a read. */
    Mono<Served> leaseForWrite(Ask ask) {
        return held.serve(ask, new BitSet());
    }

    @Override
    public Publisher<Void> beginTransaction() {
        return transactions.begin(null);
    }

    @Override
    public Publisher<Void> beginTransaction(TransactionDefinition definition) {
        return transactions.begin(Objects.requireNonNull(definition, "definition"));
    }

    @Override
    public Publisher<Void> commitTransaction() {
        return transactions.commit();
    }

    @Override
    public Publisher<Void> rollbackTransaction() {
        return transactions.rollback();
    }

    @Override
    public Publisher<Void> createSavepoint(String name) {
        Required.argument(name, "name");
        Mono<Void> begun = Mono.defer(() -> transactions.open() == null ? transactions.begin(null) : Mono.empty());
        return begun.then(transactions.command(connection -> connection.createSavepoint(name)));
    }

    @Override
    public Publisher<Void> releaseSavepoint(String name) {
        Required.argument(name, "name");
        return transactions.command(connection -> connection.releaseSavepoint(name));
    }

    @Override
    public Publisher<Void> rollbackTransactionToSavepoint(String name) {
        Required.argument(name, "name");
        return transactions.command(connection -> connection.rollbackTransactionToSavepoint(name));
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
        OpenTransaction open = transactions.open();
        if (open == null) {
            if (ask.intent() == Intent.WRITE) {
                return new Tracked.OnPrimary(lease, lease.writing(session, false));
            }
            boolean mayWrite = kind != StatementText.Kind.READ;
            return lender.monotonic() ? new Tracked.OnPrimary(lease, lease.readingOnPrimary(session, mayWrite)) : null;
        }
        if (open.readOnly() && kind != StatementText.Kind.WRITE) {
            return lender.monotonic()
                    ? new Tracked.InReadOnlyTransaction(lease, lease.readingOnPrimary(session, false))
                    : null;
        }
        open.writtenBy(session);
        return null;
    }

    @Override
    public boolean isAutoCommit() {
        return transactions.none();
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
        Lease lease = held.primary() != null ? held.primary() : held.replica();
        return lease == null ? metadata : lease.connection().getMetadata();
    }

    @Override
    public IsolationLevel getTransactionIsolationLevel() {
        return transactions.isolation();
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
            if (held.closed()) {
                return Mono.error(HeldConnections.closedError());
            }
            settings.add(setting);
            return held.onEach(lease -> Transactions.setting(lease, setting));
        });
    }

    @Override
    public Publisher<Boolean> validate(ValidationDepth depth) {
        Required.argument(depth, "depth");
        return Mono.deferContextual(context -> {
            if (held.closed()) {
                return Mono.just(false);
            }
            if (depth == ValidationDepth.LOCAL) {
                return Mono.just(true);
            }
            return leaseForStatement(
                            // whoever validates, as pools do, does not pass on to the session what it would be told
                            Ask.ofStatement(context, StatementText.Kind.UNKNOWN).withoutSession())
                    .flatMap(served -> Mono.<Boolean>fromDirect(new InUse<>(
                                    served.lease(),
                                    served.lease().connection().validate(ValidationDepth.REMOTE),
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
            Mono<Void> givenBack = held.close();
            if (followed != null) {
                followed.close();
            }
            return givenBack;
        });
    }

    private void assertOpen() {
        if (held.closed()) {
            throw new IllegalStateException("the connection is closed");
        }
    }

    @Override
    public String toString() {
        Lease onPrimary = held.primary();
        Lease onReplica = held.replica();
        return "RoutedConnection[primary="
                + (onPrimary == null ? "none" : onPrimary.server().name()) + ", replica="
                + (onReplica == null ? "none" : onReplica.server().name()) + "]";
    }
}
