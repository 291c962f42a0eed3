package io.github.r2dbcrouting.test.history;

import java.util.List;

/**
 * Where was a promise broken, and by what?
 *
 * @param guarantee the promise
 * @param explanation one or more sentences that say what was seen, and why something else had to be
 * @param operations the operations that show it: first the read that broke it, then those that made it wrong
 * @since 0.1.0
 */
public record Violation(Guarantee guarantee, String explanation, List<Operation> operations) {

    /**
     * Copies the list.
     *
     * @param guarantee the promise
     * @param explanation what was seen, and why something else had to be
     * @param operations the operations that show it
     */
    public Violation {
        operations = List.copyOf(operations);
    }

    /** Returns the promise, the explanation, and a line for each operation. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("not kept: " + guarantee + ". " + explanation);
        operations.forEach(operation -> text.append("\n    ").append(operation));
        return text.toString();
    }
}
