package io.github.r2dbcrouting.internal.session;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.PossiblyLostWriteException;
import io.github.r2dbcrouting.Unresolved;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.function.Function;
import java.util.function.LongPredicate;
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
 * <p>Thread-safe: one immutable {@link Snapshot}, replaced whole. What becomes of it is said there, and how its positions
 * are waited for in {@link Settlement}. The updater saves an object for each idle session.
 */
public final class SessionState {

    private static final AtomicReferenceFieldUpdater<SessionState, Snapshot> SNAPSHOT =
            AtomicReferenceFieldUpdater.newUpdater(SessionState.class, Snapshot.class, "snapshot");

    private volatile Snapshot snapshot;

    /** Creates a session without a token and without pending writes. */
    public SessionState() {
        this.snapshot = Known.NOTHING;
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
        this.snapshot = Known.nothing(Terms.of(clock, utc));
    }

    /**
     * Reads from the primary for some time after each write.
     *
     * @param time how long, in nanoseconds
     */
    public void primaryFor(long time) {
        replace(now -> now.on(now.terms().withWindow(time)));
    }

    /**
     * Returns whether a write was sent, or has ended, so short a time ago that reads go to the primary.
     *
     * @param otherwise how long they do, in nanoseconds, if nothing was said for this session
     * @return whether they do now
     */
    public boolean wroteLately(long otherwise) {
        Known known = snapshot.known();
        long own = known.terms().window();
        return known.wroteWithin(
                own == Terms.NO_WINDOW ? otherwise : own, known.terms().clock());
    }

    /** From now on {@link #takeLost} and {@link #token} tell of pending writes that may be lost. */
    public void tellLostWrites() {
        replace(now -> now.on(now.terms().tellingLostWrites()));
    }

    /** Something that it wrote or saw may be lost. */
    void lost() {
        replace(Snapshot::lost);
    }

    /**
     * Tells whether writes that were pending may be lost. Of all who ask one is told.
     *
     * @return whether some may be, of which nobody was told yet
     */
    public boolean takeLost() {
        return replace(Snapshot::told).untold();
    }

    /**
     * Puts it into words.
     *
     * @return what to signal to whoever was told by {@link #takeLost}
     */
    public static PossiblyLostWriteException lostWhilePending() {
        return new PossiblyLostWriteException(
                "something that the session wrote or saw may be lost: its server was gone,"
                        + " or had crashed, before a position was known; the session goes on from the present primary's position");
    }

    /**
     * Gives up positions that may be lost, and goes on from another one. Of several at once, one does.
     *
     * @param present a position that covers whatever survived of them
     * @param lost which of the positions in its cluster may be lost
     * @return how many this call gave up
     */
    public int goOnFrom(Position present, Predicate<Position> lost) {
        return replace(now -> now.goneOnFrom(present, givenUp(present, lost)))
                .known()
                .count(givenUp(present, lost));
    }

    private static Predicate<Position> givenUp(Position present, Predicate<Position> lost) {
        return position -> position.cluster().equals(present.cluster()) && lost.test(position);
    }

    /** A write of it is sent, or has ended. */
    void wrote() {
        long time = snapshot.terms().clock().getAsLong();
        replace(now -> now.wrote(time));
    }

    /**
     * Waits for the positions of what is pending when it is subscribed, and says that somebody does.
     *
     * @return completes when all of them are known; also those of open transactions are waited for
     */
    public Mono<Void> settled() {
        return Mono.defer(() -> new Settlement(snapshot).ofPending());
    }

    /**
     * Tells whether something that the session has done, or seen, has ended and need not be there for whoever reads on
     * a connection to the primary: that of another primary, or of an earlier life of this one, may be lost. Only its
     * position will tell.
     *
     * @param cluster the cluster that is read from
     * @param to the server that the connection leads to
     * @param openedAt a time at which the connection was open
     * @param branch the branch of the primary
     * @param parted whether another history was followed at a time
     * @return whether {@link #settledBeside} has to be awaited before the session is served there
     */
    public boolean mayMissOn(String cluster, ServerIdentity to, long openedAt, long branch, LongPredicate parted) {
        Snapshot now = snapshot;
        return now.hasPending(one -> one.mayBeMissingOn(cluster, to, openedAt, branch))
                || now.sawWhile(cluster, parted);
    }

    /**
     * Tells whether the session has seen something on a replica, and has asked for it while another history was followed.
     * What was asked for later came from a replica of the one that is followed now: that has all that it showed before.
     *
     * @param cluster the cluster that is read from
     * @param parted whether another history was followed at a time
     * @return whether only the position of that replica tells if it may be lost
     */
    public boolean sawWhile(String cluster, LongPredicate parted) {
        return snapshot.sawWhile(cluster, parted);
    }

    /**
     * Waits for the positions of what {@link #mayMissOn} speaks of when it is subscribed, and says that somebody does.
     *
     * @param cluster the cluster that is read from
     * @param to the server that the connection leads to
     * @param openedAt a time at which the connection was open
     * @param branch the branch of the primary
     * @param parted whether another history was followed at a time
     * @return completes when all of them are known, and with them what may be lost; sets no limit itself
     */
    public Mono<Void> settledBeside(
            String cluster, ServerIdentity to, long openedAt, long branch, LongPredicate parted) {
        return Mono.defer(() -> new Settlement(snapshot)
                .of(one -> one.mayBeMissingOn(cluster, to, openedAt, branch), one -> one.askedWhile(cluster, parted)));
    }

    /**
     * Tells whether something that the session has done has ended on an earlier branch, and has no position.
     *
     * @param cluster the cluster that is read from
     * @param branch the branch of the primary
     * @return whether {@link #settledBefore} has to be awaited before it is known what may be lost
     */
    public boolean endedBefore(String cluster, long branch) {
        return snapshot.hasPending(one -> one.endedBefore(cluster, branch));
    }

    /**
     * Waits for the positions of what {@link #endedBefore} speaks of when it is subscribed, and says that somebody does.
     *
     * @param cluster the cluster that is read from
     * @param branch the branch of the primary
     * @return completes when all of them are known; sets no limit itself
     */
    public Mono<Void> settledBefore(String cluster, long branch) {
        return Mono.defer(() -> new Settlement(snapshot).of(one -> one.endedBefore(cluster, branch), one -> false));
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
        PendingWrite write =
                new PendingWrite(this, cluster, transaction, onAwaited, null, true, basis, seconds(snapshot));
        long time = snapshot.terms().clock().getAsLong();
        replace(now -> now.begun(write, time));
        return write;
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
        PendingWrite read =
                new PendingWrite(this, cluster, true, onAwaited, floors, mayWrite, basis, seconds(snapshot));
        replace(now -> now.begun(read));
        return read;
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
     * <p>What may still be going on is left unresolved until it has surely ended; but what has ended of it may be lost
     * already, where it was on an earlier branch or a crash could lose it, and whoever is served must not wait so long to be
     * told. Then that is taken over, and the rest stays.
     *
     * @param cluster the cluster that is routed to
     * @param onAwaited runs when somebody waits for its position; must be quick
     * @param now the time, by the monitor's clock
     * @param present where the primary is; {@code null} if that is not known
     * @return the write, which has ended; {@code null} if there is nothing to be taken over, or not yet
     */
    public @Nullable PendingWrite takeOver(String cluster, Runnable onAwaited, long now, @Nullable Position present) {
        while (true) {
            Snapshot before = snapshot;
            Unresolved mark = before.unresolvedIn(cluster);
            long time = seconds(before);
            if (mark == null) {
                return null;
            }
            Unresolved rest = null;
            if (mark.goesOn(time)) {
                if (present == null || !mark.mayBeLostOn(present)) {
                    return null;
                }
                rest = new Unresolved(cluster, present, mark.until());
            }
            PendingWrite write = new PendingWrite(
                    this, cluster, false, onAwaited, null, mark.after() != null, mark.after(), mark.exposedAt());
            if (SNAPSHOT.compareAndSet(this, before, before.takenOver(mark, write, rest))) {
                write.doneElsewhere(now - TimeUnit.SECONDS.toNanos(mark.exposedFor(time)));
                return write;
            }
        }
    }

    /**
     * Tells whether the session knows of a later branch, by a position or by what came unresolved: whoever routes by an
     * earlier one is behind.
     *
     * @param cluster the cluster that is routed to
     * @param branch the branch of the primary
     * @return whether it does
     */
    public boolean knowsBeyond(String cluster, long branch) {
        return snapshot.knowsBeyond(cluster, branch);
    }

    /**
     * Tells whether something came unresolved that nobody has taken over.
     *
     * @param cluster the cluster that is routed to
     * @return whether {@link #takeOver} may have something to do
     */
    public boolean hasUnresolved(String cluster) {
        return snapshot.unresolvedIn(cluster) != null;
    }

    /**
     * Counts a read on a replica, from before it is sent.
     *
     * @param floors finds the replica's position, should it be needed
     * @param replica the server
     * @param openedAt a time at which the read's connection was open
     * @param lentAt when it was lent: what it shows is of the history that was followed then
     * @param basis where the replica was known to be; {@code null} if that is not known
     * @return the read, to be ended once
     */
    public OpenRead beginRead(
            Floors floors, ServerIdentity replica, long openedAt, long lentAt, @Nullable Position basis) {
        while (true) {
            Snapshot before = snapshot;
            Sighting known = before.seenOn(replica, openedAt);
            Sighting sighting = known == null
                    ? new Sighting(new Sighting.Life(this, floors, replica), 1, openedAt, lentAt, basis)
                    : known.begun(basis);
            if (SNAPSHOT.compareAndSet(this, before, before.sighted(sighting))) {
                return new OpenRead(this, sighting.life(), lentAt);
            }
        }
    }

    /**
     * Counts a read on a replica of which it is not known where that is.
     *
     * @param floors finds the replica's position, should it be needed
     * @param replica the server
     * @param openedAt a time at which the read's connection was open
     * @param lentAt when it was lent
     * @return the read, to be ended once
     */
    public OpenRead beginRead(Floors floors, ServerIdentity replica, long openedAt, long lentAt) {
        return beginRead(floors, replica, openedAt, lentAt, null);
    }

    /** Changes what is known of a life, unless it was dropped. */
    void replace(Sighting.Life life, UnaryOperator<Sighting> change) {
        replace(now -> now.sighted(life, change));
    }

    /**
     * Returns where the session has read in the cluster without a position: a replica that is not the same, in the same
     * life, may be behind that.
     *
     * @param cluster the cluster that is read from
     * @return the sightings, one for each life; unmodifiable
     */
    public List<Sighting> seen(String cluster) {
        return snapshot.seenIn(cluster);
    }

    /**
     * Asks for the positions of what was seen, on replicas and on the primary, and waits for them. From then on {@link #required} has them.
     *
     * @param cluster the cluster that is read from
     * @return completes when everything that was seen until it was subscribed has a position; sets no limit itself.
     *     Cancelling it only stops waiting
     */
    public Mono<Void> floors(String cluster) {
        return Mono.defer(() -> new Settlement(snapshot).ofSeen(cluster));
    }

    /**
     * Returns the positions that a server must have reached to serve the session, besides what is pending or seen.
     *
     * @param cluster the cluster that is read from
     * @return its positions in that cluster; unmodifiable
     */
    public List<Position> required(String cluster) {
        return Positions.of(cluster, snapshot.known().positions());
    }

    /**
     * Tells whether a write to the cluster, through whichever router, is without a position.
     *
     * @param cluster the cluster that is read from
     * @return whether reads must see the primary
     */
    public boolean hasPending(String cluster) {
        Snapshot now = snapshot;
        return now.hasPending(cluster, false) || now.unresolvedIn(cluster) != null;
    }

    /**
     * Tells whether a write to the cluster is on its way to a position, which {@link #settled()} waits for. What came
     * unresolved and may still be going on elsewhere is not: only time ends that.
     *
     * @param cluster the cluster that is read from
     * @return whether waiting for it can help
     */
    public boolean settlesIn(String cluster) {
        return snapshot.hasPending(cluster, false);
    }

    /**
     * Tells whether something that was read from the primary is without a position. That is known in a moment.
     *
     * @param cluster the cluster that is read from
     * @return whether {@link #floors} has to be awaited before a replica is read from
     */
    public boolean hasPendingReads(String cluster) {
        return snapshot.hasPending(cluster, true);
    }

    /**
     * Returns what reads must not be behind, besides the pending writes.
     *
     * @return the token, or {@code null} if nothing was written or observed
     */
    public @Nullable CausalToken observed() {
        return snapshot.token();
    }

    /**
     * Merges a token in.
     *
     * @param token what reads must not be behind from now on
     */
    public void observe(CausalToken token) {
        replace(now -> now.observed(token));
    }

    /**
     * Waits for the positions of what is pending or seen when it is subscribed.
     *
     * @return the token, empty if there is none, or an error while a write transaction is open, or if a write may be lost
     *     of which the session is to be told and was not
     */
    public Mono<CausalToken> token() {
        return Mono.defer(() -> new Settlement(snapshot).then(this::observedUnlessLost));
    }

    /**
     * Waits for the positions of what is pending or seen when it is subscribed, but not for long.
     *
     * @param limit how long
     * @return as {@link #token()}; what has no position by then, or is still going on, is unresolved in the token. No
     *     error while a write transaction is open
     */
    public Mono<CausalToken> token(Duration limit) {
        return Mono.defer(() -> new Settlement(snapshot).then(this::observedUnlessLost, limit, this::withMarks));
    }

    private Mono<CausalToken> observedUnlessLost() {
        return unlessLost(Snapshot::token);
    }

    private Mono<CausalToken> withMarks() {
        return unlessLost(now -> now.tokenWithMarks(seconds(now)));
    }

    /** Of one snapshot: what is lost a moment later is neither settled in the token, nor told to whoever takes it away. */
    private Mono<CausalToken> unlessLost(Function<Snapshot, @Nullable CausalToken> token) {
        Snapshot now = replace(Snapshot::told);
        return now.untold() ? Mono.error(lostWhilePending()) : Mono.justOrEmpty(token.apply(now));
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
        PendingWrite anew = new PendingWrite(this, cluster, false, onAwaited, null, false, null, Unresolved.SAFE);
        int lost = replace(now -> now.forgotten(positions, anew)).known().countCaptured(positions);
        if (lost == 0) {
            return new Forgotten(0, null);
        }
        anew.end();
        return new Forgotten(lost, anew);
    }

    /** Returns whether this call settled it: of several at once, one does. */
    boolean settle(PendingWrite write, CausalToken token, long sentAt) {
        return replace(now -> now.settled(write, token, sentAt)).pending().contains(write);
    }

    /** What was seen in that life until then lies at or before the token. */
    void settle(Sighting.@Nullable Life life, long seenAt, CausalToken token) {
        replace(now -> now.settled(life, seenAt, token));
    }

    @Override
    public String toString() {
        Snapshot now = snapshot;
        CausalToken token = now.token();
        return (token == null ? "nothing written" : token.encode())
                + ", " + now.pending().size() + " pending"
                + (now.seen().isEmpty() ? "" : ", has read from " + now.seen().size());
    }

    private static long seconds(Snapshot now) {
        return Math.floorDiv(now.terms().utc().millis(), 1000L);
    }

    /**
     * Replaces the snapshot. Spelt out: a test that explores the orders of reading and writing does not look into the
     * JDK's own.
     *
     * @return what it was before
     */
    @SuppressWarnings("ReferenceEquality") // whether anything was changed
    private Snapshot replace(UnaryOperator<Snapshot> change) {
        while (true) {
            Snapshot before = snapshot;
            Snapshot after = change.apply(before);
            if (after == before || SNAPSHOT.compareAndSet(this, before, after)) {
                return before;
            }
        }
    }
}
