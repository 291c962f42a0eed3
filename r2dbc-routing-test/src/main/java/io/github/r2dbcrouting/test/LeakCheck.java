package io.github.r2dbcrouting.test;

import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.PoolMetrics;
import io.r2dbc.spi.R2dbcException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What is still there that should be gone? Remembers what there was when it began, and waits at the end until nothing
 * else is left: connections lent by pools, backends at servers, threads.
 *
 * <pre>{@code
 * try (LeakCheck check = LeakCheck.start().watch(cluster).watch("reads", pool)) {
 *     // ...
 * }
 * }</pre>
 *
 * <p>Not safe for use by several threads. {@link #verify()} blocks.
 *
 * @since 0.1.0
 */
public final class LeakCheck implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofSeconds(5);

    private static final String BACKENDS = """
            SELECT pid || ' ' || application_name || ' (' || coalesce(state, 'starting') || ')' FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND application_name <> '%s'
            """.formatted(ControlSessions.APPLICATION_NAME);

    private final Set<Thread> threadsBefore = Thread.getAllStackTraces().keySet();
    private final List<String> prefixes = new ArrayList<>();
    private final Map<String, ConnectionPool> pools = new LinkedHashMap<>();
    private final Map<PostgresServer, Integer> backendsBefore = new LinkedHashMap<>();
    private Duration limit = LIMIT;

    private LeakCheck() {}

    /**
     * Begins a check: threads that run now are no leak. Of those that are started from now on, the ones that are not
     * daemons must have ended at the end.
     *
     * @return a check that watches nothing else yet
     */
    public static LeakCheck start() {
        return new LeakCheck();
    }

    /**
     * Watches the servers of a cluster: at the end each must have no more client connections than now. Those of this
     * module are not counted; servers that do not run, or do not answer, are left out.
     *
     * @param cluster the cluster
     * @return this check
     */
    public LeakCheck watch(PostgresCluster cluster) {
        for (PostgresServer server : cluster.servers()) {
            backendsBefore.put(server, backends(server).size());
        }
        return this;
    }

    /**
     * Watches a pool: at the end it must have lent nothing, and nobody may wait for it.
     *
     * @param name what the pool is called in the message
     * @param pool the pool
     * @return this check
     */
    public LeakCheck watch(String name, ConnectionPool pool) {
        pools.put(name, pool);
        return this;
    }

    /**
     * Watches threads by name: of those that begin so, daemons too, none may be left that was not there at the start.
     *
     * @param prefix the beginning of their names
     * @return this check
     */
    public LeakCheck watchThreads(String prefix) {
        prefixes.add(prefix);
        return this;
    }

    /**
     * Sets how long {@link #verify()} waits for what is about to go.
     *
     * @param atMost the time; 5 s if it is not called
     * @return this check
     */
    public LeakCheck waitAtMost(Duration atMost) {
        limit = atMost;
        return this;
    }

    /**
     * Waits until nothing is left over.
     *
     * @throws AssertionError if something is, in time; the message names it
     */
    public void verify() {
        if (!Await.within("nothing is left over", limit, () -> leaks().isEmpty())) {
            List<String> leaks = leaks();
            if (!leaks.isEmpty()) {
                throw new AssertionError(
                        "Left over after %d ms:%n%s".formatted(limit.toMillis(), String.join("\n", leaks)));
            }
        }
    }

    /** Does the same as {@link #verify()}. */
    @Override
    public void close() {
        verify();
    }

    private List<String> leaks() {
        List<String> leaks = new ArrayList<>();
        pools.forEach((name, pool) -> pool.getMetrics()
                .filter(metrics -> metrics.acquiredSize() > 0 || metrics.pendingAcquireSize() > 0)
                .map(metrics -> describe(name, metrics))
                .ifPresent(leaks::add));
        backendsBefore.forEach((server, before) -> {
            List<String> now = backends(server);
            if (now.size() > before) {
                leaks.add("%s: %d client connections where %d were: %s"
                        .formatted(server, now.size(), before, String.join(", ", now)));
            }
        });
        String threads = Thread.getAllStackTraces().keySet().stream()
                .filter(this::isLeaked)
                .map(Thread::getName)
                .sorted()
                .collect(Collectors.joining(", "));
        if (!threads.isEmpty()) {
            leaks.add("threads: " + threads);
        }
        return leaks;
    }

    private boolean isLeaked(Thread thread) {
        return !threadsBefore.contains(thread)
                && (!thread.isDaemon() || prefixes.stream().anyMatch(thread.getName()::startsWith));
    }

    private static String describe(String name, PoolMetrics metrics) {
        return "pool %s: %d connections lent, %d waited for"
                .formatted(name, metrics.acquiredSize(), metrics.pendingAcquireSize());
    }

    private static List<String> backends(PostgresServer server) {
        if (!server.isRunning() || server.process().isFrozen()) {
            return List.of();
        }
        try {
            return server.query(BACKENDS).lines().toList();
        } catch (R2dbcException | ClusterException e) {
            // it has just ended or recovers, and with it all its connections
            return List.of();
        }
    }
}
