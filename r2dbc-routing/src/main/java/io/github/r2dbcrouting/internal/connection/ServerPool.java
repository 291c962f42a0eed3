package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.internal.monitor.ClusterMonitor;
import io.github.r2dbcrouting.internal.reactive.Acquisition;
import io.github.r2dbcrouting.internal.reactive.Detached;
import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.spi.Engine;
import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.pool.PoolMetrics;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.R2dbcTimeoutException;
import io.r2dbc.spi.Wrapped;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** Lends the connections of one server. Thread-safe. */
public final class ServerPool {

    private static final Logger LOG = LoggerFactory.getLogger(ServerPool.class);

    private static final Duration IDLE_LIMIT = Duration.ofMinutes(30);

    private final String server;
    private final Engine engine;
    private final ClusterMonitor monitor;
    private final Safeguards safeguards;
    private final Duration acquireLimit;
    private final ConnectionPool pool;
    private final AtomicInteger lent = new AtomicInteger();

    /**
     * Creates a pool that holds no connection yet.
     *
     * @param server the server's name
     * @param driver opens connections to it
     * @param engine how to talk to it
     * @param monitor whose clock tells when a connection was opened
     * @param safeguards the mechanisms in force
     * @param acquireLimit how long a borrower may wait
     * @param customizer changes the pool's settings; what the router depends on is set after it
     */
    public ServerPool(
            String server,
            ConnectionFactory driver,
            Engine engine,
            ClusterMonitor monitor,
            Safeguards safeguards,
            Duration acquireLimit,
            Consumer<? super ConnectionPoolConfiguration.Builder> customizer) {
        this.server = server;
        this.engine = engine;
        this.monitor = monitor;
        this.safeguards = safeguards;
        this.acquireLimit = acquireLimit;
        ConnectionPoolConfiguration.Builder configuration = ConnectionPoolConfiguration.builder(
                        new PhysicalConnectionFactory(driver, engine, monitor))
                .name("r2dbc-routing-" + server)
                .initialSize(0)
                .maxSize(DEFAULT_SIZE);
        customizer.accept(configuration);
        // the router bounds the acquisition itself, since the pool's own timers cost more than its acquisition;
        // it tries another server sooner than the same one; and a dead connection is not lent in the first place
        ConnectionPoolConfiguration built = configuration
                .maxAcquireTime(Duration.ofMillis(-1))
                .acquireRetry(0)
                .customizer(builder ->
                        builder.evictionPredicate((connection, metadata) -> metadata.idleTime() >= IDLE_LIMIT.toMillis()
                                || (connection instanceof PhysicalConnection physical && physical.defunct())))
                .build();
        this.pool = new ConnectionPool(built);
    }

    /** So many connections a server, unless the application says otherwise. */
    public static final int DEFAULT_SIZE = 10;

    /**
     * Lends a connection.
     *
     * @param state what the table said of the server
     * @return the lease; nothing happens before it is subscribed, and cancelling it before it emits leaves nothing lent
     */
    Mono<Lease> lend(ServerState state) {
        return acquire().map(pooled -> {
            Wrapped<?> wrapped = (Wrapped<?>) pooled;
            return new Lease(this, state, pooled, (PhysicalConnection) wrapped.unwrap());
        });
    }

    private Mono<Connection> acquire() {
        if (!safeguards.has(Safeguard.SHIELDED_ACQUISITION)) {
            return Mono.from(Flux.<Connection>from(pool.create()).hide());
        }
        return new Acquisition<>(
                pool.create(),
                late -> Detached.run(late.close(), error -> LOG.debug("{} gave a connection late", server, error)),
                acquireLimit,
                Schedulers.parallel(),
                () -> new R2dbcTimeoutException("no connection of " + server + " became free within "
                        + acquireLimit.toMillis() + " ms: " + lent.get() + " of its " + size() + " are lent"));
    }

    /**
     * Returns how many connections it may hold.
     *
     * @return the greatest number of its connections
     */
    public int size() {
        return pool.getMetrics().map(PoolMetrics::getMaxAllocatedSize).orElse(DEFAULT_SIZE);
    }

    Engine engine() {
        return engine;
    }

    ClusterMonitor monitor() {
        return monitor;
    }

    AtomicInteger lent() {
        return lent;
    }

    /**
     * Returns how busy the server is, as far as this pool keeps it so.
     *
     * @return the connections that are lent or waited for
     */
    public int inFlight() {
        return lent.get()
                + pool.getMetrics().map(PoolMetrics::pendingAcquireSize).orElse(0);
    }

    /**
     * Returns the pool.
     *
     * @return the pool, for metrics
     */
    public ConnectionPool pool() {
        return pool;
    }

    /**
     * Closes the idle connections, and the lent ones when they come back.
     *
     * @return completes when the idle ones are closed
     */
    public Mono<Void> close() {
        return pool.disposeLater();
    }
}
