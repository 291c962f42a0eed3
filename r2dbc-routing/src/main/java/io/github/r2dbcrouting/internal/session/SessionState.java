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
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
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
 * <p>Thread-safe. What is known, and what is not yet, are two immutable values, each replaced whole. What is found out
 * becomes known first, and only then stops being unknown; so whoever reads what is unknown first, and then what is known,
 * misses nothing. A server holds a session for each of its users, most of them idle: so there are fields and updaters
 * here where an object for each value would do.
 */
public final class SessionState {

    private static final AtomicReferenceFieldUpdater<SessionState, List<Position>> POSITIONS = updater("positions");
    private static final AtomicReferenceFieldUpdater<SessionState, List<Position>> CAPTURED = updater("captured");
    private static final AtomicReferenceFieldUpdater<SessionState, Open> OPEN =
            AtomicReferenceFieldUpdater.newUpdater(SessionState.class, Open.class, "open");
    private static final AtomicIntegerFieldUpdater<SessionState> LOST =
            AtomicIntegerFieldUpdater.newUpdater(SessionState.class, "lost");

    /** Only reads the system's clocks. */
    private static final Clocks CLOCKS = new Clocks(new ElapsedTime(), InstantSource.system());

    private static final long NO_WINDOW = -1;
    private static final long NEVER = Long.MIN_VALUE;

    /** Nobody is told of lost writes; somebody would be; somebody is to be told. */
    private static final int SILENT = 0;

    private static final int TELLS = 1;
    private static final int UNTOLD = 2;

    private final Clocks clocks;

    /** What reads must not be behind: as in a token, none covers another. */
    private volatile List<Position> positions = List.of();

    /** What this process captured for the session: what a token from outside hides of it comes back with its end. */
    private volatile List<Position> captured = List.of();

    private volatile Open open = Open.NOTHING;
    private volatile long window = NO_WINDOW;
    private volatile long wroteAt = NEVER;
    private volatile int lost = SILENT;

    /** Creates a session without a token and without pending writes. */
    public SessionState() {
        this(CLOCKS);
    }

    SessionState(LongSupplier clock) {
        this(clock, InstantSource.system());
    }

    SessionState(LongSupplier clock, InstantSource utc) {
        this(new Clocks(clock, utc));
    }

    private SessionState(Clocks clocks) {
        this.clocks = clocks;
    }

    /**
     * What a session tells the time by.
     *
     * @param elapsed nanoseconds since an arbitrary moment
     * @param utc the time of day
     */
    private record Clocks(LongSupplier elapsed, InstantSource utc) {}

    /**
     * What is not known yet.
     *
     * @param pending what was written, or read on the primary
     * @param seen what was read on replicas
     * @param unresolved what a token from outside said of the same kind, at most one for each cluster
     */
    private record Open(List<PendingWrite> pending, List<Sighting> seen, List<Unresolved> unresolved) {

        static final Open NOTHING = new Open(List.of(), List.of(), List.of());

        /** All that there is nothing of are one. */
        private static Open of(List<PendingWrite> pending, List<Sighting> seen, List<Unresolved> unresolved) {
            return pending.isEmpty() && seen.isEmpty() && unresolved.isEmpty()
                    ? NOTHING
                    : new Open(pending, seen, unresolved);
        }

        @Nullable
        Unresolved unresolvedIn(String cluster) {
            for (int i = 0; i < unresolved.size(); i++) {
                if (unresolved.get(i).cluster().equals(cluster)) {
                    return unresolved.get(i);
                }
            }
            return null;
        }

        boolean hasPending(String cluster, boolean reads) {
            for (int i = 0; i < pending.size(); i++) {
                PendingWrite one = pending.get(i);
                if (one.isRead() == reads && one.cluster().equals(cluster)) {
                    return true;
                }
            }
            return false;
        }

        Open withPending(List<PendingWrite> other) {
            return of(other, seen, unresolved);
        }

        Open withSeen(List<Sighting> other) {
            return other == seen ? this : of(pending, other, unresolved);
        }

        Open withUnresolved(List<Unresolved> other) {
            return of(pending, seen, other);
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // a class has no type arguments; the fields have these
    private static AtomicReferenceFieldUpdater<SessionState, List<Position>> updater(String field) {
        return (AtomicReferenceFieldUpdater)
                AtomicReferenceFieldUpdater.newUpdater(SessionState.class, List.class, field);
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
        if (time <= 0) {
            return false;
        }
        long at = wroteAt;
        return at != NEVER && clocks.elapsed.getAsLong() - at < time;
    }

    /** From now on {@link #takeLost} and {@link #token} tell of pending writes that may be lost. */
    public void tellLostWrites() {
        if (lost == SILENT) {
            LOST.compareAndSet(this, SILENT, TELLS);
        }
    }

    /** One of its pending writes may be lost. */
    void lost() {
        LOST.compareAndSet(this, TELLS, UNTOLD);
    }

    /**
     * Tells whether writes that were pending may be lost. Of all who ask one is told.
     *
     * @return whether some may be, of which nobody was told yet
     */
    public boolean takeLost() {
        return lost == UNTOLD && LOST.compareAndSet(this, UNTOLD, TELLS);
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
            List<Position> before = positions;
            List<Position> kept = new ArrayList<>();
            kept.add(present);
            int given = 0;
            for (Position position : before) {
                if (position.cluster().equals(present.cluster()) && lost.test(position)) {
                    given++;
                } else {
                    kept.add(position);
                }
            }
            if (given == 0
                    || POSITIONS.compareAndSet(
                            this, before, CausalToken.of(kept).positions())) {
                return given;
            }
        }
    }

    /** A write of it is sent, or has ended. */
    void wrote() {
        wroteAt = clocks.elapsed.getAsLong();
    }

    /**
     * Waits for the positions of what is pending when it is subscribed, and says that somebody does.
     *
     * @return completes when all of them are known; also those of open transactions are waited for
     */
    public Mono<Void> settled() {
        return Mono.defer(
                () -> Mono.when(open.pending.stream().map(PendingWrite::placed).toList()));
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
            Open before = open;
            Unresolved mark = before.unresolvedIn(cluster);
            if (mark == null || mark.goesOn(clocks.utc.instant().getEpochSecond())) {
                return null;
            }
            List<Unresolved> others = before.unresolved.stream()
                    .filter(other -> !other.equals(mark))
                    .toList();
            PendingWrite write =
                    new PendingWrite(this, cluster, false, onAwaited, null, mark.after() != null, mark.after());
            Open after = new Open(with(before.pending, write), before.seen, others);
            if (OPEN.compareAndSet(this, before, after)) {
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
        return open.unresolvedIn(cluster) != null;
    }

    private PendingWrite add(PendingWrite write) {
        update(now -> now.withPending(with(now.pending, write)));
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
            Open before = open;
            int at = indexOf(before.seen, replica, openedAt);
            Sighting.Life life = at < 0
                    ? new Sighting.Life(this, floors, replica)
                    : before.seen.get(at).life();
            Sighting sighting = at < 0
                    ? new Sighting(life, 1, openedAt, now)
                    : before.seen.get(at).begun();
            if (OPEN.compareAndSet(this, before, before.withSeen(with(before.seen, at, sighting)))) {
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
                    return now.withSeen(with(now.seen, i, change.apply(now.seen.get(i))));
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
        List<Sighting> seen = open.seen;
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
            for (PendingWrite pending : open.pending) {
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
        List<Position> all = positions;
        if (all.size() <= 1) {
            return all.isEmpty() || all.get(0).cluster().equals(cluster) ? all : List.of();
        }
        List<Position> own = new ArrayList<>(all.size());
        for (Position position : all) {
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
        // one look: what is unresolved may become pending between two
        Open now = open;
        return now.unresolvedIn(cluster) != null || now.hasPending(cluster, false);
    }

    /**
     * Tells whether something that was read from the primary is without a position. That is known in a moment.
     *
     * @param cluster the cluster that is read from
     * @return whether {@link #floors} has to be awaited before a replica is read from
     */
    public boolean hasPendingReads(String cluster) {
        return open.hasPending(cluster, true);
    }

    /**
     * Returns what reads must not be behind, besides the pending writes.
     *
     * @return the token, or {@code null} if nothing was written or observed
     */
    public @Nullable CausalToken observed() {
        List<Unresolved> marks = open.unresolved;
        return tokenOf(positions, marks);
    }

    /**
     * Merges a token in.
     *
     * @param token what reads must not be behind from now on
     */
    public void observe(CausalToken token) {
        // in this order: whoever sees the positions sees what is unresolved beside them
        if (token.isUnresolved()) {
            update(now -> now.withUnresolved(merged(now.unresolved, token)));
        }
        POSITIONS.updateAndGet(this, now -> inOrder(now, token.positions()));
    }

    /**
     * Waits for the positions of what is pending or seen when it is subscribed.
     *
     * @return the token, empty if there is none, or an error while a write transaction is open, or if a write may be lost
     *     of which the session is to be told and was not
     */
    public Mono<CausalToken> token() {
        return Mono.defer(() -> {
            Open now = open;
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
            Open now = open;
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
        Open now = open;
        long time = clocks.utc.instant().getEpochSecond();
        List<Unresolved> marks = new ArrayList<>(now.unresolved);
        now.pending.forEach(write -> marks.add(write.unresolved(time)));
        now.seen.forEach(
                sighting -> marks.add(new Unresolved(sighting.identity().cluster(), null, Unresolved.ENDED)));
        return tokenOf(positions, marks);
    }

    private static @Nullable CausalToken tokenOf(List<Position> positions, List<Unresolved> unresolved) {
        return positions.isEmpty() && unresolved.isEmpty() ? null : CausalToken.of(positions, unresolved);
    }

    /**
     * Forgets positions that are nobody's. What was captured for the session itself stays, also where one of them went
     * beyond it.
     *
     * @param nobodys what reads need not wait for
     */
    public void forget(List<Position> nobodys) {
        POSITIONS.updateAndGet(this, now -> {
            List<Position> kept = new ArrayList<>(now);
            kept.removeAll(nobodys);
            // looked at after the positions: see learn
            return inOrder(captured, List.copyOf(kept));
        });
    }

    private Mono<CausalToken> observedUnlessLost() {
        return takeLost() ? Mono.error(lostWhilePending()) : Mono.justOrEmpty(observed());
    }

    /** Returns whether this call settled it: of several at once, one does. */
    boolean settle(PendingWrite write, CausalToken token, long sentAt) {
        if (!open.pending.contains(write)) {
            return false;
        }
        learn(token);
        while (true) {
            Open before = open;
            int at = before.pending.indexOf(write);
            if (at < 0) {
                return false;
            }
            // whatever a replica showed before was on its primary before: the position covers that, too
            List<Sighting> seen = without(
                    before.seen,
                    sighting -> sighting.over(sentAt - 1)
                            && sighting.identity().cluster().equals(write.cluster()));
            Open after = Open.of(without(before.pending, at), seen, before.unresolved);
            if (OPEN.compareAndSet(this, before, after)) {
                return true;
            }
        }
    }

    /** What was seen in that life until then lies at or before the token. */
    void settle(Sighting.@Nullable Life life, long seenAt, CausalToken token) {
        learn(token);
        update(now -> now.withSeen(without(now.seen, sighting -> sighting.life() == life && sighting.over(seenAt))));
    }

    /**
     * Before it is settled what the token is of: at no moment it is neither known nor open. A token from outside that goes
     * beyond may be forgotten at the same time by somebody who has not seen yet what was captured: the list becomes another
     * one, so that this is noticed and done again.
     */
    private void learn(CausalToken token) {
        CAPTURED.updateAndGet(this, now -> inOrder(token.positions(), now));
        POSITIONS.updateAndGet(this, now -> {
            List<Position> next = inOrder(token.positions(), now);
            return next != now || now == captured ? next : Collections.unmodifiableList(new ArrayList<>(now));
        });
    }

    /** The first ones first, so that those that come after cannot crowd them out. */
    private static List<Position> inOrder(List<Position> first, List<Position> then) {
        if (then.isEmpty() || goesBeyond(first, then)) {
            return first;
        }
        if (first.isEmpty() || goesBeyond(then, first)) {
            return then;
        }
        return CausalToken.of(first).merge(CausalToken.of(then)).positions();
    }

    private static boolean goesBeyond(List<Position> one, List<Position> other) {
        return one.size() == 1 && other.size() == 1 && one.get(0).covers(other.get(0));
    }

    private static List<Unresolved> merged(List<Unresolved> known, CausalToken token) {
        return known.isEmpty()
                ? token.unresolved()
                : CausalToken.of(List.of(), known).merge(token).unresolved();
    }

    @Override
    public String toString() {
        Open now = open;
        CausalToken token = tokenOf(positions, now.unresolved);
        return (token == null ? "nothing written" : token.encode()) + ", " + now.pending.size() + " pending"
                + (now.seen.isEmpty() ? "" : ", has read from " + now.seen.size());
    }

    private void update(UnaryOperator<Open> change) {
        OPEN.updateAndGet(this, change);
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
}
