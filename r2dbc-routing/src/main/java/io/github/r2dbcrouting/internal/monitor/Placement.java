package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.spi.Lineage;
import io.github.r2dbcrouting.spi.Position;
import java.util.List;
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
    private final boolean primaryUp;
    private final @Nullable ServerState rival;
    private final boolean timelinesMatter;
    private final LongPredicate sinceItBegan;
    private final boolean replicasTell;

    /**
     * Creates the rule for a line that was followed before anything was asked.
     *
     * @param line the line of the primary; {@code null} if there was none yet
     * @param primaryUp whether the primary answers
     * @param rival another primary on a branch of the same number; {@code null} if there is none
     * @param timelinesMatter whether any of this matters
     */
    Placement(@Nullable Lineage line, boolean primaryUp, @Nullable ServerState rival, boolean timelinesMatter) {
        this(line, primaryUp, rival, timelinesMatter, sentAt -> true, false);
    }

    /**
     * Creates the rule.
     *
     * @param line the line of the primary; {@code null} if there was none yet
     * @param primaryUp whether the primary answers
     * @param rival another primary on a branch of the same number; {@code null} if there is none
     * @param timelinesMatter whether any of this matters
     * @param sinceItBegan whether a probe that was sent at a time was sent after the line's branch was followed first
     * @param replicasTell whether replicas say which branch they receive, so that who says nothing receives nothing
     */
    Placement(
            @Nullable Lineage line,
            boolean primaryUp,
            @Nullable ServerState rival,
            boolean timelinesMatter,
            LongPredicate sinceItBegan,
            boolean replicasTell) {
        this.sinceItBegan = sinceItBegan;
        this.replicasTell = replicasTell;
        this.line = line;
        this.primaryUp = primaryUp;
        this.rival = rival;
        this.timelinesMatter = timelinesMatter;
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
        if (rival != null && position.branch() == line.branch() && !beforeTheBranch(there, line)) {
            return server.status() == ServerStatus.UP
                    ? refused(
                            server,
                            "follows a primary of which there are two, the other being " + rival.name()
                                    + ": make that one a replica")
                    : at(server, null, true);
        }
        boolean certain = sample.observation().branchCertain();
        return switch (line.judge(position)) {
            case KEPT -> {
                if (certain && !sample.branchRemembered() && position.branch() < line.branch()) {
                    // it was not beyond the switch when it was asked, but what it receives leads there
                    yield refused(
                            server,
                            "still receives the branch that " + line
                                    + " has left: let it follow the primary, or it will have what is lost");
                }
                if (position.branch() < line.branch() && !sinceItBegan.test(sample.sentAt())) {
                    // whatever it has received since then is beyond the switch
                    yield at(server, null, true);
                }
                // of a replica that may have gone on to a branch which nobody has shown yet nothing is known
                boolean known = certain || primaryUp || position.branch() < line.branch();
                yield at(server, known ? there : null, !near.test(there));
            }
            case BEYOND_THE_SWITCH ->
                certain || replicasTell
                        ? refused(
                                server,
                                "went further with an earlier primary than where " + line
                                        + " began: it has what is lost, so it serves nothing until it is rebuilt")
                        : at(server, null, !near.test(there));
            case UNKNOWN -> at(server, null, certain || !near.test(there));
            case AHEAD -> at(server, null, true);
        };
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
