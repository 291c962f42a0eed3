package io.github.r2dbcrouting.samples.quickstart;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * What did the users of one run see?
 *
 * <p>Thread-safe: the users count, and the progress line is read from it meanwhile.
 */
final class Tally {

    private final String primary;
    private final LongAdder users = new LongAdder();
    private final LongAdder writes = new LongAdder();
    private final LongAdder reads = new LongAdder();
    private final LongAdder stale = new LongAdder();
    private final LongAdder readBacks = new LongAdder();
    private final LongAdder readBacksByReplicas = new LongAdder();
    private final Map<String, LongAdder> readsByServer = new ConcurrentHashMap<>();
    private final Histogram writeMicros = new ConcurrentHistogram(3);
    private final Histogram readMicros = new ConcurrentHistogram(3);
    private volatile Duration took = Duration.ZERO;

    Tally(String primary) {
        this.primary = primary;
    }

    void wrote(Duration took) {
        writes.increment();
        writeMicros.recordValue(took.toNanos() / 1_000);
    }

    /** Counts the first read after a write, the one that is at stake. */
    void readBack(String server, boolean isStale, Duration took) {
        readBacks.increment();
        if (!server.equals(primary)) {
            readBacksByReplicas.increment();
        }
        read(server, isStale, took);
    }

    void read(String server, boolean isStale, Duration took) {
        reads.increment();
        if (isStale) {
            stale.increment();
        }
        readsByServer.computeIfAbsent(server, name -> new LongAdder()).increment();
        readMicros.recordValue(took.toNanos() / 1_000);
    }

    void userIsDone() {
        users.increment();
    }

    void took(Duration whole) {
        took = whole;
    }

    /** How long the run took; nothing before its end. */
    Duration took() {
        return took;
    }

    long users() {
        return users.sum();
    }

    long writes() {
        return writes.sum();
    }

    long reads() {
        return reads.sum();
    }

    long reads(String server) {
        LongAdder count = readsByServer.get(server);
        return count == null ? 0 : count.sum();
    }

    /** How many reads lacked something that the same user had written before. */
    long stale() {
        return stale.sum();
    }

    /** Which share of the first reads after a write was served by replicas, from 0 to 1. */
    double replicaShare() {
        long all = readBacks.sum();
        return all == 0 ? 0 : (double) readBacksByReplicas.sum() / all;
    }

    Histogram writeMicros() {
        return writeMicros;
    }

    Histogram readMicros() {
        return readMicros;
    }
}
