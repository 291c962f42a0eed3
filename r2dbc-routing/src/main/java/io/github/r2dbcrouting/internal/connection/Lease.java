package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.internal.monitor.EndedWrite;
import io.github.r2dbcrouting.internal.reactive.Detached;
import io.github.r2dbcrouting.internal.routing.Permit;
import io.github.r2dbcrouting.internal.session.OpenRead;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.spi.Engine;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.Result;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/**
 * One connection of one server, from when it is lent until it is given back.
 *
 * <p>It is given back exactly once, whoever asks for that and however often, and only when it has finished what was sent
 * on it: a connection whose last command was cancelled may still be beginning a transaction. What it was found to be
 * writing then is handed in. Thread-safe.
 */
final class Lease {

    private static final Logger LOG = LoggerFactory.getLogger(Lease.class);

    /** A connection that has not finished by then is closed instead of lent again. */
    private static final Duration DRAIN_LIMIT = Duration.ofSeconds(5);

    /** The drain, and what takes the borrower's settings back. */
    private static final Duration GIVE_BACK_LIMIT = DRAIN_LIMIT.multipliedBy(2);

    private static final int NOT_IN_USE = -1;

    private static final int LAST_USE = NOT_IN_USE - 1;

    private final ServerPool pool;
    private final PoolGeneration generation;
    private final ServerState server;
    private final Connection pooled;
    private final PhysicalConnection physical;
    private final long lentAt;
    private final Queue<PendingWrite> writes = new ConcurrentLinkedQueue<>();
    private final Queue<OpenRead> reads = new ConcurrentLinkedQueue<>();
    private final Queue<RoutedResult> unconsumed = new ConcurrentLinkedQueue<>();
    private final Queue<Permit> permits = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean released = new AtomicBoolean();
    private final AtomicInteger uses = new AtomicInteger();
    private final Sinks.Empty<Void> returned = Sinks.empty();
    private volatile boolean uncertain;
    private volatile boolean over;
    private volatile boolean timeoutsChanged;
    private volatile boolean stateLeft;
    private volatile @Nullable IsolationLevel isolationBefore;
    private volatile @Nullable HeldBegin heldBegin;

    Lease(
            ServerPool pool,
            PoolGeneration generation,
            ServerState server,
            Connection pooled,
            PhysicalConnection physical) {
        this.pool = pool;
        this.generation = generation;
        this.server = server;
        this.pooled = pooled;
        this.physical = physical;
        this.lentAt = pool.monitor().now();
        pool.lent().incrementAndGet();
        generation.lent(this);
    }

    ServerState server() {
        return server;
    }

    PhysicalConnection physical() {
        return physical;
    }

    Connection connection() {
        return physical.driver();
    }

    /** Something that was sent was given up on: the connection has to be drained before it is lent again. */
    void markUncertain() {
        uncertain = true;
    }

    void markTimeoutsChanged() {
        timeoutsChanged = true;
    }

    /** Something stays behind in the connection, so that nobody else may borrow it. */
    void markStateLeft() {
        stateLeft = true;
    }

    void rememberIsolation() {
        if (isolationBefore == null) {
            isolationBefore = connection().getTransactionIsolationLevel();
        }
    }

    /** From here on a transaction is open of which the server may not have heard; {@code null} once it is over. */
    void hold(@Nullable HeldBegin begin) {
        heldBegin = begin;
    }

    @Nullable
    HeldBegin heldBegin() {
        return heldBegin;
    }

    /** Begins a write, which is kept until its end is known, at the latest until the connection is given back. */
    PendingWrite writing(SessionState session, boolean transaction) {
        PendingWrite write = session.begin(
                physical.introduction().identity().cluster(),
                transaction,
                pool.monitor()::positionAwaited,
                server.position());
        return sent(write);
    }

    /** Begins a read on the primary: what it sees may be in no replica yet. */
    PendingWrite readingOnPrimary(SessionState session, boolean mayWrite) {
        PendingWrite read = session.beginRead(
                physical.introduction().identity().cluster(),
                mayWrite,
                pool.monitor()::positionAwaited,
                pool.monitor(),
                server.position());
        return sent(read);
    }

    /** Whoever lost the connection before it could send anything does not come back to say so. */
    private PendingWrite sent(PendingWrite write) {
        write.sentTo(physical.introduction().identity(), pool.monitor().now());
        writes.add(write);
        if (over) {
            handInAll();
        }
        return write;
    }

    /**
     * Begins a read on a replica: the session stays with the life of the server that this connection belongs to. As of when
     * it was lent, and not only now: in a transaction nobody looks again whether the replica is on the line of history that
     * is followed, so what is read there after a takeover is as good as what was read before.
     */
    OpenRead readingOnReplica(SessionState session) {
        OpenRead read = session.beginRead(
                pool.monitor(), physical.introduction().identity(), physical.openedAt(), lentAt, server.position());
        reads.add(read);
        if (over) {
            ended(read, false);
        }
        return read;
    }

    /** Reads past what nobody will read, so that the connection can go on. */
    static void discard(Result result) {
        Detached.run(result.getRowsUpdated(), error -> LOG.debug("a result that nobody read failed", error));
    }

    /** A result was emitted of a statement that is sent already: the connection is blocked until it is consumed. */
    void unconsumed(RoutedResult result) {
        unconsumed.add(result);
    }

    /** Returns whether the result was still to be consumed. */
    boolean consumed(RoutedResult result) {
        return unconsumed.remove(result);
    }

    /**
     * Takes over a place in the budget for a read that is sent on this connection: it is free again when the read is
     * over, at the latest when the connection is given back, and so has finished it.
     *
     * @return whether it is held: not if whoever wanted to read has gone
     */
    boolean adopt(Permit permit) {
        if (!permit.adopt()) {
            return false;
        }
        permits.add(permit);
        if (over) {
            releasePermits();
        }
        return true;
    }

    /** The read that the permit was for is over. */
    void released(Permit permit) {
        permits.remove(permit);
        permit.release();
    }

    private void releasePermits() {
        permits.forEach(this::released);
    }

    /** The server has answered for the write, with success or with an error of its own. */
    void ended(PendingWrite write) {
        if (writes.remove(write)) {
            handIn(write);
        }
    }

    /**
     * The server has answered for a statement, which may be part of a transaction that was begun by another statement's
     * text: then it ends with that.
     */
    void endedUnlessInTransaction(PendingWrite write) {
        if (connection().isAutoCommit()) {
            ended(write);
            transactionEnded();
            return;
        }
        // perhaps the answer was only read up to the result, and the word that it ended the transaction follows
        Detached.run(
                drain().doOnSuccess(ignored -> {
                    if (connection().isAutoCommit()) {
                        ended(write);
                        transactionEnded();
                    } else {
                        write.continuesInTransaction();
                    }
                }),
                error -> LOG.debug("a connection of {} could not be drained", server.name(), error));
    }

    /** No transaction is open: what was written in one that was begun by a statement's text has ended with it. */
    void transactionEnded() {
        for (PendingWrite write : writes) {
            if (write.continuing()) {
                ended(write);
            }
        }
    }

    /** A read on this replica is over. */
    void ended(OpenRead read, boolean answered) {
        if (reads.remove(read)) {
            if (answered) {
                read.ended(pool.monitor().now());
            } else {
                read.brokenOff(pool.monitor().now());
            }
        }
    }

    /** Nobody listens any longer to what becomes of the write: it ends when the connection has finished it. */
    void abandoned(PendingWrite write) {
        uncertain = true;
        Detached.run(
                drain().doOnSuccess(ignored -> ended(write)),
                error -> LOG.debug("a connection of {} could not be drained", server.name(), error));
    }

    private void handIn(PendingWrite write) {
        boolean durable = !write.isRead() && physical.durableCommits(monitorConfiguration());
        write.end(durable);
        pool.monitor().ended(endedNow(write, durable));
    }

    private EndedWrite endedNow(PendingWrite write, boolean durable) {
        return new EndedWrite(
                write,
                server.index(),
                server.position(),
                durable,
                write.sentAt(),
                pool.monitor().now());
    }

    private Mono<Void> drain() {
        return Mono.defer(() -> engine().drain(connection())).timeout(DRAIN_LIMIT);
    }

    /** Whether something that was sent on it is not over, or not read. */
    boolean inUse() {
        return uses.get() != 0 || !unconsumed.isEmpty();
    }

    /** Begins a use, unless the connection is being given back; each one that is begun must {@link #exit}. */
    boolean enter() {
        return count(now -> now < 0 ? now : now + 1) >= 0;
    }

    /** Ends a use. The last one after the release was asked for gives the connection back. */
    void exit() {
        int before = count(now -> now < 0 ? now + 1 : now - 1);
        if (before == LAST_USE) {
            startGivingBack();
        }
    }

    /** Written out, since a tool that explores races takes an update of the JDK's own, and what led to it, for one step. */
    private int count(IntUnaryOperator change) {
        while (true) {
            int before = uses.get();
            if (uses.compareAndSet(before, change.applyAsInt(before))) {
                return before;
            }
        }
    }

    /**
     * Gives the connection back, once nothing uses it. The first call starts it, and nothing stops it then: cancelling
     * only stops waiting.
     *
     * @return completes when it is back in the pool, or closed if it could not be made ready for another borrower
     */
    Mono<Void> release() {
        return Mono.defer(() -> {
            if (released.compareAndSet(false, true)) {
                // from here on the number of uses is counted down to this mark, and none can begin
                int inUse = count(now -> NOT_IN_USE - now);
                if (inUse == 0) {
                    startGivingBack();
                } else {
                    LOG.trace("a connection of {} is given back once {} uses are over", server.name(), inUse);
                }
            }
            return returned.asMono();
        });
    }

    private void startGivingBack() {
        Detached.run(
                giveBack(),
                error -> LOG.debug("a connection of {} was not given back as it should", server.name(), error));
    }

    /** Gives the connection back at a moment at which nobody is left to wait for it. */
    void releaseDetached() {
        uncertain = true;
        Detached.run(release(), error -> LOG.debug("a connection of {} was not given back", server.name(), error));
    }

    /**
     * Closes the connection instead of lending it again, and frees its place in the pool. Nothing stops it once it has
     * started, as with {@link #release()}.
     */
    Mono<Void> discard() {
        return Mono.defer(() -> {
            Mono<Void> closed = Mono.from(physical.close()).onErrorComplete();
            Detached.run(
                    closed.then(release()),
                    error -> LOG.debug("a connection of {} was not given back", server.name(), error));
            return returned.asMono();
        });
    }

    /**
     * Closes the connection while its borrower has it, who finds it lost: nothing more is sent, or heard, on it. It
     * still has to be given back.
     */
    void sever() {
        uncertain = true;
        Detached.run(physical.close(), error -> LOG.debug("a connection of {} was not closed", server.name(), error));
    }

    private Mono<Void> giveBack() {
        boolean blocked = !unconsumed.isEmpty();
        unconsumed.forEach(RoutedResult::discard);
        HeldBegin begin = heldBegin;
        boolean beginning = begin != null && begin.unsettled();
        boolean busy = blocked || uncertain || beginning || !writes.isEmpty();
        return closed(busy).doFinally(signal -> {
            pool.lent().decrementAndGet();
            generation.givenBack(this);
            over = true;
            // whoever adds to these looks afterwards whether it is over
            handInAll();
            reads.forEach(read -> ended(read, false));
            releasePermits();
            returned.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);
        });
    }

    /** Mostly there is nothing to do before, and a limit would cost more than all of the rest. */
    private Mono<Void> closed(boolean busy) {
        return busy || !asItWasLent()
                ? prepared(busy).then(Mono.defer(() -> Mono.from(pooled.close())))
                : Mono.defer(() -> {
                    handInAll();
                    return Mono.from(pooled.close());
                });
    }

    /** Makes the connection fit for another borrower, or closes it. */
    private Mono<Void> prepared(boolean busy) {
        return (busy ? drain() : Mono.<Void>empty())
                .then(Mono.defer(() -> stateLeft ? Mono.from(physical.close()) : restore()))
                .timeout(GIVE_BACK_LIMIT)
                .then(Mono.<Void>fromRunnable(this::handInAll))
                .onErrorResume(error -> {
                    LOG.debug("a connection of {} is closed instead of lent again", server.name(), error);
                    return Mono.from(physical.close()).onErrorComplete().then(Mono.fromRunnable(this::orphanAll));
                });
    }

    /** Whether {@link #restore} has nothing to do. */
    private boolean asItWasLent() {
        return !stateLeft
                && !timeoutsChanged
                && isolationBefore == null
                && connection().isAutoCommit();
    }

    private Mono<Void> restore() {
        Connection connection = connection();
        Mono<Void> restored = connection.isAutoCommit() ? Mono.empty() : Mono.from(connection.rollbackTransaction());
        IsolationLevel isolation = isolationBefore;
        if (isolation != null) {
            restored = restored.then(Mono.defer(() -> Mono.from(connection.setTransactionIsolationLevel(isolation))));
        }
        return timeoutsChanged ? restored.then(engine().resetTimeouts(connection)) : restored;
    }

    private void handInAll() {
        for (PendingWrite write = writes.poll(); write != null; write = writes.poll()) {
            handIn(write);
        }
    }

    /** The connection is lost, and with it the word on what became of its writes: the server has to be asked. */
    private void orphanAll() {
        for (PendingWrite write = writes.poll(); write != null; write = writes.poll()) {
            write.outOfSight();
            pool.monitor()
                    .orphaned(endedNow(write, false), physical.introduction().backend());
        }
    }

    Engine engine() {
        return pool.engine();
    }

    long monitorConfiguration() {
        return pool.monitor().configuration();
    }
}
