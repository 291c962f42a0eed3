package io.github.r2dbcrouting.internal.session;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Unresolved;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What does a session know at one moment, and what becomes of it with the next event?
 *
 * <p>Immutable; every method is a pure function. One that changes nothing returns the snapshot itself. An idle session has
 * only what is {@link Known}.
 */
sealed interface Snapshot permits Known, Unsettled {

    Known known();

    List<PendingWrite> pending();

    List<Sighting> seen();

    List<Unresolved> unresolved();

    boolean untold();

    default Terms terms() {
        return known().terms();
    }

    // what happens

    default Snapshot on(Terms terms) {
        return with(known().on(terms));
    }

    default Snapshot wrote(long now) {
        return with(known().wrote(now));
    }

    default Snapshot begun(PendingWrite read) {
        return with(with(pending(), read), seen());
    }

    default Snapshot begun(PendingWrite write, long now) {
        return of(known().wrote(now), with(pending(), write), seen(), unresolved(), untold());
    }

    /** A read on a replica has begun or ended: the sighting takes the place of the one before of that life. */
    default Snapshot sighted(Sighting sighting) {
        return with(pending(), with(seen(), sighting));
    }

    default Snapshot sighted(Sighting.Life life, UnaryOperator<Sighting> change) {
        int at = indexOf(seen(), life);
        return at < 0 ? this : sighted(change.apply(seen().get(at)));
    }

    /** What this process did not capture itself. */
    @SuppressWarnings("ReferenceEquality") // whether anything was changed
    default Snapshot observed(CausalToken token) {
        Known known = known().observed(token.positions());
        List<Unresolved> marks = merged(unresolved(), token);
        return known.equals(known()) && marks == unresolved() ? this : of(known, pending(), seen(), marks, untold());
    }

    /** It lies at or before the position; so does what replicas showed before that was asked for. */
    default Snapshot settled(PendingWrite one, CausalToken token, long sentAt) {
        int at = pending().indexOf(one);
        if (at < 0) {
            return this;
        }
        // whatever a replica showed before was on its primary before, unless that was another one: then it may be lost
        List<Sighting> left = without(
                seen(),
                sighting -> sighting.over(sentAt - 1)
                        && sighting.ofTheHistoryThatIsFollowed()
                        && sighting.identity().cluster().equals(one.cluster()));
        return of(known().learnt(token.positions()), without(pending(), at), left, unresolved(), untold());
    }

    /** What was seen in that life until then, or on the primary if there is none, lies at or before the position. */
    default Snapshot settled(Sighting.@Nullable Life life, long seenAt, CausalToken token) {
        List<Sighting> left = without(seen(), sighting -> sighting.life() == life && sighting.over(seenAt));
        return of(known().learnt(token.positions()), pending(), left, unresolved(), untold());
    }

    default Snapshot takenOver(Unresolved mark, PendingWrite by, @Nullable Unresolved rest) {
        List<Unresolved> left = Stream.concat(
                        unresolved().stream().filter(other -> !other.equals(mark)), Stream.ofNullable(rest))
                .toList();
        return of(known(), with(pending(), by), seen(), left, untold());
    }

    default Snapshot goneOnFrom(Position present, Predicate<Position> givenUp) {
        return with(known().goneOnFrom(present, givenUp));
    }

    /**
     * The primary has not come to the positions.
     *
     * @param anew becomes pending if one of them was captured for the session: they may have hidden what it did before
     */
    default Snapshot forgotten(List<Position> gone, PendingWrite anew) {
        Snapshot rest = with(known().without(gone));
        return known().countCaptured(gone) == 0 ? rest : rest.begun(anew);
    }

    default Snapshot lost() {
        return terms().tellsLostWrites() ? told(true) : this;
    }

    default Snapshot told() {
        return told(false);
    }

    private Snapshot told(boolean untold) {
        return untold == untold() ? this : of(known(), pending(), seen(), unresolved(), untold);
    }

    // what is asked

    default @Nullable CausalToken token() {
        return tokenOf(known().positions(), unresolved());
    }

    /**
     * The token as far as it is known, with a mark for what has no position.
     *
     * @param now the time, in seconds since 1970
     */
    default @Nullable CausalToken tokenWithMarks(long now) {
        List<Unresolved> marks = new ArrayList<>(unresolved());
        pending().forEach(one -> marks.add(one.unresolved(now)));
        seen().forEach(sighting -> marks.add(sighting.unresolved()));
        return tokenOf(known().positions(), marks);
    }

    /** Whether everything that was written and seen has a position, or came without one. */
    default boolean isPlaced() {
        return pending().isEmpty() && seen().isEmpty();
    }

    default boolean hasPending(Predicate<PendingWrite> wanted) {
        List<PendingWrite> pending = pending();
        for (int i = 0; i < pending.size(); i++) {
            if (wanted.test(pending.get(i))) {
                return true;
            }
        }
        return false;
    }

    /** Whether something was seen on a replica of the cluster that was asked for at a time of which something holds. */
    default boolean sawWhile(String cluster, LongPredicate time) {
        List<Sighting> seen = seen();
        for (int i = 0; i < seen.size(); i++) {
            if (seen.get(i).askedWhile(cluster, time)) {
                return true;
            }
        }
        return false;
    }

    /** Whether a position, or something unresolved, of the cluster lies on a later branch. */
    default boolean knowsBeyond(String cluster, long branch) {
        List<Position> positions = known().positions();
        for (int i = 0; i < positions.size(); i++) {
            if (positions.get(i).branch() > branch && positions.get(i).cluster().equals(cluster)) {
                return true;
            }
        }
        for (Unresolved mark : unresolved()) {
            Position after = mark.after();
            if (after != null && after.branch() > branch && after.cluster().equals(cluster)) {
                return true;
            }
        }
        return false;
    }

    default boolean hasPending(String cluster, boolean reads) {
        List<PendingWrite> pending = pending();
        for (int i = 0; i < pending.size(); i++) {
            PendingWrite one = pending.get(i);
            if (one.isRead() == reads && one.cluster().equals(cluster)) {
                return true;
            }
        }
        return false;
    }

    default @Nullable Unresolved unresolvedIn(String cluster) {
        List<Unresolved> unresolved = unresolved();
        for (int i = 0; i < unresolved.size(); i++) {
            if (unresolved.get(i).cluster().equals(cluster)) {
                return unresolved.get(i);
            }
        }
        return null;
    }

    default List<Sighting> seenIn(String cluster) {
        List<Sighting> seen = seen();
        for (int i = 0; i < seen.size(); i++) {
            if (!seen.get(i).identity().cluster().equals(cluster)) {
                return seen.stream()
                        .filter(sighting -> sighting.identity().cluster().equals(cluster))
                        .toList();
            }
        }
        return seen;
    }

    /** In the life that a connection belongs to, if it is surely one that the session has met. */
    default @Nullable Sighting seenOn(ServerIdentity replica, long openedAt) {
        List<Sighting> seen = seen();
        for (int i = 0; i < seen.size(); i++) {
            if (seen.get(i).includes(replica, openedAt)) {
                return seen.get(i);
            }
        }
        return null;
    }

    // with one part replaced

    private Snapshot with(Known known) {
        return known.equals(known()) ? this : of(known, pending(), seen(), unresolved(), untold());
    }

    private Snapshot with(List<PendingWrite> pending, List<Sighting> seen) {
        return of(known(), pending, seen, unresolved(), untold());
    }

    private static Snapshot of(
            Known known, List<PendingWrite> pending, List<Sighting> seen, List<Unresolved> unresolved, boolean untold) {
        return Unsettled.of(known, pending, seen, unresolved, untold);
    }

    private static @Nullable CausalToken tokenOf(List<Position> positions, List<Unresolved> unresolved) {
        return positions.isEmpty() && unresolved.isEmpty() ? null : CausalToken.of(positions, unresolved);
    }

    private static List<Unresolved> merged(List<Unresolved> known, CausalToken token) {
        if (token.unresolved().isEmpty()) {
            return known;
        }
        return known.isEmpty()
                ? token.unresolved()
                : CausalToken.of(List.of(), known)
                        .merge(CausalToken.of(List.of(), token.unresolved()))
                        .unresolved();
    }

    private static List<PendingWrite> with(List<PendingWrite> pending, PendingWrite one) {
        if (pending.isEmpty()) {
            return List.of(one);
        }
        List<PendingWrite> longer = new ArrayList<>(pending.size() + 1);
        longer.addAll(pending);
        longer.add(one);
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

    private static int indexOf(List<Sighting> seen, Sighting.Life life) {
        for (int i = 0; i < seen.size(); i++) {
            if (seen.get(i).life() == life) {
                return i;
            }
        }
        return -1;
    }

    private static List<Sighting> with(List<Sighting> seen, Sighting sighting) {
        int at = indexOf(seen, sighting.life());
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
