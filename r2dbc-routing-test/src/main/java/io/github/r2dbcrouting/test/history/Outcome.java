package io.github.r2dbcrouting.test.history;

/**
 * How did an operation end, as far as whoever asked for it knows?
 *
 * @since 0.1.0
 */
public enum Outcome {
    /** It was answered: what it wrote is there, what it read was seen. */
    OK,
    /** It surely did nothing. */
    FAILED,
    /** It was cancelled, or failed in a way that tells nothing: what it writes may be there, or come to be there. */
    UNKNOWN
}
