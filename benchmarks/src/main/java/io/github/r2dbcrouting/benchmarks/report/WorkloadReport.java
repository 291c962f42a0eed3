package io.github.r2dbcrouting.benchmarks.report;

import java.util.List;

/**
 * What did one workload do over time, for the charts?
 *
 * @param name the workload's name
 * @param description what it does, in words
 * @param routers each router's course
 * @param lag how far behind the replicas were
 */
public record WorkloadReport(String name, String description, List<Course> routers, List<LagPoint> lag) {

    /**
     * One router's course.
     *
     * @param summary how it fared in all
     * @param rounds what it did in each of its slices
     * @param percentiles its reads' latencies
     */
    public record Course(RouterSummary summary, List<Round> rounds, List<Percentile> percentiles) {}

    /**
     * One slice.
     *
     * @param atSeconds when, from the beginning of the measuring
     * @param throughputPerS statements per second
     * @param staleReads stale reads in it
     */
    public record Round(double atSeconds, double throughputPerS, long staleReads) {}

    /**
     * One point of a latency distribution.
     *
     * @param percentile from 0 to below 100
     * @param micros that part of the reads took at most so long
     */
    public record Percentile(double percentile, double micros) {}

    /**
     * How far behind a replica was.
     *
     * @param server the replica's name
     * @param atSeconds when, from the beginning of the measuring
     * @param millis how old its data was, at most
     */
    public record LagPoint(String server, double atSeconds, double millis) {}
}
