package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.spi.HistoryMark;

/**
 * Was a mark of a primary found in a replica's history?
 *
 * @param mark what was searched for, where the replica had come so far
 * @param verdict what was found
 */
record Bearing(HistoryMark mark, Verdict verdict) {

    enum Verdict {
        /** It was there, so the branch that it was written to is part of the replica's history. */
        BORNE,
        /** It was not there: the replica went another way. */
        ABSENT,
        /** The replica knows nothing of that time any more. */
        FORGOTTEN
    }
}
