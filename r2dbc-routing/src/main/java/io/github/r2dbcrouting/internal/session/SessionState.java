package io.github.r2dbcrouting.internal.session;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.internal.clock.ElapsedTime;
import io.github.r2dbcrouting.spi.Position;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * What has a session written, and which of it is still without a position?
 *
 * <p>Thread-safe: one immutable value, replaced whole.
 */
public final class SessionState {

    /** Only reads the system's clocks. */
    private static final LongSupplier CLOCK = new ElapsedTime();

    private static final Snapshot EMPTY = new Snapshot(null, List.of());

    private final AtomicReference<Snapshot> snapshot = new AtomicReference<>(EMPTY);

    private final LongSupplier clock;
    private volatile long window = NO_WINDOW;
    private volatile long wroteAt;
    private volatile boolean hasWritten;

    private static final long NO_WINDOW = -1;

    /** Creates a session without a token and without pending writes. */
    public SessionState() {
        this(CLOCK);
    }

    SessionState(LongSupplier clock) {
        this.clock = clock;
    }

    /**
     * Reads from the primary for some time after each write.
     *
     * @param time how long, in nanoseconds
     */
    public void primaryFor(long time) {
        window = time;
    }

    /**
     * Returns whether a write was sent, or has ended, so short a time ago that reads go to the primary.
     *
     * @param otherwise how long they do, in nanoseconds, if nothing was said for this session
     * @return whether they do now
     */
    public boolean wroteLately(long otherwise) {
        long time = window == NO_WINDOW ? otherwise : window;
        return time > 0 && hasWritten && clock.getAsLong() - wroteAt < time;
    }

    /** A write of it is sent, or has ended. */
    void wrote() {
        wroteAt = clock.getAsLong();
        hasWritten = true;
    }

    /**
     * Waits for the writes that are pending when it is subscribed, and says that somebody does.
     *
     * @return completes when all of them are settled; also those of open transactions are waited for
     */
    public Mono<Void> settled() {
        return Flux.defer(() -> Flux.fromIterable(current().pending))
                .concatMap(PendingWrite::settled)
                .then();
    }

    /**
     * Counts a write as pending, from before it is sent.
     *
     * @param cluster whose history it goes into
     * @param transaction whether it is a transaction, which may stay open for long
     * @param onAwaited runs when somebody waits for its position; must be quick
     * @return the write, to be settled exactly when its position is known
     */
    public PendingWrite begin(String cluster, boolean transaction, Runnable onAwaited) {
        wrote();
        PendingWrite write = new PendingWrite(this, cluster, transaction, onAwaited);
        update(now -> new Snapshot(now.token, with(now.pending, write)));
        return write;
    }

    /**
     * Tells whether a write to the cluster, through whichever router, is without a position.
     *
     * @param cluster the cluster that is read from
     * @return whether reads must see the primary
     */
    public boolean hasPending(String cluster) {
        List<PendingWrite> pending = current().pending;
        for (int i = 0; i < pending.size(); i++) {
            if (pending.get(i).cluster().equals(cluster)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Returns what reads must not be behind, besides the pending writes.
     *
     * @return the token, or {@code null} if nothing was written or observed
     */
    public @Nullable CausalToken observed() {
        return current().token;
    }

    /**
     * Merges a token in.
     *
     * @param token what reads must not be behind from now on
     */
    public void observe(CausalToken token) {
        update(now -> new Snapshot(now.token == null ? token : now.token.merge(token), now.pending));
    }

    /**
     * Waits for the positions of the writes that are pending when it is subscribed.
     *
     * @return the token, empty if there is none, or an error while a write transaction is open
     */
    public Mono<CausalToken> token() {
        return Mono.defer(() -> {
            List<PendingWrite> pending = current().pending;
            if (pending.isEmpty()) {
                return Mono.justOrEmpty(observed());
            }
            if (pending.stream().anyMatch(PendingWrite::openTransaction)) {
                return Mono.error(new IllegalStateException("the session has an open write transaction: ask for its"
                        + " token after the commit, it cannot arrive before"));
            }
            return Flux.fromIterable(pending)
                    .concatMap(PendingWrite::settled)
                    .then(Mono.defer(() -> Mono.justOrEmpty(observed())));
        });
    }

    /** Returns whether this call settled it: of several at once, one does. */
    boolean settle(PendingWrite write, @Nullable Position position) {
        Snapshot before = update(now -> {
            if (!now.pending.contains(write)) {
                return now;
            }
            CausalToken token = now.token;
            if (position != null) {
                CausalToken added = CausalToken.of(List.of(position));
                // in this order, so that no token from elsewhere can crowd out what the session wrote itself
                token = token == null || goesBeyond(position, token) ? added : added.merge(token);
            }
            return new Snapshot(token, without(now.pending, write));
        });
        return before.pending.contains(write);
    }

    private static boolean goesBeyond(Position position, CausalToken token) {
        return token.positions().size() == 1
                && position.covers(token.positions().get(0));
    }

    @Override
    public String toString() {
        Snapshot now = current();
        return (now.token == null ? "nothing written" : now.token.encode()) + ", " + now.pending.size() + " pending";
    }

    private Snapshot current() {
        return Objects.requireNonNull(snapshot.get());
    }

    /** Returns what was there just before the change. */
    private Snapshot update(UnaryOperator<Snapshot> change) {
        return Objects.requireNonNull(snapshot.getAndUpdate(change));
    }

    private static List<PendingWrite> with(List<PendingWrite> pending, PendingWrite write) {
        if (pending.isEmpty()) {
            return List.of(write);
        }
        List<PendingWrite> longer = new ArrayList<>(pending.size() + 1);
        longer.addAll(pending);
        longer.add(write);
        return longer;
    }

    private static List<PendingWrite> without(List<PendingWrite> pending, PendingWrite write) {
        if (pending.size() == 1) {
            return List.of();
        }
        List<PendingWrite> shorter = new ArrayList<>(pending);
        shorter.remove(write);
        return shorter;
    }

    private record Snapshot(@Nullable CausalToken token, List<PendingWrite> pending) {}
}
