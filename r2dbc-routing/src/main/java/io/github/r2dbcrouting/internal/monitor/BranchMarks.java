package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.spi.HistoryMark;
import io.github.r2dbcrouting.spi.Position;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which marks tell the history of the primary that is followed from every other one, and what do they say of a replica?
 *
 * <p>Immutable. Nobody but the first primary of a cluster writes to its first branch, so marks begin with the second.
 *
 * @param server the index of the primary whose history they are in; {@link RoutingTable#NOBODY} if there was none yet
 * @param branch the number of its branch
 * @param marks the latest first; each of them tells, since a replica that has one keeps it. Empty until one is written
 * @param inForce whether they are needed, for a primary that does not refuse to write them
 */
record BranchMarks(int server, long branch, List<HistoryMark> marks, boolean inForce) {

    /** Of a cluster, or to a test, in which nothing is marked. */
    static final BranchMarks NONE = new BranchMarks(RoutingTable.NOBODY, 0, List.of(), false);

    /** Of a cluster in which nobody was followed yet. */
    static final BranchMarks AWAITED = new BranchMarks(RoutingTable.NOBODY, 0, List.of(), true);

    private static final long FIRST_BRANCH = 1;

    /** Older ones are forgotten: whoever has one of them only is asked again. */
    private static final int MEMORY = 4;

    /** What the marks say of a replica. */
    enum Verdict {
        /** There are none, and it is taken at its word. */
        NOT_TOLD,
        /** It may be on this branch or on another one of the same number. */
        UNPROVEN,
        /** It is on this branch, or on one that began on it. */
        PROVEN,
        /** It went another way. */
        ELSEWHERE
    }

    BranchMarks {
        marks = List.copyOf(marks);
    }

    /** Those of another branch: there is none of them yet. */
    BranchMarks of(int primary, long ofBranch) {
        return server == primary && branch == ofBranch ? this : new BranchMarks(primary, ofBranch, List.of(), true);
    }

    BranchMarks with(HistoryMark mark) {
        return new BranchMarks(
                server,
                branch,
                Stream.concat(Stream.of(mark), marks.stream()).limit(MEMORY).toList(),
                true);
    }

    BranchMarks refused() {
        return new BranchMarks(server, branch, List.of(), false);
    }

    boolean lacking() {
        return inForce && branch > FIRST_BRANCH && marks.isEmpty();
    }

    /** What a replica at a position shall be asked for; {@code null} if nothing, or if that is known. */
    @Nullable
    HistoryMark toAsk(@Nullable Position position, @Nullable Bearing known) {
        if (marks.isEmpty() || position == null || (known != null && tells(known))) {
            return null;
        }
        for (HistoryMark mark : marks) {
            if (position.reaches(mark.at())) {
                return mark;
            }
        }
        return null;
    }

    /** Whether what was found says something of this branch that will not change. */
    private boolean tells(Bearing bearing) {
        return marks.contains(bearing.mark())
                && (bearing.verdict() != Bearing.Verdict.FORGOTTEN
                        || bearing.mark().equals(marks.get(0)));
    }

    /**
     * Judges a replica.
     *
     * @param bearing what was found in its history
     * @param followed the index of the primary that is followed
     * @param ofBranch the number of that one's branch
     */
    Verdict judge(@Nullable Bearing bearing, int followed, long ofBranch) {
        boolean these = server == followed && branch == ofBranch;
        if (ofBranch <= FIRST_BRANCH || (!inForce && (these || server == RoutingTable.NOBODY))) {
            return Verdict.NOT_TOLD;
        }
        if (!these || bearing == null || !marks.contains(bearing.mark())) {
            return Verdict.UNPROVEN;
        }
        return switch (bearing.verdict()) {
            case BORNE -> Verdict.PROVEN;
            case ABSENT -> Verdict.ELSEWHERE;
            case FORGOTTEN -> Verdict.UNPROVEN;
        };
    }

    /** Tells the position of a replica on this branch, if it is proven to be on it. */
    Sample placed(Sample sample) {
        Bearing bearing = sample.bearing();
        boolean proven =
                bearing != null && bearing.verdict() == Bearing.Verdict.BORNE && marks.contains(bearing.mark());
        return proven && bearing != null ? sample.onBranchOf(bearing.mark()) : sample;
    }

    /** Whether a replica no longer knows what it is asked for, so that there must be another mark. */
    boolean forgottenBy(Sample sample) {
        Bearing bearing = sample.bearing();
        return bearing != null
                && bearing.verdict() == Bearing.Verdict.FORGOTTEN
                && !marks.isEmpty()
                && bearing.mark().equals(marks.get(0));
    }
}
