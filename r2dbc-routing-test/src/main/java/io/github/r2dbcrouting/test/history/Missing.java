package io.github.r2dbcrouting.test.history;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Which write that is still there did a read lack, although it lay in the past of its session? */
final class Missing {

    private final Index index;
    private final Findings findings;
    private final Causes causes;

    Missing(Index index, Findings findings) {
        this.index = index;
        this.findings = findings;
        this.causes = new Causes(index);
    }

    void check(Node read, int keyIndex) {
        KeyHistory key = index.key(read.operation, keyIndex);
        long[] seen = read.operation.seenValues(keyIndex);
        if (key.list) {
            checkOrdered(read, key, Answers.common(seen, key.order()), seen);
        } else if (key.endIsKnown()) {
            int place = seen.length == 0 ? 0 : key.position(seen[0]) + 1;
            if (place > 0 || seen.length == 0) {
                checkOrdered(read, key, place, seen);
            }
        } else {
            checkRegister(read, key, seen);
        }
    }

    /** Everything from a place of the order on was not seen: was it written so early that it could have to be? */
    private void checkOrdered(Node read, KeyHistory key, int place, long[] seen) {
        Node found = lacked(read, key, place, write -> true);
        if (found != null && isEarly(found)) {
            findings.addEarly();
            found = lacked(read, key, place, write -> !write.mayBeEarlyFor(read));
        }
        if (found != null) {
            report(key, found, seen);
        }
    }

    /** The first write from a place of the order on that lies in the past of a read. */
    private @Nullable Node lacked(Node read, KeyHistory key, int place, Predicate<Node> sought) {
        long search = causes.newSearch();
        long since = Long.MAX_VALUE;
        for (int i = place; i < key.order().length && key.earliestFrom(i) < read.completed(); i++) {
            Node write = key.write(key.order()[i]);
            if (write != null && write.invoked() < read.completed() && sought.test(write)) {
                write.sought = search;
                since = Math.min(since, write.invoked());
            }
        }
        return since == Long.MAX_VALUE ? null : causes.find(new Causes.Question(read, since, false), search);
    }

    /** Whether it was seen on a standby, and lacked on the primary, before it was acknowledged. */
    private static boolean isEarly(Node found) {
        List<Node> way = Causes.way(found);
        return found.bySight
                && found.mayBeEarlyFor(way.get(0))
                && !way.get(way.size() - 2).operation.isOnPrimary();
    }

    /** Nobody tells the order of a register's values: one is older than another if who wrote that one knew it. */
    private void checkRegister(Node read, KeyHistory key, long[] seen) {
        Node shown = seen.length == 0 ? null : key.write(seen[0]);
        long after = shown == null ? 0 : shown.invoked();
        List<Node> later = later(key, shown, after, read.completed());
        if (later.isEmpty()) {
            return;
        }
        long search = causes.newSearch();
        later.forEach(write -> write.sought = search);
        long since = shown == null ? later.get(0).invoked() : after;
        Node found = causes.find(new Causes.Question(read, since, true), search);
        if (found == null) {
            return;
        }
        List<Node> way = Causes.way(found);
        if (shown != null && !knew(found, shown)) {
            return;
        }
        restore(way);
        report(key, found, seen);
    }

    /** Writes after the one that was seen, but for those that may be lost. */
    private List<Node> later(KeyHistory key, @Nullable Node shown, long after, long until) {
        List<Node> all = key.byBeginning();
        List<Node> later = new ArrayList<>();
        for (int i = firstAfter(all, after); i < all.size() && all.get(i).invoked() < until; i++) {
            Node write = all.get(i);
            if (write != shown && !index.toldBetween(write, write.completed(), Long.MAX_VALUE)) {
                later.add(write);
            }
        }
        return later;
    }

    private static int firstAfter(List<Node> nodes, long event) {
        int low = 0;
        int high = nodes.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (nodes.get(middle).invoked() > event) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    /** Whether the session of a write knew another one when it wrote. */
    private boolean knew(Node write, Node other) {
        long search = causes.newSearch();
        other.sought = search;
        return causes.find(new Causes.Question(write, other.invoked(), true), search) != null;
    }

    /** Another search has left its marks on the way. */
    private static void restore(List<Node> way) {
        for (int i = 1; i < way.size(); i++) {
            way.get(i).from = way.get(i - 1);
        }
        way.get(0).from = null;
    }

    private void report(KeyHistory key, Node found, long[] seen) {
        List<Node> way = Causes.way(found);
        Guarantee guarantee = guarantee(way);
        findings.add(guarantee, () -> Explanation.ofMissing(guarantee, key, way, seen));
    }

    /** What a session knew by itself comes before what it knew of others. */
    @SuppressWarnings("ReferenceEquality") // there is one object for each session
    private static Guarantee guarantee(List<Node> way) {
        Node read = way.get(0);
        Node found = way.get(way.size() - 1);
        boolean alone = way.stream().limit(way.size() - 1L).allMatch(node -> node.session == read.session);
        if (alone) {
            return found.bySight ? Guarantee.MONOTONIC_READS : Guarantee.READ_YOUR_WRITES;
        }
        return found.bySight ? Guarantee.WRITES_FOLLOW_READS : Guarantee.MONOTONIC_WRITES;
    }
}
