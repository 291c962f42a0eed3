package io.github.r2dbcrouting.benchmarks.report;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How did one router fare under one workload?
 *
 * <p>The names of the components are those of {@code summary.json}, in snake case, and stay as they are.
 *
 * @param workload what was done, with the think time if there was one
 * @param router the router's name
 * @param title the router's name for people
 * @param note its version, where there is one; else empty
 * @param throughputPerS statements completed per second of its slices
 * @param ratio its throughput against that of the baseline in the same round
 * @param readP50Us half of the reads took less, in microseconds; 0 if there was none
 * @param readP99Us 99 of 100 reads took less
 * @param writeP50Us half of the writes took less
 * @param writeP99Us 99 of 100 writes took less
 * @param staleReads reads that lacked what their user had written before
 * @param readsTotal reads that came back
 * @param writesTotal writes that were acknowledged
 * @param replicaShare the part of the reads that replicas served, from 0 to 1
 * @param fallbacks reads that the primary served because no replica was, or was known to be, fresh enough; 0 also for
 *     routers that do not know
 * @param errors statements that failed
 * @param errorKinds how often each kind of error came
 * @param clientCpuUsPerStatement CPU time of this process for each statement
 * @param positionQueriesPerWrite position queries for each write, counted on the primary; {@code null} if not counted
 * @param servers reads by the server that served them
 * @param reasons reads by why they went where they did, for routers that say so; of this library one of 16 reads is heard
 */
public record RouterSummary(
        String workload,
        String router,
        String title,
        String note,
        double throughputPerS,
        Spread ratio,
        double readP50Us,
        double readP99Us,
        double writeP50Us,
        double writeP99Us,
        long staleReads,
        long readsTotal,
        long writesTotal,
        double replicaShare,
        long fallbacks,
        long errors,
        Map<String, Long> errorKinds,
        double clientCpuUsPerStatement,
        @Nullable Double positionQueriesPerWrite,
        Map<String, Long> servers,
        Map<String, Long> reasons) {

    /**
     * The middle half of the rounds.
     *
     * @param lower a quarter of them is less
     * @param median half of them is less
     * @param upper a quarter of them is more
     */
    public record Spread(double lower, double median, double upper) {}

    /**
     * Returns the part of the reads that was stale.
     *
     * @return from 0 to 1; 0 if there was no read
     */
    public double staleShare() {
        return readsTotal == 0 ? 0 : staleReads / (double) readsTotal;
    }
}
