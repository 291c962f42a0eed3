package io.github.r2dbcrouting.test.history;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What did one session ask for, and what was it answered? Immutable.
 *
 * @since 0.1.0
 */
public final class Operation {

    static final long[] NOTHING = {};

    private final long session;
    private final Action action;
    private final long[] keys;
    private final long value;
    private final long[][] seen;
    private final Outcome outcome;
    private final Span span;
    private final @Nullable Place place;

    /**
     * When was it? Numbers of events order what happened in one recorder; nanoseconds are for people.
     *
     * @param invoked the number of the event that began it
     * @param completed the number of the event that ended it, or {@link Long#MAX_VALUE}
     * @param invokedAt nanoseconds since the recorder was made
     * @param completedAt the same, for its end
     */
    record Span(long invoked, long completed, long invokedAt, long completedAt) {}

    /**
     * Where was it answered?
     *
     * @param server a name, or words for people
     * @param by who chose it, {@code null} if that is not known
     * @param primary whether that is known to have been the primary
     */
    record Place(String server, @Nullable String by, boolean primary) {

        /** One of which no more is known than its name, if that. */
        static @Nullable Place named(@Nullable String name) {
            return name == null ? null : new Place(name, null, false);
        }

        String inWords() {
            return by == null ? server : by + ", " + server;
        }
    }

    Operation(
            long session,
            Action action,
            long[] keys,
            long value,
            long[][] seen,
            Outcome outcome,
            Span span,
            @Nullable Place place) {
        this.session = session;
        this.action = action;
        this.keys = keys;
        this.value = value;
        this.seen = seen;
        this.outcome = outcome;
        this.span = span;
        this.place = place;
    }

    /**
     * Returns whose operation it is.
     *
     * @return the session, as the recorder was told
     */
    public long session() {
        return session;
    }

    /**
     * Returns what it does.
     *
     * @return the action
     */
    public Action action() {
        return action;
    }

    /**
     * Returns what it reads or writes.
     *
     * @return the keys: one for a write, at least one for a read
     */
    public List<Long> keys() {
        return boxed(keys);
    }

    /**
     * Returns what it writes.
     *
     * @return the value; meaningless for a read
     */
    public long value() {
        return value;
    }

    /**
     * Returns what it read.
     *
     * @param index of the key in {@link #keys()}
     * @return the list's values; of a register the value, or nothing if it was never set. Empty unless a read that was
     *     answered
     */
    public List<Long> seen(int index) {
        return boxed(seenValues(index));
    }

    /**
     * Returns how it ended.
     *
     * @return the outcome
     */
    public Outcome outcome() {
        return outcome;
    }

    /**
     * Returns where it was served, if that was recorded.
     *
     * @return words for people, or {@code null}
     */
    public @Nullable String place() {
        return place == null ? null : place.inWords();
    }

    @Nullable
    Place servedAt() {
        return place;
    }

    long invoked() {
        return span.invoked;
    }

    long completed() {
        return span.completed;
    }

    Span span() {
        return span;
    }

    int keyCount() {
        return keys.length;
    }

    long key(int index) {
        return keys[index];
    }

    long[] seenValues(int index) {
        return seen.length == 0 ? NOTHING : seen[index];
    }

    boolean isAnsweredRead() {
        return !action.writes() && outcome == Outcome.OK;
    }

    /** Whether the primary is known to have answered it. */
    boolean isOnPrimary() {
        return place != null && place.primary;
    }

    /** The same operation, with another answer. */
    Operation seeing(long[]... values) {
        return new Operation(session, action, keys, value, values, outcome, span, place);
    }

    /** The same operation at another time, or with another outcome. */
    Operation at(Outcome ended, Span when) {
        return new Operation(session, action, keys, value, seen, ended, when, place);
    }

    /** Returns the operation in words, with its time in milliseconds. */
    @Override
    public String toString() {
        String done = switch (action) {
            case APPEND -> "append %d to list %d".formatted(value, keys[0]);
            case SET -> "set register %d to %d".formatted(keys[0], value);
            case READ_LISTS, READ_REGISTERS -> "read " + words();
        };
        String ended = outcome == Outcome.OK ? "" : ", " + outcome.name().toLowerCase(java.util.Locale.ROOT);
        String where = place == null ? "" : " at " + place.inWords();
        return "session %d, %.3f to %s ms%s: %s%s"
                .formatted(
                        session,
                        span.invokedAt / 1e6,
                        span.completed == Long.MAX_VALUE ? "?" : "%.3f".formatted(span.completedAt / 1e6),
                        where,
                        done,
                        ended);
    }

    private String words() {
        String kind = action.ofLists() ? "list " : "register ";
        return IntStream.range(0, keys.length)
                .mapToObj(i ->
                        kind + keys[i] + (outcome == Outcome.OK ? " and see " + Arrays.toString(seenValues(i)) : ""))
                .collect(Collectors.joining(", "));
    }

    private static List<Long> boxed(long[] values) {
        return Arrays.stream(values).boxed().map(Objects::requireNonNull).toList();
    }
}
