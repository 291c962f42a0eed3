package io.github.r2dbcrouting.spi;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which branches of history led to the primary's?
 *
 * <p>One line: each earlier branch up to where the next one began, and then the primary's own. Along it positions are
 * totally ordered, so what lies on it can be told as if it were on the primary's branch. Of branches whose end is not
 * known nothing can be said. Immutable.
 *
 * @since 0.1.0
 */
public final class Lineage {

    /** What is known of a position. */
    public enum Verdict {
        /** On the line: whoever is at or beyond it on the line has everything that had happened there. */
        KEPT,
        /** Beyond where its branch was left: what happened there may be lost. */
        BEYOND_THE_SWITCH,
        /** On an earlier branch, or one that is not of the line, of which it is not known where it was left. */
        UNKNOWN,
        /** On a branch that began later than the one that is followed: the router is behind. */
        AHEAD
    }

    private final long branch;
    private final List<Position> ends;

    private Lineage(long branch, List<Position> ends) {
        this.branch = branch;
        this.ends = ends;
    }

    /**
     * Describes a line.
     *
     * @param branch the number of the primary's branch
     * @param ends where each earlier branch of the line was left, on that branch; in any order, and those that are known
     * @return the line
     */
    public static Lineage of(long branch, List<? extends Position> ends) {
        Map<Long, Position> sorted = new TreeMap<>();
        for (Position end : ends) {
            if (end.branch() < branch) {
                sorted.put(end.branch(), end);
            }
        }
        return new Lineage(branch, List.copyOf(sorted.values()));
    }

    /**
     * Goes on to a branch that began at a known place of this line.
     *
     * @param next the number of the new branch
     * @param end where the branch before it was left
     * @return the line to the new branch; what is known of this one is kept where the new branch began on it
     */
    public Lineage then(long next, Position end) {
        List<Position> all = new java.util.ArrayList<>(1 + ends.size());
        if (end.branch() == branch || endOf(end.branch()) != null) {
            ends.stream().filter(known -> known.branch() < end.branch()).forEach(all::add);
        }
        all.add(end);
        return of(next, all);
    }

    /**
     * Returns which branch the line ends with.
     *
     * @return the number of the primary's branch
     */
    public long branch() {
        return branch;
    }

    /**
     * Returns where the earlier branches were left, as far as that is known.
     *
     * @return one position for each, in the order of their branches; unmodifiable
     */
    public List<Position> ends() {
        return ends;
    }

    /**
     * Judges a position of the same cluster.
     *
     * @param position any position
     * @return what is known of it
     */
    public Verdict judge(Position position) {
        long on = position.branch();
        if (on == branch) {
            return Verdict.KEPT;
        }
        // numbers are unsigned in 32 bits, so they never are negative here
        if (on > branch) {
            return Verdict.AHEAD;
        }
        Position end = endOf(on);
        if (end == null) {
            return Verdict.UNKNOWN;
        }
        return end.covers(position) ? Verdict.KEPT : Verdict.BEYOND_THE_SWITCH;
    }

    /**
     * Tells a position as if it were on the primary's branch.
     *
     * @param position any position
     * @return the same place on the primary's branch, or {@code null} if it does not surely lie on the line
     */
    public @Nullable Position onLine(Position position) {
        if (position.branch() == branch) {
            return position;
        }
        return judge(position) == Verdict.KEPT ? position.onBranch(branch) : null;
    }

    private @Nullable Position endOf(long earlier) {
        for (Position end : ends) {
            if (end.branch() == earlier) {
                return end;
            }
        }
        return null;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Lineage that && branch == that.branch && ends.equals(that.ends);
    }

    @Override
    public int hashCode() {
        return Long.hashCode(branch) * 31 + ends.hashCode();
    }

    /** Returns the line for people. */
    @Override
    public String toString() {
        String earlier = ends.stream().map(Position::toString).collect(Collectors.joining(", then "));
        return "branch " + branch + (earlier.isEmpty() ? "" : ", after " + earlier);
    }
}
