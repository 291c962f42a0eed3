package io.github.r2dbcrouting.test.history;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What did sessions ask for, and what were they answered? A snapshot of a {@link HistoryRecorder}. Immutable.
 *
 * @since 0.1.0
 */
public final class History {

    static final int LONGEST_WAY = 40;

    private final List<Operation> operations;
    private final List<Told> told;
    private final List<Switch> switches;
    private final Map<Long, long[]> lists;
    private final Map<Long, long[]> registers;

    /** A session was told of a loss, by somebody whose name is known or {@code null}. */
    record Told(long session, @Nullable String by, long at) {}

    History(
            Collection<Operation> operations,
            Collection<Told> told,
            Collection<Switch> switches,
            Map<Long, long[]> lists,
            Map<Long, long[]> registers) {
        this.operations = List.copyOf(operations);
        this.told = List.copyOf(told);
        this.switches = List.copyOf(switches);
        this.lists = Map.copyOf(lists);
        this.registers = Map.copyOf(registers);
    }

    /**
     * Returns the operations.
     *
     * @return in the order in which they began
     */
    public List<Operation> operations() {
        return operations;
    }

    /**
     * Checks whether every session saw what it had to see. Takes seconds for hundreds of thousands of operations, on the
     * calling thread.
     *
     * @return what was found
     */
    public Verdict check() {
        return new Checker(this).check();
    }

    /**
     * Tells how a session came to a read that broke a promise: what it did, and when it was told of losses.
     *
     * @param violation one that {@link #check()} has found in this history
     * @return a line for each, in their order; from the first operation of the session that shows the violation on, but of
     *     a long way only the last {@value #LONGEST_WAY} steps
     */
    public List<String> leadingTo(Violation violation) {
        Operation read = violation.operations().get(0);
        long from = violation.operations().stream()
                .filter(operation -> operation.session() == read.session())
                .mapToLong(Operation::invoked)
                .min()
                .orElse(read.invoked());
        NavigableMap<Long, String> steps = new TreeMap<>();
        operations.stream()
                .filter(operation -> operation.session() == read.session())
                .forEach(operation -> steps.put(operation.invoked(), operation.toString()));
        told.stream()
                .filter(one -> one.session() == read.session())
                .forEach(one -> steps.put(
                        one.at(),
                        "session %d was told of a loss%s"
                                .formatted(one.session(), one.by() == null ? "" : " by " + one.by())));
        List<String> way =
                List.copyOf(steps.subMap(from, true, read.invoked(), true).values());
        return way.subList(Math.max(0, way.size() - LONGEST_WAY), way.size());
    }

    /**
     * Writes the operations on lists in the form that Elle reads, for its model {@code list-append}: a map for each
     * beginning and each end. What is in it: {@code :index}, {@code :time} in nanoseconds, {@code :type}, {@code :process},
     * {@code :f} and {@code :value}. After an unknown outcome a session goes on as another process.
     *
     * @param target where to; neither flushed nor closed
     * @throws IOException if it cannot be written to
     */
    public void writeListAppend(Appendable target) throws IOException {
        Edn.write(this, true, target);
    }

    /**
     * Writes the operations on registers in the form that Elle reads, for its model {@code rw-register}.
     *
     * @param target where to; neither flushed nor closed
     * @throws IOException if it cannot be written to
     */
    public void writeRegisters(Appendable target) throws IOException {
        Edn.write(this, false, target);
    }

    List<Told> told() {
        return told;
    }

    List<Switch> switches() {
        return switches;
    }

    Map<Long, long[]> lists() {
        return lists;
    }

    Map<Long, long[]> registers() {
        return registers;
    }

    /** The same, with other operations. */
    History with(Collection<Operation> others) {
        return new History(others, told, switches, lists, registers);
    }
}
