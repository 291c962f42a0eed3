package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Everything that the probes of one server have brought so far.
 *
 * @param server the server
 * @param sample the last answer; {@code null} if there was none
 * @param failures how many probes have failed since
 * @param problem what the last of them failed with, for people; {@code null} if none has
 * @param switchPoint where a primary's branch began, if it was seen to be promoted; {@code null} if not
 * @param earlier what answered at its address before, the latest last
 * @param alternating whether something that had answered before came back
 * @param movedAt since when it has said the position that it said last, by the monitor's clock
 */
record ServerReport(
        MonitoredServer server,
        @Nullable Sample sample,
        int failures,
        @Nullable String problem,
        @Nullable Position switchPoint,
        List<ServerIdentity> earlier,
        boolean alternating,
        long movedAt) {

    private static final int MEMORY = 8;

    static ServerReport none(MonitoredServer server) {
        return new ServerReport(server, null, 0, null, null, List.of(), false, 0);
    }

    ServerReport answered(Sample answer) {
        Sample before = sample;
        if (before == null) {
            return new ServerReport(server, answer, 0, null, null, earlier, alternating, answer.sentAt());
        }
        Sample latest = withWhatIsKnownOfItsBranch(before, answer);
        ServerIdentity was = before.introduction().identity();
        ServerIdentity is = latest.introduction().identity();
        return new ServerReport(
                server,
                latest,
                0,
                null,
                switchPoint(before, latest),
                was.equals(is) ? earlier : with(earlier, was),
                alternating || (!was.equals(is) && earlier.contains(is)),
                Objects.equals(
                                before.observation().position(),
                                latest.observation().position())
                        ? movedAt
                        : latest.sentAt());
    }

    /** The same server, with other settings: what it has said still holds. */
    ServerReport with(MonitoredServer changed) {
        return new ServerReport(changed, sample, failures, problem, switchPoint, earlier, alternating, movedAt);
    }

    ServerReport failed(String latest) {
        return new ServerReport(server, sample, failures + 1, latest, switchPoint, earlier, alternating, movedAt);
    }

    /**
     * A replica goes to later branches only. While it receives nothing it cannot say on which one it is, but in one life
     * it still is where it was.
     */
    private static Sample withWhatIsKnownOfItsBranch(Sample before, Sample latest) {
        Position was = before.observation().position();
        Position is = latest.observation().position();
        boolean carries = sameLife(before, latest)
                && before.is(ServerRole.REPLICA)
                && latest.is(ServerRole.REPLICA)
                && was != null
                && is != null
                && before.observation().branchCertain()
                && !latest.observation().branchCertain()
                && is.branch() <= was.branch();
        return carries && was != null ? latest.onBranch(was.branch()) : latest;
    }

    /**
     * What a promoted server says it had replayed is where its branch began, but only as long as it is the promotion
     * that it speaks of: after a crash it speaks of the recovery from that.
     */
    private @Nullable Position switchPoint(Sample before, Sample latest) {
        if (!latest.is(ServerRole.PRIMARY)) {
            return null;
        }
        if (before.is(ServerRole.PRIMARY)) {
            boolean sameBranch =
                    before.observation().branch() == latest.observation().branch();
            return sameBranch ? switchPoint : null;
        }
        Position was = before.observation().position();
        Position left = latest.observation().recoveredTo();
        boolean witnessed = sameLife(before, latest) && was != null && left != null && was.branch() == left.branch();
        return witnessed ? left : null;
    }

    /** A recovery from a crash ends every connection, the monitor's too; a promotion does not. */
    private static boolean sameLife(Sample before, Sample latest) {
        return before.openedAt() == latest.openedAt()
                && before.introduction().identity().equals(latest.introduction().identity());
    }

    private static List<ServerIdentity> with(List<ServerIdentity> earlier, ServerIdentity was) {
        List<ServerIdentity> longer = new ArrayList<>(earlier);
        longer.remove(was);
        longer.add(was);
        return List.copyOf(longer.subList(Math.max(longer.size() - MEMORY, 0), longer.size()));
    }
}
