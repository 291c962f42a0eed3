package io.github.r2dbcrouting.test.history;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Why had a read to see something? In words. */
final class Explanation {

    /** Of a long way what led to what was seen last, and how the write came to be known. */
    private static final int FIRST_STEPS = 6;

    private static final int LAST_STEPS = 4;

    private Explanation() {}

    /** A way leads from the read to the write that it lacks. */
    static Violation ofMissing(Guarantee guarantee, KeyHistory key, List<Node> way, long[] seen) {
        Operation read = way.get(0).operation;
        Operation lacked = way.get(way.size() - 1).operation;
        StringBuilder text = new StringBuilder("Session %d read %s and saw %s without %d, which session %d had written."
                .formatted(read.session(), key.name(), Arrays.toString(seen), lacked.value(), lacked.session()));
        List<Operation> told = new ArrayList<>();
        told.add(read);
        for (int i = 1; i < way.size(); i++) {
            if (i <= FIRST_STEPS || i >= way.size() - LAST_STEPS) {
                text.append(' ').append(step(way.get(i - 1), way.get(i)));
                told.add(way.get(i).operation);
            } else if (i == FIRST_STEPS + 1) {
                text.append(" And so on, %d steps in all.".formatted(way.size() - 1));
            }
        }
        return new Violation(guarantee, text.toString(), told);
    }

    private static String step(Node later, Node earlier) {
        Operation one = later.operation;
        Operation before = earlier.operation;
        return earlier.bySight
                ? "Session %d %s %d of session %d.".formatted(one.session(), "saw", before.value(), before.session())
                : before.action().writes()
                        ? "Before, session %d had written %d to %s %d."
                                .formatted(
                                        before.session(),
                                        before.value(),
                                        before.action().ofLists() ? "list" : "register",
                                        before.key(0))
                        : "Before, session %d had read.".formatted(before.session());
    }
}
