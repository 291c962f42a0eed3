package io.github.r2dbcrouting.chaos;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.RoutingStatistics;
import io.r2dbc.pool.PoolMetrics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import reactor.core.publisher.Mono;

/** What is left when nobody does anything any more? */
final class Leftovers {

    private static final Duration LIMIT = Duration.ofSeconds(40);
    private static final Duration PAUSE = Duration.ofMillis(20);
    private static final long MEGABYTE = 1 << 20;

    private Leftovers() {}

    /** Waits until nothing is lent and nobody waits; returns what still is then. */
    static List<String> ofRequests(List<RoutingConnectionFactory> routers) {
        Mono<List<String>> left = Mono.fromSupplier(() -> now(routers));
        List<String> atTheEnd = left.filter(List::isEmpty)
                .repeatWhenEmpty(Integer.MAX_VALUE, looks -> looks.delayElements(PAUSE))
                .timeout(LIMIT, left)
                .block();
        return Objects.requireNonNull(atTheEnd, "left");
    }

    private static List<String> now(List<RoutingConnectionFactory> routers) {
        List<String> left = new ArrayList<>();
        for (int i = 0; i < routers.size(); i++) {
            RoutingConnectionFactory router = routers.get(i);
            RoutingStatistics statistics = router.statistics();
            if (statistics.waiting() + statistics.fallbackInUse() + statistics.fallbackQueued() > 0) {
                left.add("application " + i + ": " + statistics);
            }
            for (String server : router.serverNames()) {
                PoolMetrics pool = router.pool(server).getMetrics().orElseThrow();
                if (pool.acquiredSize() + pool.pendingAcquireSize() > 0) {
                    left.add("application %d: of %s %d connections are lent, and %d waited for"
                            .formatted(i, server, pool.acquiredSize(), pool.pendingAcquireSize()));
                }
            }
        }
        return left;
    }

    /** What is reachable, in bytes. */
    static long heap() {
        Runtime runtime = Runtime.getRuntime();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 4; i++) {
            System.gc();
            least = Math.min(least, runtime.totalMemory() - runtime.freeMemory());
        }
        return least;
    }

    static double megabytes(long bytes) {
        return (double) bytes / MEGABYTE;
    }
}
