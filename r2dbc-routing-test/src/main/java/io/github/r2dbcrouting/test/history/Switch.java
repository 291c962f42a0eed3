package io.github.r2dbcrouting.test.history;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What did it cost that another server took over? Without a word of it the checker takes for lost what is not there at
 * the end. Thread-safe.
 *
 * @since 0.1.0
 */
public final class Switch {

    private final long began;
    private final @Nullable String promoted;
    private final LongSupplier events;
    private final Map<Long, Set<Long>> lost = new ConcurrentHashMap<>();
    private final Map<String, Long> followers = new ConcurrentHashMap<>();
    private volatile long followed = Long.MAX_VALUE;

    Switch(long began, @Nullable String promoted, LongSupplier events) {
        this.began = began;
        this.promoted = promoted;
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

    /**
     * Says that somebody follows the new branch from now on. Once this is said of anybody, what somebody tells of a loss
     * is taken for this one only from the moment at which it is said of them.
     *
     * @param name the name that {@link HistoryRecorder#told(long, String)} gives them
     */
    public void followedBy(String name) {
        followers.putIfAbsent(name, events.getAsLong());
    }

    /** Says that everybody follows the new branch: who begins to read from now on must see nothing that was lost. */
    public void followed() {
        followed = events.getAsLong();
    }

    /**
     * The number of the event from which on somebody who tells of a loss may mean this one.
     *
     * @param by the name of whoever tells; {@code null} if that is not known
     */
    long meantFrom(@Nullable String by) {
        return by == null || followers.isEmpty() ? began : followers.getOrDefault(by, Long.MAX_VALUE);
    }

    /** The number of the event from which on nobody may see the lost branch. */
    long followedFrom() {
        return followed;
    }

    /** Whether the server that served a read as a replica may have been one no longer, unknown to whoever chose it. */
    boolean isUnknownTo(Operation read) {
        Operation.Place place = read.servedAt();
        String by = place == null ? null : place.by();
        return place != null
                && by != null
                && place.server().equals(promoted)
                && read.completed() > began
                && read.invoked() < Math.min(followed, followers.getOrDefault(by, Long.MAX_VALUE));
    }

    boolean hasLost(long key, long value) {
        return lost.getOrDefault(key, Set.of()).contains(value);
    }
}
