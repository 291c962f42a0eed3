package io.github.r2dbcrouting.test.history;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What was written to one list or register, and in which order does it stand there? */
final class KeyHistory {

    final long key;
    final boolean list;
    private final Map<Long, Node> writes = new HashMap<>();
    private final Set<Long> writtenTwice = new HashSet<>();
    private final List<Node> byBeginning = new ArrayList<>();
    private final Map<Long, Integer> positions = new HashMap<>();
    private long[] order = Operation.NOTHING;
    private boolean last;

    /** For each place in the order, the earliest beginning of what stands there or later. */
    private long[] earliest = {Long.MAX_VALUE};

    /** For each place in the order, the latest beginning of what stands there or before. */
    private long[] latest = Operation.NOTHING;

    KeyHistory(long key, boolean list) {
        this.key = key;
        this.list = list;
    }

    void wrote(Node node) {
        if (writes.putIfAbsent(node.operation.value(), node) != null) {
            writtenTwice.add(node.operation.value());
        }
        byBeginning.add(node);
    }

    /** Of two answers the longer one tells more of the order. */
    void sawOrder(long[] values) {
        if (!last && values.length > order.length) {
            order = values;
        }
    }

    void endsAs(long[] values) {
        order = values;
        last = true;
    }

    /** Call when the order is known, and before anything is asked. */
    void settle() {
        for (int i = 0; i < order.length; i++) {
            positions.putIfAbsent(order[i], i);
        }
        earliest = new long[order.length + 1];
        latest = new long[order.length];
        earliest[order.length] = Long.MAX_VALUE;
        for (int i = order.length - 1; i >= 0; i--) {
            Node write = writes.get(order[i]);
            earliest[i] = Math.min(earliest[i + 1], write == null ? Long.MAX_VALUE : write.invoked());
        }
        for (int i = 0; i < order.length; i++) {
            Node write = writes.get(order[i]);
            latest[i] = Math.max(i == 0 ? 0 : latest[i - 1], write == null ? 0 : write.invoked());
        }
    }

    @Nullable
    Node write(long value) {
        return writes.get(value);
    }

    Set<Long> writtenTwice() {
        return writtenTwice;
    }

    /** All writes, in the order in which they began. */
    List<Node> byBeginning() {
        return byBeginning;
    }

    /** Whether it is known how it ends, and with it what was lost. */
    boolean endIsKnown() {
        return last;
    }

    long[] order() {
        return order;
    }

    /** The place of a value in the order, -1 if it is not in it. */
    int position(long value) {
        Integer position = positions.get(value);
        return position == null ? -1 : position;
    }

    long earliestFrom(int place) {
        return earliest[place];
    }

    long latestUpTo(int place) {
        return latest[place];
    }

    String name() {
        return (list ? "list " : "register ") + key;
    }
}
