package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.spi.ConnectionObserver.End;
import io.github.r2dbcrouting.spi.ConnectionObserver.Scope;
import io.github.r2dbcrouting.spi.Engine;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.TransactionDefinition;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;
import reactor.core.publisher.SignalType;

/**
 * Is a transaction open on a routed connection, where does it run, and how does it begin and end?
 *
 * <p>One that a statement's text began is none of these: only the driver knows of it. Thread-safe as far as the driver's
 * connections are.
 */
final class Transactions {

    private final HeldConnections held;
    private final ConnectionSettings settings;
    private final Engine engine;
    private final boolean lazyBegin;
    private final @Nullable FollowedUses followed;
    private volatile @Nullable OpenTransaction open;

    /**
     * Begins with none.
     *
     * @param held where they run
     * @param settings tell the isolation level where a definition does not
     * @param engine tells errors apart
     * @param lazyBegin whether a begin is held back until something is sent in its transaction
     * @param followed follows each; {@code null} if nobody does
     */
    Transactions(
            HeldConnections held,
            ConnectionSettings settings,
            Engine engine,
            boolean lazyBegin,
            @Nullable FollowedUses followed) {
        this.held = held;
        this.settings = settings;
        this.engine = engine;
        this.lazyBegin = lazyBegin;
        this.followed = followed;
    }

    /** The one that is open, if one is. */
    @Nullable
    OpenTransaction open() {
        return open;
    }

    /** Where one is open, also one that a statement's text began; {@code null} if none is. */
    @Nullable
    Lease lease() {
        OpenTransaction now = open;
        if (now != null) {
            return now.lease();
        }
        Lease primary = held.primary();
        return primary == null || primary.connection().isAutoCommit() ? null : primary;
    }

    /** Begins one, as asked by the subscriber's Context and by the definition, if there is one. */
    Mono<Void> begin(@Nullable TransactionDefinition definition) {
        return Mono.deferContextual(context -> {
            if (held.closed()) {
                return Mono.error(HeldConnections.closedError());
            }
            OpenTransaction before = open;
            if (before != null) {
                // as with the driver a second begin does nothing, which the driver says only once it knows of the first
                return notYetBegun(before.lease()) == null
                        ? command(before.lease(), begin(before.lease().connection(), definition))
                        : Mono.empty();
            }
            boolean nothingHeld = held.none();
            FollowedUse use = followed == null ? null : followed.begins(Scope.TRANSACTION, context);
            Ask ask = Ask.ofTransaction(context, readOnly(definition));
            Mono<Void> beginning = held.serve(ask).flatMap(served -> {
                Lease lease = served.lease();
                OpenTransaction begun = new OpenTransaction(served, declaredReadOnly(definition), use);
                SessionState session = ask.session();
                Runnable writes = () -> {
                    if (session != null && !begun.readOnly()) {
                        begun.writtenBy(session);
                    }
                };
                // in one that was begun by a statement's text there is nothing to begin
                if (lazyBegin
                        && HeldBegin.mayHold(definition)
                        && lease.connection().isAutoCommit()) {
                    Publisher<Void> heldBack = begin(lease.connection(), definition);
                    lease.hold(new HeldBegin(heldBack, HeldBegin.isolation(definition), writes));
                    open = begun;
                    return Mono.empty();
                }
                writes.run();
                open = begun;
                return command(lease, begin(lease.connection(), definition))
                        .doOnError(error -> ended(End.FAILED, error));
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
                    open = null;
                    held.vacate();
                }
                if (use != null) {
                    use.ended(End.CANCELLED);
                }
            }
        });
    }

    /** What was cancelled while it waited for a connection can complete without one, before it is seen to be cancelled. */
    private void endsUnlessBegun(FollowedUse use) {
        OpenTransaction begun = open;
        if (begun == null || begun.use() != use) {
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

    Mono<Void> commit() {
        return ending(Connection::commitTransaction, End.COMPLETED);
    }

    Mono<Void> rollback() {
        return ending(Connection::rollbackTransaction, End.ROLLED_BACK);
    }

    private Mono<Void> ending(Function<Connection, Publisher<Void>> command, End end) {
        return onOpen(lease -> {
            HeldBegin begin = notYetBegun(lease);
            if (begin == null) {
                return ending(lease, command, end);
            }
            if (begin.drop()) {
                ended(end, null);
                return Mono.empty();
            }
            // without the answer the driver would take it that there is nothing to end
            return begin.answered()
                    .thenReturn(true)
                    .onErrorResume(error -> {
                        neverBegun(error);
                        return end == End.COMPLETED ? Mono.error(error) : Mono.just(false);
                    })
                    .flatMap(begun -> begun ? ending(lease, command, end) : Mono.empty());
        });
    }

    private Mono<Void> ending(Lease lease, Function<Connection, Publisher<Void>> command, End end) {
        return command(lease, command.apply(lease.connection()))
                .doOnSuccess(ignored -> {
                    ended(end, null);
                    lease.transactionEnded();
                })
                .doOnError(error -> {
                    OpenTransaction failed = open;
                    if (failed != null && failed.use() != null) {
                        failed.use().failed(error);
                    }
                    if (lease.connection().isAutoCommit() && !engine.connectionLost(error)) {
                        ended(End.FAILED, error);
                    }
                });
    }

    private void neverBegun(Throwable error) {
        OpenTransaction failed = open;
        open = null;
        if (failed != null) {
            failed.neverBegun(error);
        }
    }

    private void ended(End end, @Nullable Throwable error) {
        OpenTransaction over = open;
        open = null;
        if (over != null) {
            over.ended(end, error);
        }
    }

    /** Sends a command in the transaction. Without one it does nothing, as with the driver. */
    Mono<Void> command(Function<Connection, Publisher<Void>> command) {
        return onOpen(lease -> command(lease, command.apply(lease.connection())));
    }

    private Mono<Void> onOpen(Function<Lease, Mono<Void>> command) {
        return Mono.defer(() -> {
            Lease lease = leaseOrPrimary();
            return lease == null ? Mono.empty() : command.apply(lease);
        });
    }

    /** Where the one that is open runs, else the primary's connection, on which a text may have begun one. */
    private @Nullable Lease leaseOrPrimary() {
        OpenTransaction now = open;
        return now != null ? now.lease() : held.primary();
    }

    /** A command for which the driver looks at the state that it knows goes behind a begin's answer, not its sending. */
    private static Mono<Void> command(Lease lease, Publisher<Void> command) {
        HeldBegin begin = notYetBegun(lease);
        Publisher<Void> sent = begin == null ? command : begin.begun().then(Mono.fromDirect(command));
        return Mono.fromDirect(new InUse<Void>(lease, sent, () -> {}, Ending.UNWATCHED, false))
                .doOnCancel(lease::markUncertain)
                .doOnError(error -> lease.markUncertain());
    }

    /** Makes a setting on a connection, behind the begin that it may still be waiting for. */
    static Mono<Void> setting(Lease lease, ConnectionSettings.Setting setting) {
        return notYetBegun(lease) == null ? setting.apply(lease) : command(lease, setting.apply(lease));
    }

    /** The begin of the transaction that runs on the lease, as long as the driver does not know of it. */
    private static @Nullable HeldBegin notYetBegun(Lease lease) {
        HeldBegin begin = lease.heldBegin();
        return begin == null || begin.knownToDriver() ? null : begin;
    }

    /** Whether none is open, not even one that was begun by a statement's text. */
    boolean none() {
        Lease lease = leaseOrPrimary();
        return lease == null
                || (notYetBegun(lease) == null && lease.connection().isAutoCommit());
    }

    /** The level of the one that is open, or of the next one. */
    IsolationLevel isolation() {
        OpenTransaction now = open;
        if (now == null) {
            return settings.isolation();
        }
        HeldBegin begin = notYetBegun(now.lease());
        if (begin == null) {
            return now.lease().connection().getTransactionIsolationLevel();
        }
        IsolationLevel asked = begin.isolation();
        return asked == null ? settings.isolation() : asked;
    }
}
