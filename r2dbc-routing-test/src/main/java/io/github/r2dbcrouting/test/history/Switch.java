package io.github.r2dbcrouting.test.history;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/**
 * What did it cost that another server took over? Without a word of it the checker takes for lost what is not there at
 * the end. Thread-safe.
 *
 * @since 0.1.0
 */
public final class Switch {

    private final long began;
    private final LongSupplier events;
    private final Map<Long, Set<Long>> lost = new ConcurrentHashMap<>();
    private volatile long followed = Long.MAX_VALUE;

    Switch(long began, LongSupplier events) {
        this.began = began;
        this.events = events;
    }

    /**
     * Says that a value was appended on the branch that was left, and is not on the one that goes on.
     *
     * @param key the list
     * @param value the value
     */
    public void lost(long key, long value) {
        lost.computeIfAbsent(key, list -> ConcurrentHashMap.newKeySet()).add(value);
    }

    /** Says that everybody follows the new branch: who begins to read from now on must see nothing that was lost. */
    public void followed() {
        followed = events.getAsLong();
    }

    /** The number of the event that it was. */
    long began() {
        return began;
    }

    /** The number of the event from which on nobody may see the lost branch. */
    long followedFrom() {
        return followed;
    }

    boolean hasLost(long key, long value) {
        return lost.getOrDefault(key, Set.of()).contains(value);
    }
}
