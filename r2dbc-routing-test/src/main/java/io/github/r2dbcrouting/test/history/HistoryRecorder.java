package io.github.r2dbcrouting.test.history;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What was asked, and what was answered? Writes down the operations of many sessions while they run.
 *
 * <p>Sessions, keys and values are numbers of the caller's choice. No value may be written twice to one key. Lists and
 * registers are apart: list 1 is not register 1. Thread-safe, and never waits.
 *
 * @since 0.1.0
 */
public final class HistoryRecorder {

    private final long began = System.nanoTime();
    private final AtomicLong events = new AtomicLong();
    private final Queue<Operation> ended = new ConcurrentLinkedQueue<>();
    private final Set<Invocation> open = ConcurrentHashMap.newKeySet();
    private final Queue<History.Told> told = new ConcurrentLinkedQueue<>();
    private final Queue<Switch> switches = new ConcurrentLinkedQueue<>();
    private final Map<Long, long[]> lists = new ConcurrentHashMap<>();
    private final Map<Long, long[]> registers = new ConcurrentHashMap<>();

    private volatile boolean allLists;
    private volatile boolean allRegisters;

    /** Creates one that has recorded nothing. */
    public HistoryRecorder() {}

    /**
     * Says that a session is about to append to a list. Call it before anything is sent.
     *
     * @param session who
     * @param key the list
     * @param value what; never the same again for this list
     * @return to be told how it ended; if it never is, that is unknown
     */
    public WriteInvocation append(long session, long key, long value) {
        return new WriteInvocation(this, session, Action.APPEND, key, value);
    }

    /**
     * Says that a session is about to set a register. Call it before anything is sent.
     *
     * @param session who
     * @param key the register
     * @param value what; never the same again for this register
     * @return to be told how it ended; if it never is, that is unknown
     */
    public WriteInvocation set(long session, long key, long value) {
        return new WriteInvocation(this, session, Action.SET, key, value);
    }

    /**
     * Says that a session is about to read lists, all in one snapshot. Call it before anything is sent.
     *
     * @param session who
     * @param keys the lists, at least one
     * @return to be told what was seen
     */
    public ReadInvocation readLists(long session, long... keys) {
        return new ReadInvocation(this, session, Action.READ_LISTS, keys.clone());
    }

    /**
     * Says that a session is about to read registers, all in one snapshot. Call it before anything is sent.
     *
     * @param session who
     * @param keys the registers, at least one
     * @return to be told what was seen
     */
    public ReadInvocation readRegisters(long session, long... keys) {
        return new ReadInvocation(this, session, Action.READ_REGISTERS, keys.clone());
    }

    /**
     * Says that a session has been told that writes of it, or what it had seen, may be lost. From here on it need not see
     * what is not there at the end, and must not see it again if it is lost.
     *
     * @param session who
     */
    public void told(long session) {
        told.add(new History.Told(session, null, next()));
    }

    /**
     * As {@link #told(long)}, and says who told it. Somebody who still followed the branch that a switch has left, by
     * {@link Switch#followedBy}, cannot have meant what that lost: until then the session may go on seeing it.
     *
     * @param session who
     * @param by a name for whoever told it: the application, or its router
     */
    public void told(long session, String by) {
        told.add(new History.Told(session, by, next()));
    }

    /**
     * Says that another server is about to take over, so that some of what was written until now may be lost.
     *
     * @return to be told what was
     */
    public Switch switched() {
        return switched(null);
    }

    /**
     * As {@link #switched()}, and says which server takes over. Reads that it serves as the replica that it was, to
     * somebody who does not follow it yet, are counted apart: see {@link Verdict#readUnfollowed()}.
     *
     * @param promoted the server, as {@link ReadInvocation#okOnReplica} names it; {@code null} if that is not known
     * @return to be told what was lost
     */
    public Switch switched(@Nullable String promoted) {
        Switch made = new Switch(next(), promoted, this::next);
        switches.add(made);
        return made;
    }

    /**
     * Says what a list holds at the end, when nobody writes to it any more. What was appended and is not there is lost.
     * Without it the longest answer to a read counts as the list.
     *
     * @param key the list
     * @param values its values, in their order
     */
    public void finalList(long key, List<Long> values) {
        lists.put(key, values.stream().mapToLong(Long::longValue).toArray());
    }

    /**
     * Says which values a register has had, when nobody writes to it any more, if the system under test can tell. Without
     * it the checker goes only by what sessions knew of one value when they wrote another, and forgets what a session had
     * written once that is told of a loss.
     *
     * @param key the register
     * @param values what it was set to, in this order
     */
    public void finalRegister(long key, List<Long> values) {
        registers.put(key, values.stream().mapToLong(Long::longValue).toArray());
    }

    /**
     * Says what all lists hold at the end: one that was appended to or read, and is not among them, holds nothing. Where
     * everything of a list was lost it may be gone as a whole.
     *
     * @param all the values of each, in their order
     */
    public void finalLists(Map<Long, List<Long>> all) {
        all.forEach(this::finalList);
        allLists = true;
    }

    /**
     * Says which values all registers have had: one that was set or read, and is not among them, never was set.
     *
     * @param all the values of each, in this order
     */
    public void finalRegisters(Map<Long, List<Long>> all) {
        all.forEach(this::finalRegister);
        allRegisters = true;
    }

    /**
     * Returns how many operations have ended.
     *
     * @return the number at this moment; takes time in proportion to it
     */
    public int size() {
        return ended.size();
    }

    /**
     * Returns what was recorded.
     *
     * @return a snapshot; operations under way are in it, with an unknown outcome
     */
    public History history() {
        List<Operation> operations = new ArrayList<>(ended);
        open.forEach(invocation -> {
            Operation unended = invocation.unended();
            if (unended != null) {
                operations.add(unended);
            }
        });
        operations.sort(Comparator.comparingLong(Operation::invoked));
        return new History(
                operations,
                told,
                switches,
                allLists ? withEmpty(lists, operations, true) : lists,
                allRegisters ? withEmpty(registers, operations, false) : registers);
    }

    private static Map<Long, long[]> withEmpty(Map<Long, long[]> known, List<Operation> operations, boolean lists) {
        Map<Long, long[]> all = new HashMap<>(known);
        for (Operation operation : operations) {
            for (int i = 0; operation.action().ofLists() == lists && i < operation.keyCount(); i++) {
                all.putIfAbsent(operation.key(i), Operation.NOTHING);
            }
        }
        return all;
    }

    long next() {
        return events.incrementAndGet();
    }

    long nanos() {
        return System.nanoTime() - began;
    }

    void begun(Invocation invocation) {
        open.add(invocation);
    }

    void ended(Invocation invocation, @Nullable Operation operation) {
        if (operation != null) {
            ended.add(operation);
        }
        open.remove(invocation);
    }
}
