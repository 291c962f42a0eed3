package io.github.r2dbcrouting.test.history;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Can an answer be one at all, whoever asked? */
final class Answers {

    private final Index index;
    private final Findings findings;

    Answers(Index index, Findings findings) {
        this.index = index;
        this.findings = findings;
    }

    /** A history in which a value was written twice cannot be judged, and is no finding but a mistake. */
    void checkWrites() {
        index.lists().forEach(Answers::requireUnique);
        index.registers().forEach(Answers::requireUnique);
    }

    private static void requireUnique(KeyHistory key) {
        if (!key.writtenTwice().isEmpty()) {
            throw new IllegalArgumentException("values have to be unique, and these were written twice to %s: %s"
                    .formatted(key.name(), key.writtenTwice()));
        }
    }

    /** Marks an answer of which nothing follows. */
    void checkValues(Node read) {
        for (int i = 0; read.isAnswer() && i < read.operation.keyCount(); i++) {
            read.unsound = !areWritten(read, index.key(read.operation, i), read.operation.seenValues(i));
        }
    }

    private boolean areWritten(Node read, KeyHistory key, long[] seen) {
        Set<Long> once = new HashSet<>();
        for (long value : seen) {
            Node write = key.write(value);
            String wrong = write == null
                    ? "which nobody wrote"
                    : write.operation.outcome() == Outcome.FAILED
                            ? "although writing it had failed"
                            : write.invoked() > read.completed()
                                    ? "which was written only later"
                                    : !once.add(value) ? "twice, although it was written once" : null;
            if (wrong != null) {
                findings.add(
                        Guarantee.NOTHING_INVENTED,
                        () -> new Violation(
                                Guarantee.NOTHING_INVENTED,
                                "Session %d saw %d in %s, %s."
                                        .formatted(read.operation.session(), value, key.name(), wrong),
                                write == null ? List.of(read.operation) : List.of(read.operation, write.operation)));
                return false;
            }
        }
        return true;
    }

    /** Returns whether it begins as the list does; whatever follows is not in the list, and was lost. */
    boolean isInOrder(Node read, int keyIndex) {
        KeyHistory key = index.key(read.operation, keyIndex);
        long[] seen = read.operation.seenValues(keyIndex);
        if (!key.list) {
            return true;
        }
        int common = common(seen, key.order());
        for (int i = common; i < seen.length; i++) {
            if (key.position(seen[i]) >= 0 || !index.historyParted()) {
                long value = seen[i];
                findings.add(
                        Guarantee.ONE_ORDER,
                        () -> new Violation(
                                Guarantee.ONE_ORDER,
                                "Session %d saw %s in %s, where others see %s: they part before %d."
                                        .formatted(
                                                read.operation.session(),
                                                Arrays.toString(seen),
                                                key.name(),
                                                Arrays.toString(key.order()),
                                                value),
                                List.of(read.operation)));
                return false;
            }
        }
        return true;
    }

    /** How many values at their beginning two lists have in common. */
    static int common(long[] one, long[] other) {
        int mismatch = Arrays.mismatch(one, other);
        return mismatch < 0 ? one.length : mismatch;
    }
}
