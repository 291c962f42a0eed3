package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.internal.monitor.ClusterMonitor;
import io.github.r2dbcrouting.internal.reactive.Acquisition;
import io.github.r2dbcrouting.internal.reactive.Detached;
import io.github.r2dbcrouting.internal.reactive.Serial;
import io.github.r2dbcrouting.internal.routing.PeakEwma;
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
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Lends the connections of one server.
 *
 * <p>They belong to one life of the server in one role of it. When either changes there is a new generation of them,
 * since r2dbc-pool cannot let all of its connections go at once: one pool ends, and another one takes its place. A
 * borrower who only waited for a connection goes on to that. Thread-safe.
 */
public final class ServerPool {

    private static final Logger LOG = LoggerFactory.getLogger(ServerPool.class);

    /** When to try again if the pool's settings, which are the application's, did not let it be made. */
    private static final Duration RETRY = Duration.ofSeconds(1);

    private static final Duration IDLE_LIMIT = Duration.ofMinutes(30);

    private final String server;
    private final Engine engine;
    private final ClusterMonitor monitor;
    private final Safeguards safeguards;
    private final Duration acquireLimit;
    private final PhysicalConnectionFactory connections;
    private final ConnectionPoolConfiguration configuration;
    private final Serial renewals = new Serial();
    private final Set<PoolGeneration> parting = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile PoolGeneration generation;
    private volatile Tenure tenure = Tenure.UNKNOWN;
    private final AtomicInteger lent = new AtomicInteger();
    private final PeakEwma latency = new PeakEwma();

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
        OpenConnections opened = new OpenConnections();
        this.connections = new PhysicalConnectionFactory(server, driver, engine, monitor, opened);
        ConnectionPoolConfiguration.Builder builder = ConnectionPoolConfiguration.builder(connections)
                .name("r2dbc-routing-" + server)
                .initialSize(0)
                .maxSize(DEFAULT_SIZE);
        customizer.accept(builder);
        // the router bounds the acquisition itself, since the pool's own timers cost more than its acquisition;
        // it tries another server sooner than the same one; and a dead connection is not lent in the first place
        this.configuration = builder.maxAcquireTime(Duration.ofMillis(-1))
                .acquireRetry(0)
                .customizer(pool ->
                        pool.evictionPredicate((connection, metadata) -> metadata.idleTime() >= IDLE_LIMIT.toMillis()
                                || (connection instanceof PhysicalConnection physical && physical.defunct())))
                .build();
        this.generation = new PoolGeneration(new ConnectionPool(configuration), opened, this::endedMeanwhile);
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
        return Mono.defer(() -> lend(state, generation, true, monitor.now()));
    }

    /** Nothing was sent yet, so what failed with one generation may be had from the next: once. */
    private Mono<Lease> lend(ServerState state, PoolGeneration from, boolean again, long since) {
        return acquire(from, since)
                .<Lease>handle((pooled, sink) -> {
                    Wrapped<?> wrapped = (Wrapped<?>) pooled;
                    Lease lease = new Lease(this, from, state, pooled, (PhysicalConnection) wrapped.unwrap());
                    if (from.lendsMore()) {
                        sink.next(lease);
                    } else {
                        Detached.run(lease.discard(), error -> LOG.debug("{} gave a connection late", server, error));
                        sink.error(from.ended() ? endedMeanwhile() : Lender.closed());
                    }
                })
                .onErrorResume(
                        error -> from.ended(),
                        error -> from.succeeded()
                                .timeout(acquireLimit, Mono.error(this::endedMeanwhile))
                                // then() would drop a lease that crosses a cancel
                                .thenReturn(true)
                                .flatMap(succeeded -> again && tenure.allows(state)
                                        ? lend(state, generation, false, since)
                                        : Mono.error(endedMeanwhile())));
    }

    private UnfitConnectionException endedMeanwhile() {
        return new UnfitConnectionException("a connection to " + server + " could not be had: the server was restarted"
                + ", or changed its role, at this moment");
    }

    private Mono<Connection> acquire(PoolGeneration from, long since) {
        if (!safeguards.has(Safeguard.SHIELDED_ACQUISITION)) {
            return Mono.from(Flux.<Connection>from(from.pool().create()).hide());
        }
        Duration left = acquireLimit.minusNanos(monitor.now() - since);
        return new Acquisition<>(
                from.pool().create(),
                late -> Detached.run(late.close(), error -> LOG.debug("{} gave a connection late", server, error)),
                left.isNegative() ? Duration.ZERO : left,
                Schedulers.parallel(),
                () -> new R2dbcTimeoutException("no connection of " + server + " became free within "
                        + acquireLimit.toMillis() + " ms: " + from.size() + " of its " + size() + " are lent"),
                from.endOfWaiting());
    }

    /**
     * Learns what the table says of the server: in another life or role it gets other connections. Called within the
     * monitor's task, for one table after the other; returns at once.
     *
     * @param table the table
     * @param index the server's place in it
     */
    public void published(RoutingTable table, int index) {
        Tenure before = tenure;
        Tenure now = Tenure.of(table, index, before);
        if (!now.equals(before)) {
            tenure = now;
            if (table.servers().get(index).status() == ServerStatus.REMOVED) {
                Schedulers.parallel().schedule(() -> renewals.execute(this::retire));
            } else if (before.known() && safeguards.has(Safeguard.POOL_GENERATIONS)) {
                // closing connections is not the monitor's task
                Schedulers.parallel().schedule(() -> renewals.execute(this::renew));
            }
        }
    }

    /**
     * Puts a new pool into the old one's place. The old one is disposed of first, since it may be known to the
     * platform's MBean server by the name that both have; meanwhile whoever wants a connection waits.
     */
    private void renew() {
        PoolGeneration old = generation;
        Tenure now = tenure;
        if (closed.get()) {
            return;
        }
        LOG.debug("{} is {} now: its connections are replaced", server, now);
        old.end();
        parting.removeIf(PoolGeneration::over);
        parting.add(old);
        // before anything else that takes time: what is committed there from now on is lost
        parting.forEach(generationBefore -> generationBefore.part(now));
        OpenConnections opened = new OpenConnections();
        connections.opensInto(opened);
        PoolGeneration next;
        try {
            next = new PoolGeneration(new ConnectionPool(configuration), opened, this::endedMeanwhile);
        } catch (RuntimeException failure) {
            LOG.error("{} gets no new pool yet", server, failure);
            var unused = Schedulers.parallel()
                    .schedule(() -> renewals.execute(this::renew), RETRY.toMillis(), TimeUnit.MILLISECONDS);
            return;
        }
        generation = next;
        old.succeed();
        if (closed.get()) {
            Detached.run(next.close(), error -> LOG.debug("a late pool of {} was not closed", server, error));
        }
    }

    /**
     * Lets the connections of a server go that was removed: there is no successor, so who waits for one hears at once
     * that it cannot be had here.
     */
    private void retire() {
        closed.set(true);
        PoolGeneration last = generation;
        if (!last.ended()) {
            last.end();
        }
        parting.removeIf(PoolGeneration::over);
        parting.add(last);
        Tenure now = tenure;
        parting.forEach(generationBefore -> generationBefore.part(now));
        last.succeed();
    }

    /** The pool from which connections are taken now. */
    PoolGeneration generation() {
        return generation;
    }

    /**
     * Returns how many connections it may hold.
     *
     * @return the greatest number of its connections
     */
    public int size() {
        return generation
                .pool()
                .getMetrics()
                .map(PoolMetrics::getMaxAllocatedSize)
                .orElse(DEFAULT_SIZE);
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
                + generation
                        .pool()
                        .getMetrics()
                        .map(PoolMetrics::pendingAcquireSize)
                        .orElse(0);
    }

    /**
     * Returns how long the server lately took to answer reads, from when each was sent until the first of its answer.
     *
     * @return an average that goes on with the server's next life
     */
    public PeakEwma latency() {
        return latency;
    }

    /**
     * Returns the pool.
     *
     * @return the pool from which connections are taken now, for metrics
     */
    public ConnectionPool pool() {
        return generation.pool();
    }

    /**
     * Closes the idle connections, and the lent ones when they come back.
     *
     * @return completes when the idle ones are closed
     */
    public Mono<Void> close() {
        return Mono.defer(() -> {
            closed.set(true);
            return generation.close();
        });
    }
}
