package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.Lag;
import io.github.r2dbcrouting.spi.Position;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * When was the primary where a replica is now?
 *
 * <p>A ring of (time at which the primary was asked, position that it answered). A replica that covers an entry has
 * everything that the primary had at that time, so it is at most so old, by our own clock alone. Not thread-safe.
 */
final class PositionHistory {

    private final long spacing;
    private final long[] sentAt;
    private final @Nullable Position[] positions;
    private int newest = -1;
    private int size;
    private long movedAt;

    PositionHistory(Duration reach, Duration spacing) {
        this.spacing = spacing.toNanos();
        int capacity = Math.toIntExact(reach.toNanos() / this.spacing) + 2;
        this.sentAt = new long[capacity];
        this.positions = new Position[capacity];
    }

    /** Adds an entry. One that is not beyond the entry before it on the same branch starts the history anew. */
    void add(long sentAt, Position position) {
        Position last = newest();
        if (last != null && !position.covers(last)) {
            size = 0;
        }
        if (last == null || !last.covers(position)) {
            movedAt = sentAt;
        }
        // the newest entry is replaced until it is far enough from the one before it
        if (size < 2 || this.sentAt[newest] - this.sentAt[at(size - 2)] >= spacing) {
            newest = (newest + 1) % positions.length;
            size = Math.min(size + 1, positions.length);
        }
        this.sentAt[newest] = sentAt;
        positions[newest] = position;
    }

    /** Tells all entries on another branch: what the history before a promotion says holds after it, up to there. */
    void rebase(UnaryOperator<@Nullable Position> onNewBranch) {
        int kept = 0;
        for (int i = 0; i < size; i++) {
            Position entry = positions[at(i)];
            Position there = entry == null ? null : onNewBranch.apply(entry);
            if (there != null && kept == i) {
                positions[at(i)] = there;
                kept++;
            }
        }
        newest = Math.floorMod(newest - (size - kept), positions.length);
        size = kept;
    }

    @Nullable
    Position newest() {
        return size == 0 ? null : positions[newest];
    }

    /**
     * Returns whether a server at the position has what the primary had within the time before it was last heard of.
     * While the primary is silent nothing newer is known to exist, so nobody grows older.
     */
    boolean within(Position position, Duration age) {
        Position last = newest();
        if (last == null) {
            return false;
        }
        if (position.covers(last)) {
            return true;
        }
        int covered = newestCovered(position);
        return covered >= 0 && sentAt[newest] - sentAt[at(covered)] <= age.toNanos();
    }

    /**
     * Returns when the primary was asked for the newest position that a server at the given one covers. The time since
     * then is an upper bound of the server's age, and grows while the primary is silent: what it wrote meanwhile is not
     * known.
     *
     * @return the time, or {@link Lag#NEVER} if it covers none
     */
    long freshAt(Position position) {
        int covered = newestCovered(position);
        return covered < 0 ? Lag.NEVER : sentAt[at(covered)];
    }

    /** Returns since when, at least, a server at the position lacks something; {@link Lag#NEVER} if it lacks nothing. */
    long lackingSince(Position position) {
        int next = newestCovered(position) + 1;
        return next >= size ? Lag.NEVER : sentAt[at(next)];
    }

    /** Returns when the newest position was heard of first. */
    long movedAt() {
        return movedAt;
    }

    /** The number of the newest entry that the position covers, counted from the oldest; -1 if there is none. */
    private int newestCovered(Position position) {
        int covered = -1;
        int low = 0;
        int high = size - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            Position entry = positions[at(middle)];
            if (entry != null && position.covers(entry)) {
                covered = middle;
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return covered;
    }

    /** The slot of the n-th entry, counted from the oldest; any slot at all if there is none. */
    private int at(int n) {
        return Math.floorMod(newest - (size - 1) + n, positions.length);
    }
}
