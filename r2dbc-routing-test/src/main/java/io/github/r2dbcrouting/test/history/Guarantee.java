package io.github.r2dbcrouting.test.history;

/**
 * Which promise was broken?
 *
 * @since 0.1.0
 */
public enum Guarantee {
    /** A session sees what it has written. */
    READ_YOUR_WRITES("read your writes"),
    /** What a session has seen it sees from then on. */
    MONOTONIC_READS("monotonic reads"),
    /** Who sees a write of a session sees what that session had written before. */
    MONOTONIC_WRITES("monotonic writes"),
    /** Who sees a write of a session sees what that session had seen before. */
    WRITES_FOLLOW_READS("writes follow reads"),
    /** Once it was told that a branch of history is lost, a session sees nothing of it. */
    NO_LOST_BRANCH("no read from a lost branch"),
    /** Nothing is read that nobody wrote, that was refused, or that is there twice. */
    NOTHING_INVENTED("nothing is invented"),
    /** All who read a list see its values in one order, without gaps. */
    ONE_ORDER("one order of each list");

    private final String words;

    Guarantee(String words) {
        this.words = words;
    }

    @Override
    public String toString() {
        return words;
    }
}
