package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.spi.HistoryMark;
import io.github.r2dbcrouting.spi.Introduction;
import io.github.r2dbcrouting.spi.Observation;
import io.github.r2dbcrouting.spi.Position;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What did one probe of one server bring?
 *
 * @param introduction what the monitor's connection said when it was opened
 * @param openedAt when that was, by the monitor's clock
 * @param observation what the probe brought
 * @param sentAt when the probe was sent: what it brought is at least as new
 * @param nudged whether the history was nudged between the sending and the observation
 * @param ancestors where each earlier branch of a primary's history was left, as it says itself; empty if it does not
 * @param bearing what the history of a replica was found to have of a primary's; {@code null} if it was not searched
 * @param branchRemembered whether the branch is one that an earlier probe told, since the server receives nothing now
 */
record Sample(
        Introduction introduction,
        long openedAt,
        Observation observation,
        long sentAt,
        boolean nudged,
        List<Position> ancestors,
        @Nullable Bearing bearing,
        boolean branchRemembered) {

    Sample(
            Introduction introduction,
            long openedAt,
            Observation observation,
            long sentAt,
            boolean nudged,
            List<Position> ancestors,
            @Nullable Bearing bearing) {
        this(introduction, openedAt, observation, sentAt, nudged, ancestors, bearing, false);
    }

    Sample(Introduction introduction, long openedAt, Observation observation, long sentAt, boolean nudged) {
        this(introduction, openedAt, observation, sentAt, nudged, List.of(), null);
    }

    boolean is(ServerRole role) {
        return observation.role() == role;
    }

    Sample onBranch(long certain) {
        return new Sample(
                introduction, openedAt, observation.onBranch(certain), sentAt, nudged, ancestors, bearing, true);
    }

    /** The branch that a mark in its history is on, unless it says itself that it is on a later one. */
    Sample onBranchOf(HistoryMark mark) {
        Position position = observation.position();
        boolean earlier = position != null && position.branch() < mark.at().branch();
        return earlier && position != null
                ? with(observation.withPosition(position.onBranch(mark.at().branch())))
                : this;
    }

    private Sample with(Observation changed) {
        return new Sample(introduction, openedAt, changed, sentAt, nudged, ancestors, bearing, branchRemembered);
    }
}
