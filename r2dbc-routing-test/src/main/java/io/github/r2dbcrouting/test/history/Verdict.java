package io.github.r2dbcrouting.test.history;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Did a history keep its promises?
 *
 * @param operations how many operations were checked
 * @param sessions how many sessions they belong to
 * @param violations what was found, in the order in which the reads began; of each guarantee at most
 *     {@value #MOST_EXPLAINED}
 * @param counts how often each guarantee that was broken was broken
 * @param seenEarly how many reads of the primary lacked what a standby had shown already, of writes that were not
 *     acknowledged yet: PostgreSQL promises nothing else, so these are no violations
 * @param readUnfollowed how many reads were served as by a replica by a server that was promoted meanwhile, before whoever
 *     chose it followed it: without fencing nobody can promise that what was seen there is seen again on the primary that
 *     is still followed, so that is no violation
 * @since 0.1.0
 */
public record Verdict(
        int operations,
        int sessions,
        List<Violation> violations,
        Map<Guarantee, Integer> counts,
        int seenEarly,
        int readUnfollowed) {

    static final int MOST_EXPLAINED = 100;

    private static final int MOST_SHOWN = 10;

    /**
     * Copies the collections.
     *
     * @param operations how many operations were checked
     * @param sessions how many sessions they belong to
     * @param violations what was found
     * @param counts how often each guarantee was broken
     * @param seenEarly how many reads of the primary lacked what a standby had shown already
     * @param readUnfollowed how many reads were served by a server that was promoted and not followed yet
     */
    public Verdict {
        violations = List.copyOf(violations);
        counts = counts.isEmpty() ? Map.of() : new EnumMap<>(counts);
    }

    /**
     * Returns how often each guarantee that was broken was broken.
     *
     * @return the counts, of which not all need be explained
     */
    @Override
    public Map<Guarantee, Integer> counts() {
        return Map.copyOf(counts);
    }

    /**
     * Returns whether every promise was kept.
     *
     * @return whether there are no violations
     */
    public boolean kept() {
        return violations.isEmpty();
    }

    /**
     * Fails if a promise was broken.
     *
     * @throws AssertionError if so, with what {@link #toString()} says
     */
    public void verify() {
        if (!kept()) {
            throw new AssertionError(toString());
        }
    }

    /** Returns the counts, and the explanations of the first violations. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("%d operations of %d sessions".formatted(operations, sessions));
        if (seenEarly > 0) {
            text.append(", %d commits seen before they were acknowledged and not on the primary".formatted(seenEarly));
        }
        if (readUnfollowed > 0) {
            text.append(", %d reads of a promoted server that was not followed yet".formatted(readUnfollowed));
        }
        text.append(": ");
        if (kept()) {
            return text.append("every guarantee was kept").toString();
        }
        text.append(counts);
        violations.stream().limit(MOST_SHOWN).forEach(one -> text.append('\n').append(one));
        if (violations.size() > MOST_SHOWN) {
            text.append("\nand more");
        }
        return text.toString();
    }
}
