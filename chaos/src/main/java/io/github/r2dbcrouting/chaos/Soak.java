package io.github.r2dbcrouting.chaos;

import com.sun.management.UnixOperatingSystemMXBean;
import io.github.r2dbcrouting.chaos.fault.Faults;
import io.github.r2dbcrouting.chaos.fault.Target;
import io.github.r2dbcrouting.test.PostgresServer;
import io.github.r2dbcrouting.test.history.HistoryRecorder;
import io.github.r2dbcrouting.test.history.Switch;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * Does anything grow? Users come and go, sessions change the application, replicas restart, connections are reset, servers
 * are removed and added. At each look the heap is collected first.
 */
final class Soak {

    private static final List<String> CHURN = List.of(
            "replica restarted",
            "replay paused",
            "connections reset",
            "latency",
            "removed and added",
            "re-tagged",
            "policy replaced",
            "pools exhausted");

    private final Duration duration;
    private final int users;
    private final Duration thinkTime;
    private final Duration every;

    Soak(Duration duration, int users, Duration thinkTime, Duration every) {
        this.duration = duration;
        this.users = users;
        this.thinkTime = thinkTime;
        this.every = every;
    }

    /** What one look found. */
    record Look(double minutes, double heapMegabytes, int threads, long descriptors, int connections) {}

    /**
     * A straight line through what was seen, but for the first fifth, in which caches fill.
     *
     * @param perHour how much it grows in an hour
     * @param error by how much that is uncertain: the standard error of the slope
     * @param mean its mean
     */
    record Trend(double perHour, double error, double mean) {

        /** Whether it grows by more than what it is uncertain by, and by more than a hundredth of itself in the time. */
        boolean grows(double hours) {
            return perHour > 3 * error && perHour * hours > 0.03 * mean;
        }

        @Override
        public String toString() {
            return "%.1f on average, %+.2f +- %.2f an hour".formatted(mean, perHour, error);
        }
    }

    /** What was found in all. */
    record Result(
            List<Look> looks,
            long operations,
            double hours,
            Trend heap,
            Trend threads,
            Trend descriptors,
            Trend connections,
            List<String> leftovers) {

        boolean flat() {
            return leftovers.isEmpty()
                    && !heap.grows(hours)
                    && !threads.grows(hours)
                    && !descriptors.grows(hours)
                    && !connections.grows(hours);
        }

        @Override
        public String toString() {
            StringBuilder text = new StringBuilder(
                    "minutes   heap after GC (MB)   threads   descriptors   connections%n".formatted());
            int step = Math.max(1, looks.size() / 15);
            for (int i = 0; i < looks.size(); i += step) {
                Look look = looks.get(i);
                text.append("%7.1f   %18.1f   %7d   %11d   %11d%n"
                        .formatted(look.minutes, look.heapMegabytes, look.threads, look.descriptors, look.connections));
            }
            return text.append("%nheap          %s%nthreads       %s%ndescriptors   %s%nconnections   %s%n"
                            .formatted(heap, threads, descriptors, connections))
                    .append("operations    %,d%nleft over     %s%nverdict       %s%n"
                            .formatted(
                                    operations,
                                    leftovers.isEmpty() ? "nothing" : String.join("\n", leftovers),
                                    flat() ? "flat" : "something grows, or is left over"))
                    .toString();
        }
    }

    Result run(Progress progress) throws Exception {
        try (Site site = Site.start(null)) {
            // nobody judges what is seen here, so nothing is kept
            Crowd few = site.few(0);
            Workload load = new Workload(List.of(site.many(users, thinkTime, 0), few), HistoryRecorder::new);
            Lanes lanes = new Lanes(
                    random -> new Target(site.cluster(), site.routers(), site.clock(), random, nobody(), few),
                    failed -> Repair.of(site.cluster()));
            load.start(1);
            lanes.start(Faults.named(CHURN), 1);
            List<Look> looks = new ArrayList<>();
            long began = System.nanoTime();
            long end = began + duration.toNanos();
            while (System.nanoTime() - end < 0) {
                Thread.sleep(every.toMillis());
                looks.add(look(site, began));
                progress.show(load.tally(), lanes.underWay());
            }
            lanes.stop();
            load.stop();
            progress.end();
            Repair.of(site.cluster());
            List<String> left = new ArrayList<>(Leftovers.ofRequests(site.routers()));
            left.addAll(site.closeRouters());
            return new Result(
                    looks,
                    load.tally().asked.sum(),
                    duration.toMillis() / 3_600_000.0,
                    trend(looks, Look::heapMegabytes),
                    trend(looks, Look::threads),
                    trend(looks, Look::descriptors),
                    trend(looks, Look::connections),
                    left);
        }
    }

    private static Look look(Site site, long began) {
        double heap = Leftovers.megabytes(Leftovers.heap());
        long descriptors = ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
                ? unix.getOpenFileDescriptorCount()
                : 0;
        return new Look(
                (System.nanoTime() - began) / 60e9,
                heap,
                ManagementFactory.getThreadMXBean().getThreadCount(),
                descriptors,
                site.connections());
    }

    /** Least squares. */
    static Trend trend(List<Look> looks, ToDoubleFunction<Look> value) {
        List<Look> settled = looks.subList(looks.size() / 5, looks.size());
        double n = settled.size();
        double meanX = settled.stream().mapToDouble(Look::minutes).average().orElse(0);
        double meanY = settled.stream().mapToDouble(value).average().orElse(0);
        double xx = 0;
        double xy = 0;
        for (Look look : settled) {
            xx += (look.minutes - meanX) * (look.minutes - meanX);
            xy += (look.minutes - meanX) * (value.applyAsDouble(look) - meanY);
        }
        double slope = xx == 0 ? 0 : xy / xx;
        double rest = 0;
        for (Look look : settled) {
            double off = value.applyAsDouble(look) - meanY - slope * (look.minutes - meanX);
            rest += off * off;
        }
        double error = n < 3 || xx == 0 ? 0 : Math.sqrt(rest / (n - 2) / xx);
        return new Trend(slope * 60, error * 60, meanY);
    }

    private static Target.Witness nobody() {
        HistoryRecorder unused = new HistoryRecorder();
        return new Target.Witness() {
            @Override
            public Switch switched(PostgresServer promoted) {
                return unused.switched();
            }

            @Override
            public void compare(Switch change, PostgresServer left, PostgresServer goesOn) {}
        };
    }
}
