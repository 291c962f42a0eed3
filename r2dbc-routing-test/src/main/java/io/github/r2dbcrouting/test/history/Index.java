package io.github.r2dbcrouting.test.history;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Which operations has each session, and each key? */
final class Index {

    private final List<Node> nodes;
    private final Map<Long, List<Node>> sessions = new HashMap<>();
    private final Map<Long, KeyHistory> lists = new HashMap<>();
    private final Map<Long, KeyHistory> registers = new HashMap<>();
    private final Map<Long, List<History.Told>> told = new HashMap<>();
    private final boolean historyParted;

    Index(History history) {
        nodes = new ArrayList<>(history.operations().size());
        for (Operation operation : history.operations()) {
            List<Node> session = sessions.computeIfAbsent(operation.session(), id -> new ArrayList<>());
            long before = session.isEmpty() ? 0 : session.get(session.size() - 1).latestEnd;
            Node node = new Node(operation, session, session.size(), Math.max(before, operation.completed()));
            session.add(node);
            nodes.add(node);
            note(node);
        }
        history.lists().forEach((key, values) -> list(key).endsAs(values));
        history.registers().forEach((key, values) -> register(key).endsAs(values));
        history.told().stream()
                .sorted(Comparator.comparingLong(History.Told::at))
                .forEach(one -> told.computeIfAbsent(one.session(), id -> new ArrayList<>())
                        .add(one));
        historyParted = !told.isEmpty() || !history.switches().isEmpty();
    }

    private void note(Node node) {
        Operation operation = node.operation;
        for (int i = 0; i < operation.keyCount(); i++) {
            KeyHistory key = key(operation, i);
            if (operation.action().writes()) {
                key.wrote(node);
            }
        }
    }

    /** Finds the order of each list, from the answers that say something. */
    void order() {
        for (Node node : nodes) {
            for (int i = 0; node.isAnswer() && i < node.operation.keyCount(); i++) {
                KeyHistory key = key(node.operation, i);
                if (key.list) {
                    key.sawOrder(node.operation.seenValues(i));
                }
            }
        }
        lists.values().forEach(KeyHistory::settle);
        registers.values().forEach(KeyHistory::settle);
    }

    KeyHistory key(Operation operation, int index) {
        return operation.action().ofLists() ? list(operation.key(index)) : register(operation.key(index));
    }

    private KeyHistory list(long key) {
        return lists.computeIfAbsent(key, id -> new KeyHistory(id, true));
    }

    private KeyHistory register(long key) {
        return registers.computeIfAbsent(key, id -> new KeyHistory(id, false));
    }

    List<Node> nodes() {
        return nodes;
    }

    Collection<List<Node>> sessions() {
        return sessions.values();
    }

    Collection<KeyHistory> lists() {
        return lists.values();
    }

    Collection<KeyHistory> registers() {
        return registers.values();
    }

    /** Whether anything may have been lost at all. */
    boolean historyParted() {
        return historyParted;
    }

    /** Whether the session of an operation was told of a loss between two events. */
    boolean toldBetween(Node node, long after, long before) {
        long at = toldAfter(node, after);
        return at < before;
    }

    /** When the session of an operation was told of a loss for the first time after an event. */
    long toldAfter(Node node, long event) {
        for (History.Told one : told.getOrDefault(node.operation.session(), List.of())) {
            if (one.at() > event) {
                return one.at();
            }
        }
        return Long.MAX_VALUE;
    }

    /** Everything that the session of an operation was told. */
    Stream<History.Told> told(Node node) {
        return told.getOrDefault(node.operation.session(), List.of()).stream();
    }
}
