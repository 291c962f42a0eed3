package io.github.r2dbcrouting.internal.session;

import io.github.r2dbcrouting.Unresolved;
import io.github.r2dbcrouting.spi.Position;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * Where has everything got a position that a session has written and seen, and which positions are they?
 *
 * <p>All that an idle session holds: an application has one for each of its users, so each field here counts. There are
 * positions in place of a token, which is made again when somebody asks for it.
 *
 * @param terms what goes for it
 * @param positions what reads must not be behind
 * @param captured what this process captured for it: what a token from outside hides of that comes back when the token
 *     turns out to be nobody's. The same list where it is equal
 * @param wroteAt when a write was sent or ended last; {@link #NEVER} if none was
 */
record Known(Terms terms, List<Position> positions, List<Position> captured, long wroteAt) implements Snapshot {

    private static final long NEVER = Long.MIN_VALUE;

    static final Known NOTHING = nothing(Terms.COMMON);

    Known {
        captured = captured.equals(positions) ? positions : captured;
    }

    static Known nothing(Terms terms) {
        return new Known(terms, List.of(), List.of(), NEVER);
    }

    @Override
    public Known on(Terms other) {
        return other.equals(terms) ? this : new Known(other, positions, captured, wroteAt);
    }

    @Override
    public Known wrote(long now) {
        return new Known(terms, positions, captured, now == NEVER ? NEVER + 1 : now);
    }

    /** Asks for the time only where it matters. */
    boolean wroteWithin(long nanos, LongSupplier clock) {
        return nanos > 0 && wroteAt != NEVER && clock.getAsLong() - wroteAt < nanos;
    }

    /** What was known stays where both are too many: nobody else crowds out what the session wrote or saw itself. */
    Known observed(List<Position> elsewhere) {
        return with(Positions.merged(positions, elsewhere), captured);
    }

    /** The session's own come first for the same reason. */
    Known learnt(List<Position> own) {
        return with(Positions.merged(own, positions), Positions.merged(own, captured));
    }

    int countCaptured(List<Position> wanted) {
        return Positions.count(captured, wanted::contains);
    }

    Known without(List<Position> gone) {
        List<Position> own = Positions.without(captured, gone::contains);
        return with(Positions.merged(own, Positions.without(positions, gone::contains)), own);
    }

    int count(Predicate<Position> wanted) {
        return Positions.count(positions, wanted);
    }

    /** In both: what was given up must not come back when something else is forgotten. */
    @Override
    public Known goneOnFrom(Position present, Predicate<Position> givenUp) {
        return with(replaced(positions, givenUp, present), replaced(captured, givenUp, present));
    }

    @SuppressWarnings("ReferenceEquality") // whether anything was changed
    private static List<Position> replaced(List<Position> positions, Predicate<Position> givenUp, Position by) {
        List<Position> kept = Positions.without(positions, givenUp);
        return kept == positions ? positions : Positions.merged(List.of(by), kept);
    }

    @SuppressWarnings("ReferenceEquality") // whether anything was changed
    private Known with(List<Position> all, List<Position> own) {
        return all == positions && own == captured ? this : new Known(terms, all, own, wroteAt);
    }

    @Override
    public Known known() {
        return this;
    }

    @Override
    public List<PendingWrite> pending() {
        return List.of();
    }

    @Override
    public List<Sighting> seen() {
        return List.of();
    }

    @Override
    public List<Unresolved> unresolved() {
        return List.of();
    }

    @Override
    public boolean untold() {
        return false;
    }
}
