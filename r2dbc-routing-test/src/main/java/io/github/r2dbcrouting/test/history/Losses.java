package io.github.r2dbcrouting.test.history;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What did a session make of what was lost? A value that is not there at the end was on a branch that was left. Who has
 * written or seen it sees it until told of the loss, and never afterwards. Others may never have known it.
 */
final class Losses {

    private final Index index;
    private final List<Switch> switches;
    private final Findings findings;
    private final Map<KeyHistory, List<Known>> known = new HashMap<>();

    /** A lost write that the session knows of. */
    private static final class Known {

        final Node write;
        final Node by;
        boolean gone;

        Known(Node write, Node by) {
            this.write = write;
            this.by = by;
        }
    }

    Losses(Index index, List<Switch> switches, Findings findings) {
        this.index = index;
        this.switches = switches;
        this.findings = findings;
    }

    void check(List<Node> session) {
        for (Node node : session) {
            Operation operation = node.operation;
            for (int i = 0; i < operation.keyCount(); i++) {
                KeyHistory key = index.key(operation, i);
                if (!key.list && !key.endIsKnown()) {
                    continue;
                }
                if (node.isAnswer()) {
                    check(node, key, operation.seenValues(i));
                    for (long value : operation.seenValues(i)) {
                        if (key.position(value) < 0 && !node.unfollowed) {
                            learn(node, key, value);
                        }
                    }
                } else if (operation.action().writes()
                        && operation.outcome() == Outcome.OK
                        && key.position(operation.value()) < 0) {
                    learn(node, key, operation.value());
                }
            }
        }
    }

    private void learn(Node by, KeyHistory key, long value) {
        Node write = key.write(value);
        List<Known> all = known.computeIfAbsent(key, one -> new ArrayList<>());
        if (write != null && all.stream().noneMatch(one -> one.write == write)) {
            all.add(new Known(write, by));
        }
    }

    private void check(Node read, KeyHistory key, long[] seen) {
        for (long value : seen) {
            if (key.position(value) < 0) {
                checkFollowed(read, key, value);
            }
        }
        List<Known> all = known.computeIfAbsent(key, one -> new ArrayList<>());
        all.removeIf(one -> one.by.completed() < read.invoked() && isOver(one, read, key, seen));
    }

    /** Returns whether there is nothing more to be said of it. */
    private boolean isOver(Known one, Node read, KeyHistory key, long[] seen) {
        long value = one.write.operation.value();
        boolean there = Arrays.stream(seen).anyMatch(other -> other == value);
        boolean told = index.toldBetween(read, one.by.completed(), read.invoked());
        if (!key.list && !there && seen.length > 0 && key.position(seen[0]) < 0) {
            // another lost value of a register may have come after it
            return false;
        }
        if (there && (one.gone || (told && toldOfIt(one, read, key)))) {
            report(
                    Guarantee.NO_LOST_BRANCH,
                    read,
                    one,
                    "Session %d saw %d in %s, which is lost, after it %s."
                            .formatted(
                                    read.operation.session(),
                                    value,
                                    key.name(),
                                    one.gone ? "had not seen it any more" : "had been told of a loss"));
            return true;
        }
        if (!there
                && !told
                && one.by != one.write
                && one.write.mayBeEarlyFor(read)
                && !one.by.operation.isOnPrimary()) {
            findings.addEarly();
            return true;
        }
        if (!there && !told && !one.gone) {
            boolean own = one.by == one.write;
            report(
                    own ? Guarantee.READ_YOUR_WRITES : Guarantee.MONOTONIC_READS,
                    read,
                    one,
                    "Session %d read %s and saw %s without %d, which it had %s before and which is lost. It had not been told."
                            .formatted(
                                    read.operation.session(),
                                    key.name(),
                                    Arrays.toString(seen),
                                    value,
                                    own ? "written" : "seen"));
            return true;
        }
        one.gone |= !there;
        return false;
    }

    /**
     * Whoever says which switch has lost a value says as well which telling can have been about it. Where that is said of
     * others, and not of this one, the telling may have been about those.
     */
    private boolean toldOfIt(Known one, Node read, KeyHistory key) {
        Optional<Switch> lostBy = switches.stream()
                .filter(change -> key.list && change.hasLost(key.key, one.write.operation.value()))
                .findFirst();
        return index.told(read)
                .filter(told -> told.at() > one.by.completed() && told.at() < read.invoked())
                .anyMatch(told -> lostBy.map(change -> told.at() > change.meantFrom(told.by()))
                        .orElse(switches.isEmpty()));
    }

    private void checkFollowed(Node read, KeyHistory key, long value) {
        for (Switch one : switches) {
            if (key.list && read.invoked() > one.followedFrom() && one.hasLost(key.key, value)) {
                Node write = key.write(value);
                findings.add(
                        Guarantee.NO_LOST_BRANCH,
                        () -> new Violation(
                                Guarantee.NO_LOST_BRANCH,
                                "Session %d saw %d in %s, which is lost, when everybody followed the branch that goes on."
                                        .formatted(read.operation.session(), value, key.name()),
                                write == null ? List.of(read.operation) : List.of(read.operation, write.operation)));
            }
        }
    }

    private void report(Guarantee guarantee, Node read, Known one, String text) {
        List<Operation> shown = one.by == one.write
                ? List.of(read.operation, one.write.operation)
                : List.of(read.operation, one.by.operation, one.write.operation);
        findings.add(guarantee, () -> new Violation(guarantee, text, shown));
    }
}
