package io.github.r2dbcrouting.internal.session;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.PossiblyLostWriteException;
import io.github.r2dbcrouting.Unresolved;
import io.github.r2dbcrouting.internal.clock.ElapsedTime;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * What has a session written and seen, and which of it is still without a position?
 *
 * <p>What it wrote, or read on the primary, is pending until its position is known; what it read on a replica is a
 * {@link Sighting}, which gets a position only when the session reads elsewhere or its token is asked for.
 *
 * <p>Thread-safe: one immutable value, replaced whole.
 */
public final class SessionState {

    /** Only reads the system's clocks. */
    private static final LongSupplier CLOCK = new ElapsedTime();

    private static final Snapshot EMPTY = new Snapshot(null, List.of(), List.of());

    private final AtomicReference<Snapshot> snapshot = new AtomicReference<>(EMPTY);

    /** What this process captured for the session: what a token from outside hides of it comes back with its end. */
    private final AtomicReference<@Nullable CausalToken> captured = new AtomicReference<>();

    private final LongSupplier clock;
    private final InstantSource utc;
    private volatile long window = NO_WINDOW;
    private volatile long wroteAt;
    private volatile boolean hasWritten;
    private volatile boolean tellsLostWrites;
    private final AtomicBoolean untold = new AtomicBoolean();

    private static final long NO_WINDOW = -1;

    /** Creates a session without a token and without pending writes. */
    public SessionState() {
        this(CLOCK);
    }

    SessionState(LongSupplier clock) {
        this(clock, InstantSource.system());
    }

    /**
     * Creates one that nothing was written in, by clocks of its own.
     *
     * @param clock nanoseconds since an arbitrary moment
     * @param utc the time of day
     */
    public SessionState(LongSupplier clock, InstantSource utc) {
        this.clock = clock;
        this.utc = utc;
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

    /** From now on {@link #takeLost} and {@link #token} tell of pending writes that may be lost. */
    public void tellLostWrites() {
        if (!tellsLostWrites) {
            tellsLostWrites = true;
        }
    }

    /** One of its pending writes may be lost. */
    void lost() {
        if (tellsLostWrites) {
            untold.set(true);
        }
    }

    /**
     * Tells whether writes that were pending may be lost. Of all who ask one is told.
     *
     * @return whether some may be, of which nobody was told yet
     */
    public boolean takeLost() {
        return untold.get() && untold.getAndSet(false);
    }

    /**
     * Puts it into words.
     *
     * @return what to signal to whoever was told by {@link #takeLost}
     */
    public static PossiblyLostWriteException lostWhilePending() {
        return new PossiblyLostWriteException("a write of the session may be lost: its server was the primary no longer"
                + " before the write's position was known; the session goes on from the present primary's position");
    }

    /**
     * Gives up positions that may be lost, and goes on from another one. Of several at once, one does.
     *
     * @param present a position that covers whatever survived of them
     * @param lost which of the positions in its cluster may be lost
     * @return how many this call gave up
     */
    public int goOnFrom(Position present, Predicate<Position> lost) {
        while (true) {
            Snapshot before = current();
            if (before.token == null) {
                return 0;
            }
            List<Position> kept = new ArrayList<>();
            kept.add(present);
            int given = 0;
            for (Position position : before.token.positions()) {
                if (position.cluster().equals(present.cluster()) && lost.test(position)) {
                    given++;
                } else {
                    kept.add(position);
                }
            }
            Snapshot after = new Snapshot(CausalToken.of(kept, before.token.unresolved()), before.pending, before.seen);
            if (given == 0 || snapshot.compareAndSet(before, after)) {
                return given;
            }
        }
    }

    /** A write of it is sent, or has ended. */
    void wrote() {
        wroteAt = clock.getAsLong();
        hasWritten = true;
    }

    /**
     * Waits for the positions of what is pending when it is subscribed, and says that somebody does.
     *
     * @return completes when all of them are known; also those of open transactions are waited for
     */
    public Mono<Void> settled() {
        return Mono.defer(() ->
                Mono.when(current().pending.stream().map(PendingWrite::placed).toList()));
    }

    /**
     * Counts a write as pending, from before it is sent.
     *
     * @param cluster whose history it goes into
     * @param transaction whether it is a transaction, which may stay open for long
     * @param onAwaited runs when somebody waits for its position; must be quick
     * @param basis where the primary was before; {@code null} if that is not known
     * @return the write, to be settled exactly when its position is known
     */
    public PendingWrite begin(String cluster, boolean transaction, Runnable onAwaited, @Nullable Position basis) {
        wrote();
        return add(new PendingWrite(this, cluster, transaction, onAwaited, null, true, basis));
    }

    /**
     * Counts a write as pending of which it is not known where the primary was before.
     *
     * @param cluster whose history it goes into
     * @param transaction whether it is a transaction, which may stay open for long
     * @param onAwaited runs when somebody waits for its position; must be quick
     * @return the write, to be settled exactly when its position is known
     */
    public PendingWrite begin(String cluster, boolean transaction, Runnable onAwaited) {
        return begin(cluster, transaction, onAwaited, null);
    }

    /**
     * Counts a read on the primary as pending, from before it is sent.
     *
     * @param cluster whose history it sees
     * @param mayWrite whether it could call a function that writes
     * @param onAwaited runs when somebody waits for its position; must be quick
     * @param floors finds the position of what it has seen while it is under way
     * @param basis where the primary was before; {@code null} if that is not known
     * @return the read, to be settled exactly when its position is known
     */
    public PendingWrite beginRead(
            String cluster, boolean mayWrite, Runnable onAwaited, Floors floors, @Nullable Position basis) {
        return add(new PendingWrite(this, cluster, true, onAwaited, floors, mayWrite, basis));
    }

    /**
     * Counts a read on the primary as pending of which it is not known where that was before.
     *
     * @param cluster whose history it sees
     * @param mayWrite whether it could call a function that writes
     * @param onAwaited runs when somebody waits for its position; must be quick
     * @param floors finds the position of what it has seen while it is under way
     * @return the read, to be settled exactly when its position is known
     */
    public PendingWrite beginRead(String cluster, boolean mayWrite, Runnable onAwaited, Floors floors) {
        return beginRead(cluster, mayWrite, onAwaited, floors, null);
    }

    /**
     * Takes over what was unresolved in a token, once it has ended: from here on it is a pending write like any other,
     * whose position has to be asked for. Of several at once, one takes it over.
     *
     * @param cluster the cluster that is routed to
     * @param onAwaited runs when somebody waits for its position; must be quick
     * @return the write, which has ended; {@code null} if there is nothing to be taken over, or not yet
     */
    public @Nullable PendingWrite takeOver(String cluster, Runnable onAwaited) {
        while (true) {
            Snapshot before = current();
            Unresolved mark = unresolvedIn(before, cluster);
            if (mark == null || mark.goesOn(utc.instant().getEpochSecond())) {
                return null;
            }
            CausalToken token = Objects.requireNonNull(before.token);
            List<Unresolved> others = token.unresolved().stream()
                    .filter(other -> !other.equals(mark))
                    .toList();
            PendingWrite write =
                    new PendingWrite(this, cluster, false, onAwaited, null, mark.after() != null, mark.after());
            Snapshot after = new Snapshot(tokenOf(token.positions(), others), with(before.pending, write), before.seen);
            if (snapshot.compareAndSet(before, after)) {
                write.end();
                return write;
            }
        }
    }

    /**
     * Tells whether something came unresolved that nobody has taken over.
     *
     * @param cluster the cluster that is routed to
     * @return whether {@link #takeOver} may have something to do
     */
    public boolean hasUnresolved(String cluster) {
        return unresolvedIn(current(), cluster) != null;
    }

    private static @Nullable Unresolved unresolvedIn(Snapshot snapshot, String cluster) {
        if (snapshot.token == null) {
            return null;
        }
        List<Unresolved> unresolved = snapshot.token.unresolved();
        for (int i = 0; i < unresolved.size(); i++) {
            if (unresolved.get(i).cluster().equals(cluster)) {
                return unresolved.get(i);
            }
        }
        return null;
    }

    private static @Nullable CausalToken tokenOf(List<Position> positions, List<Unresolved> unresolved) {
        return positions.isEmpty() && unresolved.isEmpty() ? null : CausalToken.of(positions, unresolved);
    }

    private PendingWrite add(PendingWrite write) {
        update(now -> new Snapshot(now.token, with(now.pending, write), now.seen));
        return write;
    }

    /**
     * Counts a read on a replica, from before it is sent.
     *
     * @param floors finds the replica's position, should it be needed
     * @param replica the server
     * @param openedAt a time at which the read's connection was open
     * @param now the time
     * @return the read, to be ended once
     */
    public OpenRead beginRead(Floors floors, ServerIdentity replica, long openedAt, long now) {
        while (true) {
            Snapshot before = current();
            int at = indexOf(before.seen, replica, openedAt);
            Sighting.Life life = at < 0
                    ? new Sighting.Life(this, floors, replica)
                    : before.seen.get(at).life();
            Sighting sighting = at < 0
                    ? new Sighting(life, 1, openedAt, now)
                    : before.seen.get(at).begun();
            Snapshot after = new Snapshot(before.token, before.pending, with(before.seen, at, sighting));
            if (snapshot.compareAndSet(before, after)) {
                return new OpenRead(this, life, now);
            }
        }
    }

    private static int indexOf(List<Sighting> seen, ServerIdentity replica, long openedAt) {
        for (int i = 0; i < seen.size(); i++) {
            if (seen.get(i).includes(replica, openedAt)) {
                return i;
            }
        }
        return -1;
    }

    /** Changes what is known of a life, unless it was dropped. */
    void replace(Sighting.Life life, UnaryOperator<Sighting> change) {
        update(now -> {
            for (int i = 0; i < now.seen.size(); i++) {
                if (now.seen.get(i).life() == life) {
                    return new Snapshot(now.token, now.pending, with(now.seen, i, change.apply(now.seen.get(i))));
                }
            }
            return now;
        });
    }

    /**
     * Returns where the session has read in the cluster without a position: a replica that is not the same, in the same
     * life, may be behind that.
     *
     * @param cluster the cluster that is read from
     * @return the sightings, one for each life; unmodifiable
     */
    public List<Sighting> seen(String cluster) {
        List<Sighting> seen = current().seen;
        for (int i = 0; i < seen.size(); i++) {
            if (!seen.get(i).identity().cluster().equals(cluster)) {
                return seen.stream()
                        .filter(sighting -> sighting.identity().cluster().equals(cluster))
                        .toList();
            }
        }
        return seen;
    }

    /**
     * Asks for the positions of what was seen, on replicas and on the primary, and waits for them. From then on {@link #required} has them.
     *
     * @param cluster the cluster that is read from
     * @return completes when everything that was seen until it was subscribed has a position; sets no limit itself.
     *     Cancelling it only stops waiting
     */
    public Mono<Void> floors(String cluster) {
        return Mono.defer(() -> {
            List<Mono<Void>> all = allFloors(seen(cluster));
            for (PendingWrite pending : current().pending) {
                if (pending.isRead() && pending.cluster().equals(cluster)) {
                    all.add(pending.placed());
                }
            }
            return Mono.when(all);
        });
    }

    /** Asks for all of them at once, and only then waits. */
    private static List<Mono<Void>> allFloors(List<Sighting> seen) {
        List<Mono<Void>> all = new ArrayList<>(seen.size() + 1);
        for (Sighting sighting : seen) {
            all.add(sighting.floor().find());
        }
        return all;
    }

    /**
     * Returns the positions that a server must have reached to serve the session, besides what is pending or seen.
     *
     * @param cluster the cluster that is read from
     * @return its positions in that cluster; unmodifiable
     */
    public List<Position> required(String cluster) {
        CausalToken token = current().token;
        if (token == null) {
            return List.of();
        }
        List<Position> positions = token.positions();
        if (positions.size() == 1) {
            return positions.get(0).cluster().equals(cluster) ? positions : List.of();
        }
        List<Position> own = new ArrayList<>(positions.size());
        for (Position position : positions) {
            if (position.cluster().equals(cluster)) {
                own.add(position);
            }
        }
        return own;
    }

    /**
     * Tells whether a write to the cluster, through whichever router, is without a position.
     *
     * @param cluster the cluster that is read from
     * @return whether reads must see the primary
     */
    public boolean hasPending(String cluster) {
        return hasPending(cluster, false) || unresolvedIn(current(), cluster) != null;
    }

    /**
     * Tells whether a write to the cluster is on its way to a position, which {@link #settled()} waits for. What came
     * unresolved and may still be going on elsewhere is not: only time ends that.
     *
     * @param cluster the cluster that is read from
     * @return whether waiting for it can help
     */
    public boolean settlesIn(String cluster) {
        return hasPending(cluster, false);
    }

    /**
     * Tells whether something that was read from the primary is without a position. That is known in a moment.
     *
     * @param cluster the cluster that is read from
     * @return whether {@link #floors} has to be awaited before a replica is read from
     */
    public boolean hasPendingReads(String cluster) {
        return hasPending(cluster, true);
    }

    private boolean hasPending(String cluster, boolean reads) {
        List<PendingWrite> pending = current().pending;
        for (int i = 0; i < pending.size(); i++) {
            PendingWrite one = pending.get(i);
            if (one.isRead() == reads && one.cluster().equals(cluster)) {
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
        update(now -> new Snapshot(now.token == null ? token : now.token.merge(token), now.pending, now.seen));
    }

    /**
     * Waits for the positions of what is pending or seen when it is subscribed.
     *
     * @return the token, empty if there is none, or an error while a write transaction is open, or if a write may be lost
     *     of which the session is to be told and was not
     */
    public Mono<CausalToken> token() {
        return Mono.defer(() -> {
            Snapshot now = current();
            if (now.pending.isEmpty() && now.seen.isEmpty()) {
                return observedUnlessLost();
            }
            for (PendingWrite write : now.pending) {
                if (write.openTransaction()) {
                    return Mono.error(new IllegalStateException("the session has an open write transaction: ask for"
                            + " its token after the commit, it cannot arrive before"));
                }
            }
            List<Mono<Void>> placed = allFloors(now.seen);
            for (PendingWrite write : now.pending) {
                placed.add(write.placed());
            }
            return Mono.when(placed).then(Mono.defer(this::observedUnlessLost));
        });
    }

    /**
     * Waits for the positions of what is pending or seen when it is subscribed, but not for long.
     *
     * @param limit how long
     * @return as {@link #token()}; what has no position by then, or is still going on, is unresolved in the token. No
     *     error while a write transaction is open
     */
    public Mono<CausalToken> token(Duration limit) {
        return Mono.defer(() -> {
            Snapshot now = current();
            if (now.pending.isEmpty() && now.seen.isEmpty()) {
                return observedUnlessLost();
            }
            Mono<CausalToken> unresolved = Mono.defer(() -> Mono.justOrEmpty(withUnresolved()));
            return now.pending.stream().anyMatch(PendingWrite::openTransaction)
                    ? unresolved
                    : token().timeout(limit, unresolved);
        });
    }

    /** The token as far as it is known, with a mark for what has no position. */
    private @Nullable CausalToken withUnresolved() {
        Snapshot now = current();
        long time = utc.instant().getEpochSecond();
        List<Unresolved> marks = new ArrayList<>(1);
        now.pending.forEach(write -> marks.add(write.unresolved(time)));
        now.seen.forEach(
                sighting -> marks.add(new Unresolved(sighting.identity().cluster(), null, Unresolved.ENDED)));
        if (marks.isEmpty()) {
            return now.token;
        }
        CausalToken unplaced = CausalToken.of(List.of(), marks);
        return now.token == null ? unplaced : now.token.merge(unplaced);
    }

    /**
     * What was forgotten of a session.
     *
     * @param lost how many positions that had been captured for it: the primary had come to those, and has lost since what
     *     led there. Of several callers at once, one hears of each
     * @param anew stands for all that the session did before, some of which those positions may have hidden: to be given a
     *     position anew; {@code null} if none was captured for it
     */
    public record Forgotten(int lost, @Nullable PendingWrite anew) {}

    /**
     * Forgets positions that the primary has not come to. What else was captured for the session itself stays, also where
     * one of them went beyond it.
     *
     * @param cluster whose primary it is
     * @param positions what reads need not wait for
     * @param onAwaited runs when somebody waits for the position of what needs one anew; must be quick
     * @return what that means for the session
     */
    public Forgotten forget(String cluster, List<Position> positions, Runnable onAwaited) {
        PendingWrite anew = null;
        if (countIn(captured.get(), positions) > 0) {
            // pending before they go: who reads in between must not find neither
            anew = add(new PendingWrite(this, cluster, false, onAwaited, null, false, null));
            anew.end();
        }
        CausalToken had = captured.getAndUpdate(own -> without(own, positions));
        update(now -> {
            CausalToken rest = without(now.token, positions);
            CausalToken own = captured.get();
            return new Snapshot(own == null ? rest : merged(rest, own), now.pending, now.seen);
        });
        return new Forgotten(countIn(had, positions), anew);
    }

    private static int countIn(@Nullable CausalToken token, List<Position> positions) {
        return token == null
                ? 0
                : (int) token.positions().stream().filter(positions::contains).count();
    }

    private static @Nullable CausalToken without(@Nullable CausalToken token, List<Position> positions) {
        if (token == null) {
            return null;
        }
        List<Position> kept = new ArrayList<>(token.positions());
        kept.removeAll(positions);
        return tokenOf(kept, token.unresolved());
    }

    private Mono<CausalToken> observedUnlessLost() {
        return takeLost() ? Mono.error(lostWhilePending()) : Mono.justOrEmpty(observed());
    }

    /** Returns whether this call settled it: of several at once, one does. */
    boolean settle(PendingWrite write, CausalToken token, long sentAt) {
        captured.accumulateAndGet(token, SessionState::merged);
        while (true) {
            Snapshot before = current();
            int at = before.pending.indexOf(write);
            if (at < 0) {
                return false;
            }
            // whatever a replica showed before was on its primary before: the position covers that, too
            List<Sighting> seen = without(
                    before.seen,
                    sighting -> sighting.over(sentAt - 1)
                            && sighting.identity().cluster().equals(write.cluster()));
            Snapshot after = new Snapshot(merged(before.token, token), without(before.pending, at), seen);
            if (snapshot.compareAndSet(before, after)) {
                return true;
            }
        }
    }

    /** What was seen in that life until then lies at or before the token. */
    void settle(Sighting.@Nullable Life life, long seenAt, CausalToken token) {
        captured.accumulateAndGet(token, SessionState::merged);
        update(now -> new Snapshot(
                merged(now.token, token),
                now.pending,
                without(now.seen, sighting -> sighting.life() == life && sighting.over(seenAt))));
    }

    /** The added one first, so that no token from elsewhere can crowd out what the session wrote or saw itself. */
    private static CausalToken merged(@Nullable CausalToken known, CausalToken added) {
        if (known == null || goesBeyond(added, known)) {
            return added;
        }
        return goesBeyond(known, added) ? known : added.merge(known);
    }

    private static boolean goesBeyond(CausalToken one, CausalToken other) {
        return one.positions().size() == 1
                && other.positions().size() == 1
                && !one.isUnresolved()
                && !other.isUnresolved()
                && one.positions().get(0).covers(other.positions().get(0));
    }

    @Override
    public String toString() {
        Snapshot now = current();
        return (now.token == null ? "nothing written" : now.token.encode()) + ", " + now.pending.size() + " pending"
                + (now.seen.isEmpty() ? "" : ", has read from " + now.seen.size());
    }

    private Snapshot current() {
        return Objects.requireNonNull(snapshot.get());
    }

    private void update(UnaryOperator<Snapshot> change) {
        snapshot.updateAndGet(change);
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

    private static List<PendingWrite> without(List<PendingWrite> pending, int at) {
        if (pending.size() == 1) {
            return List.of();
        }
        List<PendingWrite> shorter = new ArrayList<>(pending);
        shorter.remove(at);
        return shorter;
    }

    /** Puts the sighting at the index, or at the end if that is negative. */
    private static List<Sighting> with(List<Sighting> seen, int at, Sighting sighting) {
        if (seen.size() <= 1 && (seen.isEmpty() || at == 0)) {
            return List.of(sighting);
        }
        List<Sighting> changed = new ArrayList<>(seen);
        if (at < 0) {
            changed.add(sighting);
        } else {
            changed.set(at, sighting);
        }
        return changed;
    }

    private static List<Sighting> without(List<Sighting> seen, Predicate<Sighting> dropped) {
        return seen.isEmpty() || seen.stream().noneMatch(dropped)
                ? seen
                : seen.stream().filter(dropped.negate()).toList();
    }

    private record Snapshot(@Nullable CausalToken token, List<PendingWrite> pending, List<Sighting> seen) {}
}
