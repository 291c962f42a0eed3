package io.github.r2dbcrouting.test.history;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** How does Elle read a history? As EDN, a map for each beginning and each end. */
final class Edn {

    /** What happened at one moment, to be written as one map. */
    private record Event(long number, long nanos, String type, String value, Operation of) {}

    private Edn() {}

    static void write(History history, boolean lists, Appendable target) throws IOException {
        List<Event> events = new ArrayList<>();
        for (Operation operation : history.operations()) {
            if (operation.action().ofLists() == lists) {
                events.add(new Event(
                        operation.invoked(),
                        operation.span().invokedAt(),
                        ":invoke",
                        value(operation, false),
                        operation));
                if (operation.completed() != Long.MAX_VALUE) {
                    events.add(new Event(
                            operation.completed(),
                            operation.span().completedAt(),
                            type(operation),
                            value(operation, operation.outcome() == Outcome.OK),
                            operation));
                }
            }
        }
        events.sort(Comparator.comparingLong(Event::number));
        Processes processes = new Processes();
        for (int index = 0; index < events.size(); index++) {
            Event event = events.get(index);
            target.append("{:index %d, :time %d, :type %s, :process %d, :f :txn, :value %s}\n"
                    .formatted(index, event.nanos, event.type, processes.of(event), event.value));
        }
    }

    private static String type(Operation operation) {
        return switch (operation.outcome()) {
            case OK -> ":ok";
            case FAILED -> ":fail";
            case UNKNOWN -> ":info";
        };
    }

    private static String value(Operation operation, boolean answered) {
        return switch (operation.action()) {
            case APPEND -> "[[:append %d %d]]".formatted(operation.key(0), operation.value());
            case SET -> "[[:w %d %d]]".formatted(operation.key(0), operation.value());
            case READ_LISTS, READ_REGISTERS ->
                IntStream.range(0, operation.keyCount())
                        .mapToObj(i -> "[:r %d %s]".formatted(operation.key(i), answered ? seen(operation, i) : "nil"))
                        .collect(Collectors.joining(" ", "[", "]"));
        };
    }

    private static String seen(Operation operation, int index) {
        long[] values = operation.seenValues(index);
        if (operation.action() == Action.READ_REGISTERS) {
            return values.length == 0 ? "nil" : Long.toString(values[0]);
        }
        return Arrays.stream(values).mapToObj(Long::toString).collect(Collectors.joining(" ", "[", "]"));
    }

    /**
     * A process does one thing after the other, and none whose last outcome is unknown does anything again. So a session
     * is one process until then, and as many as it does things at once.
     */
    private static final class Processes {

        private final Map<Long, List<Integer>> idle = new HashMap<>();
        private final Map<Operation, Integer> busy = new HashMap<>();
        private int next;

        @SuppressWarnings("ListRemoveAmbiguous") // by its index: the last one
        int of(Event event) {
            List<Integer> own = idle.computeIfAbsent(event.of.session(), session -> new ArrayList<>());
            if (event.type.equals(":invoke")) {
                int process = own.isEmpty() ? next++ : own.remove(own.size() - 1);
                busy.put(event.of, process);
                return process;
            }
            Integer process = busy.remove(event.of);
            if (process == null) {
                throw new IllegalStateException("ended before it began: " + event.of);
            }
            if (event.of.outcome() != Outcome.UNKNOWN) {
                own.add(process);
            }
            return process;
        }
    }
}
