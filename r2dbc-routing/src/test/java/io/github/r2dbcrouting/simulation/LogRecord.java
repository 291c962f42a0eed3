package io.github.r2dbcrouting.simulation;

import java.util.List;

/**
 * What does one record of a history hold?
 *
 * <p>A history is a list of these. Servers of one cluster share them: that two histories hold the same record at the same
 * place means that they are one up to there, whatever the numbers say.
 */
final class LogRecord {

    /** One value that was appended to the list of a key. */
    record Appended(int key, int value) {}

    final int index;
    final long start;
    final long end;
    final int timeline;
    final List<Appended> committed;
    final boolean asynchronous;

    /** When it was on the disk of the primary that wrote it, and seen by everybody there; negative until then. */
    long flushedAt = -1;

    LogRecord(int index, long start, long end, int timeline, List<Appended> committed, boolean asynchronous) {
        this.index = index;
        this.start = start;
        this.end = end;
        this.timeline = timeline;
        this.committed = committed;
        this.asynchronous = asynchronous;
    }
}
