package io.github.r2dbcrouting.benchmarks.load;

import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * What is measured, and for how long?
 *
 * @param routers what is compared
 * @param baseline what the ratios are against; it runs twice, so that the noise is seen
 * @param tasks the workloads, one after the other
 * @param users how many there are
 * @param concurrency how many are busy at a time in a closed loop
 * @param ratePerSecond how often something begins in an open loop; 0 for a closed one
 * @param keys how many rows
 * @param literal whether keys are written into the statements, which are then simple queries, and not bound
 * @param skew of Zipf's distribution of the rows
 * @param slice how long one router is under load at a time
 * @param duration how long each workload is measured, over all routers
 * @param warmUp how long each router is under load before
 * @param lags what keeps replicas behind
 * @param seed draws the order
 */
record Plan(
        List<Kind> routers,
        Kind baseline,
        List<Task> tasks,
        int users,
        int concurrency,
        double ratePerSecond,
        int keys,
        boolean literal,
        double skew,
        Duration slice,
        Duration duration,
        Duration warmUp,
        List<Lag> lags,
        long seed) {

    /**
     * One workload.
     *
     * @param workload what users do
     * @param think from the acknowledgement of a write to the read that follows it
     */
    record Task(Workload workload, Duration think) {

        /**
         * Reads one.
         *
         * @param text a workload's name, and behind a colon the think time in milliseconds, if there is one
         * @return the task
         */
        static Task parse(String text) {
            String[] parts = text.split(":", 2);
            Workload workload = Workload.of(parts[0]);
            if (parts.length == 1) {
                return new Task(workload, Duration.ZERO);
            }
            if (workload != Workload.READ_BACK) {
                throw new IllegalArgumentException("only read-back has a think time, not '" + text + "'");
            }
            try {
                return new Task(workload, Duration.ofMillis(Integer.parseUnsignedInt(parts[1])));
            } catch (NumberFormatException malformed) {
                throw new IllegalArgumentException(
                        "expected milliseconds behind the colon of '" + text + "'", malformed);
            }
        }

        String name() {
            return think.isZero() ? workload.toString() : workload + ":" + think.toMillis();
        }

        String description() {
            String what = switch (workload) {
                case SELECT_1 -> "SELECT 1, with nothing bound";
                case READ_ONLY -> "single rows by key";
                case READ_90 -> "9 reads to each write";
                case READ_50 -> "as many reads as writes";
                case READ_BACK -> "each write is followed by a read of the same row";
                case LISTING -> "80 % pages of 20 rows, 10 % sums over 2,000 rows, 10 % writes";
            };
            return think.isZero() ? what : what + ", " + think.toMillis() + " ms later";
        }
    }

    /** Returns how many slices each router gets under each workload, at least two. */
    int rounds() {
        return (int) Math.max(2, duration.toMillis() / slice.toMillis() / (routers.size() + 1));
    }

    /** Returns how many write at a time, on average and at least one. */
    int writers(Workload workload) {
        return (int) Math.max(1, Math.round(concurrency * (workload == Workload.READ_BACK ? 0.5 : workload.writing())));
    }

    String loop() {
        return ratePerSecond > 0
                ? String.format(Locale.ROOT, "open, %.0f per s", ratePerSecond)
                : "closed, " + concurrency + " at a time";
    }
}
