package io.github.r2dbcrouting.samples.shop.demo;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * What did the simulated users see?
 *
 * <p>Thread-safe.
 */
final class Tally {

    private final LongAdder writes = new LongAdder();
    private final LongAdder reads = new LongAdder();
    private final LongAdder fromReplicas = new LongAdder();
    private final LongAdder stale = new LongAdder();
    private final LongAdder possiblyLost = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final Map<String, LongAdder> readsByServer = new ConcurrentHashMap<>();

    /**
     * The counts at one moment.
     *
     * @param writes answered writes
     * @param reads answered reads
     * @param fromReplicas reads that a replica served, by its own word
     * @param stale reads that lacked what the same user had written
     * @param possiblyLost requests that were answered with a warning after a failover
     * @param failed requests that failed otherwise
     * @param readsByServer reads by what the server that served them calls itself
     */
    record Counts(
            long writes,
            long reads,
            long fromReplicas,
            long stale,
            long possiblyLost,
            long failed,
            Map<String, Long> readsByServer) {

        /** Which share of the reads was served by replicas, from 0 to 1. */
        double replicaShare() {
            return reads == 0 ? 0 : (double) fromReplicas / reads;
        }
    }

    void wrote() {
        writes.increment();
    }

    void read(String server, boolean replica, boolean isStale) {
        reads.increment();
        if (replica) {
            fromReplicas.increment();
        }
        if (isStale) {
            stale.increment();
        }
        readsByServer.computeIfAbsent(server, name -> new LongAdder()).increment();
    }

    void possiblyLost() {
        possiblyLost.increment();
    }

    void failed() {
        failed.increment();
    }

    Counts counts() {
        Map<String, Long> byServer = new TreeMap<>();
        readsByServer.forEach((server, count) -> byServer.put(server, count.sum()));
        return new Counts(
                writes.sum(), reads.sum(), fromReplicas.sum(), stale.sum(), possiblyLost.sum(), failed.sum(), byServer);
    }
}
