package io.github.r2dbcrouting.webflux.actuator;

import org.jspecify.annotations.Nullable;

/**
 * What was wrong with what somebody asked or wanted to change? The body of an answer with the status 400 or 404.
 *
 * @param problem what is wrong
 * @param where the parameter or the part of the path
 * @param expected what would have been right
 * @param offset where in the parameter's text, in characters from its beginning; {@code null} if that says nothing
 */
record Refused(
        String problem,
        String where,
        String expected,
        @Nullable Integer offset) {

    /** Carries it to where the answer is made. */
    static final class Thrown extends RuntimeException {

        private static final long serialVersionUID = 1L;

        private final transient Refused refused;
        private final int status;

        private Thrown(int status, Refused refused) {
            super(refused.problem, null, false, false);
            this.status = status;
            this.refused = refused;
        }

        Refused refused() {
            return refused;
        }

        int status() {
            return status;
        }
    }

    private static final int BAD_REQUEST = 400;
    private static final int NOT_FOUND = 404;

    static Thrown bad(String where, @Nullable String problem, String expected) {
        return bad(where, problem, expected, null);
    }

    static Thrown bad(String where, @Nullable String problem, String expected, @Nullable Integer offset) {
        return new Thrown(BAD_REQUEST, new Refused(String.valueOf(problem), where, expected, offset));
    }

    static Thrown missing(String where, String problem, String expected) {
        return new Thrown(NOT_FOUND, new Refused(problem, where, expected, null));
    }
}
