package io.github.r2dbcrouting.test.history;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What did a read see? The first answer counts. Thread-safe.
 *
 * @since 0.1.0
 */
public final class ReadInvocation extends Invocation {

    ReadInvocation(HistoryRecorder recorder, long session, Action action, long[] keys) {
        super(recorder, session, action, keys, 0);
        recorder.begun(this);
    }

    /**
     * Says what was seen, of one key.
     *
     * @param values a list's values; of a register the value, or none if it was never set
     */
    public void ok(List<Long> values) {
        ok(List.of(values), null);
    }

    /**
     * Says what was seen, and where.
     *
     * @param values for each key, in the order in which they were given, a list's values, or a register's value if it was
     *     ever set
     * @param place words for people, or {@code null}
     * @throws IllegalArgumentException if there are not as many as there are keys
     */
    public void ok(List<List<Long>> values, @Nullable String place) {
        end(values, Operation.Place.named(place));
    }

    /**
     * Says what was seen on the primary. A standby of PostgreSQL can show a commit moments before its primary does: a read
     * of the primary that lacks what a standby has shown of a write that was not acknowledged yet is counted apart, see
     * {@link Verdict#seenEarly()}.
     *
     * @param values as for {@link #ok(List, String)}
     * @param place words for people
     * @throws IllegalArgumentException if there are not as many as there are keys
     */
    public void okOnPrimary(List<List<Long>> values, String place) {
        end(values, new Operation.Place(place, null, true));
    }

    /**
     * Says what was seen on a server that was taken for a replica. One that was promoted serves as the replica that it was
     * until whoever chooses has noticed: what is seen there meanwhile binds nobody, see
     * {@link Verdict#readUnfollowed()}.
     *
     * @param values as for {@link #ok(List, String)}
     * @param server the server's name, as {@link HistoryRecorder#switched(String)} would call it
     * @param by who chose the server, as {@link Switch#followedBy} calls them
     * @throws IllegalArgumentException if there are not as many as there are keys
     */
    public void okOnReplica(List<List<Long>> values, String server, String by) {
        end(values, new Operation.Place(server, by, false));
    }

    private void end(List<List<Long>> values, Operation.@Nullable Place place) {
        if (values.size() != keyCount()) {
            throw new IllegalArgumentException(
                    "%d keys were read, and %d were seen".formatted(keyCount(), values.size()));
        }
        long[][] seen = values.stream()
                .map(one -> one.stream().mapToLong(Long::longValue).toArray())
                .toArray(long[][]::new);
        end(Outcome.OK, seen, place);
    }

    /** Says that it failed, or was given up. */
    public void failed() {
        end(Outcome.FAILED, new long[0][], null);
    }
}
