package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.spi.Lineage;
import io.github.r2dbcrouting.spi.Position;
import java.util.List;
import java.util.function.Function;
import java.util.function.LongPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Where is a replica on the line of history that led to the primary, if it is on it?
 *
 * <p>A pure function. What it says of a replica in its state: the position told on the primary's branch; no position where
 * it cannot be told which branch the replica is on, so that it covers nothing but may serve reads that ask for nothing;
 * and a refusal if it went beyond where that line left the replica's branch.
 */
final class Placement {

    private final @Nullable Lineage line;
    private final Primaries primaries;
    private final boolean timelinesMatter;
    private final Function<Sample, BranchMarks.Verdict> marks;
    private final LongPredicate sinceItBegan;

    /**
     * Which primaries are there?
     *
     * @param followed the one that is followed, if it answers or has only just failed to; {@code null} if there is none
     * @param rival another one, up or down, on a branch of the same number; {@code null} if there is none
     * @param anotherAnswers whether any other one answers, or has only just failed to: a replica that receives nothing now
     *     may receive from that one the next moment
     */
    record Primaries(
            @Nullable ServerState followed, @Nullable ServerState rival, boolean anotherAnswers) {

        boolean up() {
            return followed != null && followed.status() == ServerStatus.UP;
        }
    }

    /** Creates the rule for a cluster whose branches are told apart by their numbers only. */
    Placement(@Nullable Lineage line, Primaries primaries, boolean timelinesMatter) {
        this(line, primaries, timelinesMatter, sample -> BranchMarks.Verdict.NOT_TOLD, sentAt -> true);
    }

    /**
     * Creates the rule.
     *
     * @param line the line of the primary; {@code null} if there was none yet
     * @param primaries who is the primary, and who else is one
     * @param timelinesMatter whether any of this matters
     * @param marks what the marks of the primary's branch say of a replica
     * @param sinceItBegan whether a probe that was sent at a time was sent after the primary's branch was first followed
     */
    Placement(
            @Nullable Lineage line,
            Primaries primaries,
            boolean timelinesMatter,
            Function<Sample, BranchMarks.Verdict> marks,
            LongPredicate sinceItBegan) {
        this.line = line;
        this.primaries = primaries;
        this.timelinesMatter = timelinesMatter;
        this.marks = marks;
        this.sinceItBegan = sinceItBegan;
    }

    ServerState place(ServerState server, ServerReport report, Predicate<Position> near) {
        Position position = server.position();
        Sample sample = report.sample();
        boolean replica = server.role() == ServerRole.REPLICA && server.status() != ServerStatus.REFUSED;
        if (!replica || position == null || sample == null) {
            return server;
        }
        if (line == null) {
            return at(server, position, !near.test(position));
        }
        Position there = position.onBranch(line.branch());
        if (!timelinesMatter) {
            return at(server, there, !near.test(there));
        }
        ServerState rival = primaries.rival();
        BranchMarks.Verdict branch = marks.apply(sample);
        boolean taken = branch == BranchMarks.Verdict.NOT_TOLD || branch == BranchMarks.Verdict.PROVEN;
        if (branch == BranchMarks.Verdict.ELSEWHERE && position.branch() <= line.branch()) {
            return refused(
                    server,
                    "went another way than the primary, as a replica of "
                            + (rival == null ? "another one" : rival.name())
                            + " that was promoted beside it, or of an earlier one: it serves nothing until it is rebuilt");
        }
        if (rival != null
                && branch != BranchMarks.Verdict.PROVEN
                && position.branch() == line.branch()
                && !beforeTheBranch(there, line)) {
            return server.status() == ServerStatus.UP
                    ? refused(
                            server,
                            "follows a primary of which there are two, the other being " + rival.name()
                                    + ": make that one a replica")
                    : at(server, null, true);
        }
        boolean certain = sample.observation().branchCertain();
        boolean earlier = position.branch() < line.branch();
        if (!taken && !(certain && earlier) && line.judge(position) != Lineage.Verdict.AHEAD) {
            // of what follows nobody else as far as is known, reads that ask for nothing are served while nobody is
            // followed
            return at(server, null, earlier || primaries.followed() != null || !near.test(there));
        }
        return switch (line.judge(position)) {
            case KEPT -> {
                if (earlier && mayGoBeyond(sample)) {
                    yield at(server, null, true);
                }
                // of a replica that may have gone on to a branch which nobody has shown yet nothing is known
                boolean known = certain || primaries.up() || earlier;
                yield at(server, known ? there : null, !near.test(there));
            }
            case BEYOND_THE_SWITCH ->
                certain
                        ? refused(
                                server,
                                "went further with an earlier primary than where " + line
                                        + " began: it has what is lost, so it serves nothing until it is rebuilt")
                        : at(server, null, !near.test(there));
            case UNKNOWN -> at(server, null, certain || !near.test(there));
            case AHEAD -> at(server, null, true);
        };
    }

    /**
     * Whether a replica that was not beyond the switch when it was asked may be by now: it still received the branch that
     * was left, or can receive it again, or had not replayed all of it, or was asked before anybody knew that it was left.
     */
    private boolean mayGoBeyond(Sample sample) {
        boolean receives = sample.observation().branchCertain() && !sample.branchRemembered();
        return receives
                || primaries.anotherAnswers()
                || !sample.observation().settled()
                || !sinceItBegan.test(sample.sentAt());
    }

    private static boolean beforeTheBranch(Position there, Lineage line) {
        List<Position> ends = line.ends();
        if (ends.isEmpty()) {
            return false;
        }
        Position began = ends.get(ends.size() - 1);
        return began.onBranch(line.branch()).reaches(there);
    }

    private static ServerState at(ServerState server, @Nullable Position position, boolean tooFarBehind) {
        return server.withPosition(position, tooFarBehind);
    }

    static ServerState refused(ServerState server, String problem) {
        return server.withStatus(ServerStatus.REFUSED, problem);
    }
}
