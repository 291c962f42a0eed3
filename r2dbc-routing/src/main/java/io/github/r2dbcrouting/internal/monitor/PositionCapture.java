package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.spi.Position;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Which position has each write?
 *
 * <p>Any position of the primary that was asked for after a write had ended lies at or behind it. So all writes that
 * ended before a probe was sent share that probe. Writes are handed in by any thread and wait here; everything else
 * happens within the monitor's tasks.
 */
final class PositionCapture {

    private final Queue<EndedWrite> handedIn = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean announced = new AtomicBoolean();
    private final List<EndedWrite> waiting = new ArrayList<>();
    private volatile int waitingCount;
    private final LongPredicate partedSince;
    private @Nullable Position latest;

    /**
     * Creates one for which nothing waits.
     *
     * @param partedSince whether another history was followed at a time than is now
     */
    PositionCapture(LongPredicate partedSince) {
        this.partedSince = partedSince;
    }

    /**
     * What became of the writes that a sample settled.
     *
     * @param settled how many have their position now
     * @param possiblyLost the servers of those that may not have survived, one entry for each
     */
    record Outcome(int settled, List<Integer> possiblyLost) {}

    /**
     * Hands a write in.
     *
     * @return whether a capture must be set going; one is on its way, if not
     */
    boolean handIn(EndedWrite write) {
        handedIn.add(write);
        return announced.compareAndSet(false, true);
    }

    /** Takes over what was handed in. To be called before the probe that shall settle it is sent. */
    void gather() {
        for (EndedWrite write = handedIn.poll(); write != null; write = handedIn.poll()) {
            waiting.add(write);
        }
        waitingCount = waiting.size();
    }

    /**
     * A capture is over.
     *
     * @return whether the next one must be set going, for what was handed in meanwhile
     */
    boolean over() {
        announced.set(false);
        return !handedIn.isEmpty() && announced.compareAndSet(false, true);
    }

    /** How many wait, those that were only handed in as well. Any thread. */
    int size() {
        return waitingCount + handedIn.size();
    }

    /** When the first of those that were gathered ended; {@code null} if there is none. */
    @Nullable
    Long oldest() {
        Long oldest = null;
        for (EndedWrite write : waiting) {
            oldest = oldest == null || write.endedAt() - oldest < 0 ? Long.valueOf(write.endedAt()) : oldest;
        }
        return oldest;
    }

    boolean waiting() {
        return !waiting.isEmpty();
    }

    boolean needsNudge() {
        return waiting.stream().anyMatch(write -> !write.durable());
    }

    /** The configuration was read again: whether a commit waited for the disk is no longer known. */
    void forgetDurability() {
        waiting.replaceAll(EndedWrite::withoutDurability);
    }

    /**
     * Settles what a sample of the primary can settle.
     *
     * @param server the index of the primary
     * @param sample what it answered
     * @param position the position in it
     * @param trusting whether a flush position is taken to be behind commits that did not wait for the disk
     */
    Outcome settle(int server, Sample sample, Position position, boolean trusting) {
        Queue<EndedWrite> settled = new ArrayDeque<>();
        List<Integer> possiblyLost = new ArrayList<>(0);
        for (Iterator<EndedWrite> all = waiting.iterator(); all.hasNext(); ) {
            EndedWrite write = all.next();
            boolean sameServer = write.server() == server;
            boolean sameHistory = sameServer && write.basis() != null && position.covers(write.basis());
            // a server that went back behind the basis may have been written to since, and not have flushed that either
            boolean reached = write.durable() || sample.nudged() || trusting || !sameServer;
            if (write.endedAt() - sample.sentAt() < 0 && reached) {
                all.remove();
                settled.add(write);
                boolean sameLife = sample.openedAt() - write.sentAt() < 0;
                boolean safe = sameHistory && (write.durable() || sameLife);
                boolean lost =
                        write.write().mayHaveWritten() ? !safe : seenElsewhere(write, server, position, sameLife);
                if (lost) {
                    possiblyLost.add(write.server());
                    write.write().lost();
                }
            }
        }
        waitingCount = waiting.size();
        if (!settled.isEmpty()) {
            latest = position;
            CausalToken shared = token(position);
            settled.forEach(write -> write.write().settle(shared, sample.sentAt()));
        }
        return new Outcome(settled.size(), possiblyLost);
    }

    /**
     * Whether what was only read was read from another primary, from a history that this one has gone back behind, or
     * before a crash, in which commits that did not wait for the disk were lost. What a replica has shown was on the disk
     * of the primary that was followed then, however long ago the position was asked for.
     */
    private boolean seenElsewhere(EndedWrite read, int server, Position position, boolean sameLife) {
        return read.server() == EndedWrite.ANY_SERVER
                ? partedSince.test(read.sentAt())
                : read.server() != server || !sameLife || (read.basis() != null && !position.covers(read.basis()));
    }

    static CausalToken token(Position position) {
        return CausalToken.of(List.of(position));
    }

    /** The newest position that a session was given; {@code null} if none was. */
    @Nullable
    Position latest() {
        return latest;
    }
}
