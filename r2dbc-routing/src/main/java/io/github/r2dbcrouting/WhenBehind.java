package io.github.r2dbcrouting;

/**
 * What becomes of a read for which no replica is fresh enough?
 *
 * <p>However it ends, a read never goes to the primary beyond the fallback budget, and never waits beyond its deadline:
 * then it fails with {@link NoEligibleServerException}.
 *
 * @since 0.1.0
 */
public enum WhenBehind {
    /**
     * It waits for a replica that is likely to be fresh enough soon, for {@code maxWait}; then, or if there is none, the
     * primary serves it within the budget. The default.
     */
    WAIT_THEN_PRIMARY,
    /** The primary serves it at once, within the budget; a replica that becomes fresh enough first is taken. */
    PRIMARY,
    /** It waits for a replica until its deadline, and never goes to the primary. */
    WAIT,
    /** It fails at once. */
    FAIL
}
