package io.github.r2dbcrouting;

/**
 * May a server be used?
 *
 * @since 0.1.0
 */
public enum ServerStatus {
    /** Never reached yet; nothing is sent to it. */
    UNKNOWN,
    /** Answered its last probe. */
    UP,
    /** Did not answer its last probe: serves no reads as a replica, keeps its role as the primary. */
    SUSPECT,
    /** Did not answer several probes in a row. */
    DOWN,
    /** Answers, but must not be used: it belongs to another cluster, or is another server under a second name. */
    REFUSED,
    /** Answers, and serves no reads since somebody disabled it. A primary is not disabled: it goes on to lead. */
    DISABLED,
    /** Was removed: it is not asked any more, and only keeps its place in the table. */
    REMOVED
}
