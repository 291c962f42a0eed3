package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.internal.session.SightedFloor;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Which position had a replica after a session had read from it?
 *
 * <p>That of any sample that was asked for later, in the same life: often there is one already, and else the replica is
 * probed once for all who ask within a moment. Where that life is over, or the replica does not answer, or was promoted
 * beside the primary, it is what the primary answers to a later question: a replica shows nothing that its primary has
 * not flushed. Everything happens within the monitor's tasks.
 */
final class ReplicaFloors {

    /** So many lives that are over are remembered. */
    private static final int MEMORY = 32;

    private final List<SightedFloor> waiting = new ArrayList<>();
    private final Deque<Sample> lastOfLives = new ArrayDeque<>();
    private final Servers servers;

    /** The servers that are asked. Called within the monitor's tasks. */
    interface Servers {

        /** What is known of every server, at its index. */
        List<ServerReport> reports();

        /** Probes a server within a moment. */
        void probeSoon(int server);

        /** Whether it is of a primary that is not the one which is followed, nor on a later branch. */
        boolean ofRival(Sample sample);

        /**
         * Gives it a position of the primary that is asked for from now on.
         *
         * @param ofRival whether what was seen may be of the history of a primary that is not followed
         */
        void askPrimary(SightedFloor floor, boolean ofRival);
    }

    ReplicaFloors(Servers servers) {
        this.servers = servers;
    }

    void find(SightedFloor floor) {
        if (!decided(floor)) {
            waiting.add(floor);
            servers.probeSoon(indexOf(floor.replica()));
        }
    }

    /** A server has answered, or failed to: for those who wait for it something may be decided. */
    void heardOf(ServerReport report) {
        boolean silent = report.sample() == null && !report.server().is(MonitoredServer.Service.REMOVED);
        if (waiting.isEmpty() || silent) {
            return;
        }
        // also those whose replica answers under a new identity: nobody with the old one is left
        Predicate<SightedFloor> decided = this::decided;
        waiting.removeIf(decided);
    }

    /** Whether it has its position, or nothing of the replica can give it one. */
    private boolean decided(SightedFloor floor) {
        int server = indexOf(floor.replica());
        Sample sample = server < 0 ? null : servers.reports().get(server).sample();
        if (ofRival(floor, sample)) {
            // its positions have the number of a branch that they are not on
            servers.askPrimary(floor, true);
            return true;
        }
        if (sample != null && placed(floor, sample)) {
            return true;
        }
        for (Sample last : lastOfLives) {
            if (isOf(floor, last) && placed(floor, last)) {
                return true;
            }
        }
        boolean answers = server >= 0 && servers.reports().get(server).failures() == 0;
        if (sample == null || !answers || !floor.inLifeOf(sample.openedAt())) {
            servers.askPrimary(floor, false);
            return true;
        }
        return false;
    }

    private boolean ofRival(SightedFloor floor, @Nullable Sample sample) {
        return (sample != null && servers.ofRival(sample))
                || lastOfLives.stream().anyMatch(last -> isOf(floor, last) && servers.ofRival(last));
    }

    private static boolean isOf(SightedFloor floor, Sample sample) {
        return sample.introduction().identity().equals(floor.replica());
    }

    private static boolean placed(SightedFloor floor, Sample sample) {
        Position position = sample.observation().position();
        boolean placed = position != null && floor.placedBy(sample.openedAt(), sample.sentAt());
        if (placed && position != null) {
            floor.settle(PositionCapture.token(position), sample.sentAt());
        }
        return placed;
    }

    /**
     * A connection to a server has ended, and perhaps with it a life: how far that had come is all that will ever be known
     * of it.
     */
    void ended(Sample last) {
        lastOfLives.addFirst(last);
        if (lastOfLives.size() > MEMORY) {
            lastOfLives.removeLast();
        }
    }

    private int indexOf(@Nullable ServerIdentity identity) {
        List<ServerReport> reports = servers.reports();
        for (int i = 0; i < reports.size(); i++) {
            Sample sample = reports.get(i).sample();
            if (sample != null && Objects.equals(sample.introduction().identity(), identity)) {
                return i;
            }
        }
        return -1;
    }
}
