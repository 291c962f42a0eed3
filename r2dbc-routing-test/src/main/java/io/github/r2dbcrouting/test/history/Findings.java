package io.github.r2dbcrouting.test.history;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** What was found, and how often? Explains only as much as anybody would read. */
final class Findings {

    private final List<Violation> violations = new ArrayList<>();
    private final Map<Guarantee, Integer> counts = new EnumMap<>(Guarantee.class);
    private int early;
    private int unfollowed;

    void add(Guarantee guarantee, Supplier<Violation> explained) {
        if (counts.merge(guarantee, 1, Integer::sum) <= Verdict.MOST_EXPLAINED) {
            violations.add(explained.get());
        }
    }

    /** A commit that a standby had shown was not there on the primary yet. */
    void addEarly() {
        early++;
    }

    /** A server was read from that had been promoted, and was not followed yet. */
    void addUnfollowed() {
        unfollowed++;
    }

    Verdict verdict(int operations, int sessions) {
        violations.sort(Comparator.comparingLong(
                one -> one.operations().isEmpty() ? 0 : one.operations().get(0).invoked()));
        return new Verdict(operations, sessions, violations, counts, early, unfollowed);
    }
}
