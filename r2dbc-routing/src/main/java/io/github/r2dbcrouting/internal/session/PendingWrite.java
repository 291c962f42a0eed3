package io.github.r2dbcrouting.internal.session;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Unresolved;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;

/**
 * One statement or transaction of a session on the primary whose position is not yet known.
 *
 * <p>It is pending from before it is sent until a position at or behind its commit is known. A read on the primary is
 * one as well: it may call a function that writes, or see a commit that no replica has. Thread-safe; settling it twice
 * has no further effect.
 */
public final class PendingWrite implements Unplaced {

    private static final Sinks.Empty<Void> SETTLED = Sinks.empty();

    static {
        SETTLED.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);
    }

    private final SessionState session;
    private final String cluster;
    private final Runnable onAwaited;
    private final @Nullable Floors readFloors;
    private final boolean mayHaveWritten;
    private final @Nullable Position basis;
    /** Made by the first who waits: most writes have their position before anybody asks. */
    private final AtomicReference<Sinks.@Nullable Empty<Void>> waiting = new AtomicReference<>();

    /** Whether it is a transaction or a read that has not ended. */
    private volatile boolean open;

    private volatile boolean continuing;

    /** Whether nothing of it goes on at the server any longer. */
    private volatile boolean over;

    /** Whether nothing more will be heard of it. */
    private volatile boolean outOfSight;

    private long sentAt;
    /** Set after the time, for whoever finds it there. */
    private volatile @Nullable ServerIdentity server;

    /** When it was sent, in seconds since 1970, if a crash of the primary may lose it: see {@link Unresolved#exposedAt}. */
    private volatile long exposedAt;

    PendingWrite(
            SessionState session,
            String cluster,
            boolean open,
            Runnable onAwaited,
            @Nullable Floors readFloors,
            boolean mayHaveWritten,
            @Nullable Position basis,
            long exposedAt) {
        this.session = session;
        this.cluster = cluster;
        this.open = open;
        this.onAwaited = onAwaited;
        this.readFloors = readFloors;
        this.mayHaveWritten = mayHaveWritten;
        this.basis = basis;
        this.exposedAt = exposedAt;
    }

    /**
     * Says where it is about to be sent. To be called before it is, by whoever began it.
     *
     * @param to the server that its connection leads to
     * @param now the time
     */
    public void sentTo(ServerIdentity to, long now) {
        sentAt = now;
        server = to;
    }

    /**
     * Tells whether it has ended, or cannot be heard of any more, and need not be there for whoever reads on a connection:
     * in another life of the server, or on another server, it may be lost. A connection that was open before it was sent is
     * one of the same life.
     */
    boolean mayBeMissingOn(String in, ServerIdentity to, long openedAt, long branch) {
        if (!outOfSight || !cluster.equals(in)) {
            return false;
        }
        ServerIdentity on = server;
        if (on == null) {
            // what came unresolved was done elsewhere, of which nothing is known but the branch and when that was
            return (basis != null && basis.branch() != branch)
                    || (exposedAt != Unresolved.SAFE && openedAt - sentAt >= 0);
        }
        // what may still go on at the same server nobody was told of yet
        return !on.equals(to) || (over && openedAt - sentAt >= 0);
    }

    /** Whether it has ended, or cannot be heard of any more, on a branch that was left for this one. */
    boolean endedBefore(String in, long branch) {
        return outOfSight && cluster.equals(in) && basis != null && basis.branch() < branch;
    }

    /**
     * As {@link #end()}.
     *
     * @param durable whether it is safe on the server's disk
     */
    public void end(boolean durable) {
        if (durable) {
            exposedAt = Unresolved.SAFE;
        }
        end();
    }

    /** It came unresolved: when it can have been sent at the earliest, by this process's clock. */
    void doneElsewhere(long at) {
        sentAt = at;
        end();
    }

    /**
     * Returns since when a primary must have been up, so that it has lost nothing of it.
     *
     * @return when it was sent, by the monitor's clock; of what came unresolved the earliest time at which it can have been
     */
    public long sentAt() {
        return sentAt;
    }

    /** Its outcome is decided, known or not: from here on only its position is awaited. */
    public void end() {
        over = true;
        outOfSight();
    }

    /** Nothing more will be heard of it, though it may still go on at the server. */
    public void outOfSight() {
        open = false;
        outOfSight = true;
        if (!isRead()) {
            session.wrote();
        }
    }

    /** Its statement has ended, and turned out to be part of a transaction that is still open. */
    public void continuesInTransaction() {
        open = true;
        continuing = true;
    }

    /**
     * Tells whether it ends only with a transaction that its statement did not begin.
     *
     * @return whether {@link #continuesInTransaction()} was called
     */
    public boolean continuing() {
        return continuing;
    }

    /**
     * Tells whether it was a read, which may have seen commits of others that are not on the disk yet.
     *
     * @return whether it began as a read
     */
    public boolean isRead() {
        return readFloors != null;
    }

    @Override
    public void settle(CausalToken token, long sentAt) {
        if (!session.settle(this, token, sentAt)) {
            return;
        }
        Sinks.Empty<Void> waiters = waiting.getAndSet(SETTLED);
        if (waiters != null) {
            // not within the monitor's task, which nobody else may hold up
            Schedulers.parallel().schedule(() -> waiters.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST));
        }
    }

    @Override
    public void lost() {
        session.lost();
    }

    @Override
    public boolean mayHaveWritten() {
        return mayHaveWritten;
    }

    /**
     * Returns on whose behalf it is.
     *
     * @return the session
     */
    public SessionState session() {
        return session;
    }

    /**
     * Returns where the primary was before it was sent.
     *
     * @return a position of its server; {@code null} if none is known
     */
    public @Nullable Position basis() {
        return basis;
    }

    /** What it is in a token that is made before its position is known. */
    Unresolved unresolved(long now) {
        long until = over || (isRead() && !mayHaveWritten) ? Unresolved.ENDED : now + Unresolved.LASTS;
        return new Unresolved(cluster, basis, until, exposedAt);
    }

    String cluster() {
        return cluster;
    }

    boolean openTransaction() {
        return open && readFloors == null;
    }

    /** Waits until everything of it that was seen or written by now has a position. */
    Mono<Void> placed() {
        return readFloors != null && open
                ? SightedFloor.onPrimary(session, readFloors, server == null ? readFloors.now() : sentAt)
                        .find()
                : settled();
    }

    /** Waits until it is settled, and says that somebody does. */
    Mono<Void> settled() {
        return Mono.defer(() -> {
            Sinks.Empty<Void> own = Sinks.empty();
            Sinks.Empty<Void> waiters = waiting.compareAndSet(null, own) ? own : waiting.get();
            onAwaited.run();
            return waiters == null ? own.asMono() : waiters.asMono();
        });
    }
}
