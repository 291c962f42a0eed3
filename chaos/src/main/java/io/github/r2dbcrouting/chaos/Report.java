package io.github.r2dbcrouting.chaos;

import io.github.r2dbcrouting.test.history.Verdict;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What came of a run?
 *
 * @param plan what was to happen
 * @param took how long users were at work
 * @param tally what they did
 * @param faults how often each fault happened
 * @param spells when each fault was under way, and what routers noticed, shown if a guarantee was not kept
 * @param failedFaults faults that could not be carried out
 * @param lost how many acknowledged writes takeovers have lost
 * @param verdict whether every session saw what it had to see
 * @param ways how the first sessions that did not came there, shown if a guarantee was not kept
 * @param checked how long that took to find out
 * @param leftovers what is left over, nothing if all is well
 * @param heapBefore bytes in use before the run, after a first load
 * @param heapAfter bytes in use after it
 */
record Report(
        Plan plan,
        Duration took,
        Tally tally,
        Map<String, Integer> faults,
        List<Lanes.Spell> spells,
        List<String> failedFaults,
        int lost,
        Verdict verdict,
        List<String> ways,
        Duration checked,
        List<String> leftovers,
        long heapBefore,
        long heapAfter) {

    boolean good() {
        return verdict.kept()
                && leftovers.isEmpty()
                && failedFaults.stream().noneMatch(one -> one.startsWith(Lanes.GAVE_UP))
                && tally.stuck.sum() == 0
                && tally.unexpected().isEmpty();
    }

    @Override
    public String toString() {
        long asked = tally.asked.sum();
        long reads = tally.reads.sum();
        StringBuilder text = new StringBuilder();
        line(text, "seed", "%d%s".formatted(plan.seed(), plan.without() == null ? "" : ", without " + plan.without()));
        line(
                text,
                "operations",
                "%,d asked in %d s, %,d answered, %,d cancelled, %,d changes of the application"
                        .formatted(
                                asked,
                                took.toSeconds(),
                                tally.answered.sum(),
                                tally.cancelled.sum(),
                                tally.hops.sum()));
        line(
                text,
                "reads",
                "%,d, %.1f %% of them from replicas"
                        .formatted(reads, 100.0 * tally.readsFromReplicas.sum() / Math.max(1, reads)));
        line(
                text,
                "faults",
                "%d of %d kinds: %s"
                        .formatted(
                                faults.values().stream()
                                        .mapToInt(Integer::intValue)
                                        .sum(),
                                faults.size(),
                                joined(faults)));
        failedFaults.forEach(failed -> line(text, "not possible", failed));
        line(
                text,
                "takeovers",
                "%,d acknowledged writes lost, sessions told of a loss %,d times".formatted(lost, tally.told.sum()));
        line(text, "errors", joined(tally.errors()));
        line(text, "stuck", Long.toString(tally.stuck.sum()));
        tally.unexpected().forEach(one -> line(text, "unexpected", one));
        line(
                text,
                "heap",
                "%.1f MB before, %.1f MB after"
                        .formatted(Leftovers.megabytes(heapBefore), Leftovers.megabytes(heapAfter)));
        line(text, "left over", leftovers.isEmpty() ? "nothing" : String.join("\n", leftovers));
        line(text, "verdict", verdict + " (found out in %d ms)".formatted(checked.toMillis()));
        if (!verdict.kept()) {
            ways.forEach(way -> line(text, "the way there", way));
            spells.forEach(spell -> line(text, "meanwhile", spell.toString()));
        }
        line(
                text,
                "again",
                "chaos --minutes %s --seed %d --users %d --think-time %d%s%s"
                        .formatted(
                                plan.duration().toMillis() / 60_000.0,
                                plan.seed(),
                                plan.users(),
                                plan.thinkTime().toMillis(),
                                plan.faults().isEmpty() ? "" : " --faults '" + String.join(",", plan.faults()) + "'",
                                plan.without() == null ? "" : " --without " + plan.without()));
        return text.toString();
    }

    private static String joined(Map<String, ?> counts) {
        return counts.isEmpty()
                ? "none"
                : counts.entrySet().stream()
                        .map(entry -> entry.getKey() + " " + entry.getValue())
                        .collect(Collectors.joining(", "));
    }

    private static void line(StringBuilder text, String name, String value) {
        text.append("%-13s %s%n".formatted(name, value));
    }
}
