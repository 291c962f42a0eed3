package io.github.r2dbcrouting.benchmarks.load;

/**
 * When was each request of an open loop meant to start?
 *
 * <p>At even distances, however long the ones before take: a latency counts from then, so that a stall is paid for by
 * everybody who came during it, and not by one request only.
 *
 * @param ratePerSecond requests per second, more than 0
 */
record Schedule(double ratePerSecond) {

    Schedule {
        if (!(ratePerSecond > 0)) {
            throw new IllegalArgumentException("expected a rate of more than 0 per second, not " + ratePerSecond);
        }
    }

    /**
     * Returns when a request is to start.
     *
     * @param request its number, from 0
     * @return nanoseconds after the first
     */
    long startOf(long request) {
        return (long) (request * 1e9 / ratePerSecond);
    }

    /**
     * Returns how many requests start within a time.
     *
     * @param nanos nanoseconds from the start of the first
     * @return how many start before that is over
     */
    long within(long nanos) {
        long count = (long) Math.ceil(nanos * ratePerSecond / 1e9);
        while (count > 0 && startOf(count - 1) >= nanos) {
            count--;
        }
        return count;
    }
}
