package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.text.Printable;

/**
 * A text that was given as a policy is none.
 *
 * @since 0.1.0
 */
public final class PolicySyntaxException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    private final int offset;

    /**
     * Creates an exception.
     *
     * @param problem what is wrong, and what was expected
     * @param offset where, in characters from the beginning of the text
     * @param excerpt the text around that place; what of it cannot be printed is replaced
     */
    public PolicySyntaxException(String problem, int offset, String excerpt) {
        super(Printable.of("policy, offset " + offset + ": " + problem + ", at: " + excerpt));
        this.offset = offset;
    }

    /**
     * Returns where the text goes wrong.
     *
     * @return characters from the beginning of the text, from 0 to its length
     */
    public int offset() {
        return offset;
    }
}
