package io.github.r2dbcrouting.simulation;

/** A rule was broken. */
final class Violation extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String rule;

    Violation(String rule, String how) {
        super(rule + ": " + how, null, false, false);
        this.rule = rule;
    }

    /** Which one, in the same words each time. */
    String rule() {
        return rule;
    }
}
