package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.internal.reactive.Detached;
import io.r2dbc.pool.ConnectionPool;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;

/**
 * Which connections end together, when their server's life or role does?
 *
 * <p>The idle ones at once, the lent ones when they are given back, at the latest after {@link #DEADLINE}. Not even so
 * long may those go on on which something could be committed that is lost. Thread-safe.
 *
 * <pre>
 *             end                        succeed
 *   CURRENT ───────► pool disposed of ───────────► borrowers go on to the successor; leases come back, or are severed
 * </pre>
 */
final class PoolGeneration {

    private static final Logger LOG = LoggerFactory.getLogger(PoolGeneration.class);

    /** So long a read may go on on a replica that is one no longer. */
    static final Duration DEADLINE = Duration.ofSeconds(30);

    private final ConnectionPool pool;
    private final OpenConnections opened;
    private final Set<Lease> leases = ConcurrentHashMap.newKeySet();
    private final Sinks.Empty<Void> succeeded = Sinks.empty();
    private final Disposable.Composite deadlines = Disposables.composite();
    private final Mono<Void> endOfWaiting;
    private volatile boolean ended;
    private volatile boolean closed;
    private volatile Tenure successor = Tenure.UNKNOWN;

    /**
     * Creates one that lends.
     *
     * @param pool where connections are taken from
     * @param opened what the pool has opened
     * @param ended makes the error for whoever waits for a connection when it is succeeded
     */
    PoolGeneration(ConnectionPool pool, OpenConnections opened, Supplier<? extends Throwable> ended) {
        this.pool = pool;
        this.opened = opened;
        this.endOfWaiting = succeeded.asMono().then(Mono.error(ended));
    }

    ConnectionPool pool() {
        return pool;
    }

    /** Called by each lease that begins. Whoever has taken it looks afterwards whether the generation has ended. */
    void lent(Lease lease) {
        leases.add(lease);
    }

    void givenBack(Lease lease) {
        leases.remove(lease);
        if (!lendsMore()) {
            closeUnlent();
        }
        if (over()) {
            deadlines.dispose();
        }
    }

    int size() {
        return leases.size();
    }

    /** Whether nothing shall be taken from it any more, but from its successor. */
    boolean ended() {
        return ended;
    }

    /** Whether what was taken from it may be used. Asked after {@link #lent}. */
    boolean lendsMore() {
        return !ended && !closed;
    }

    /** Whether nothing of it is left. */
    boolean over() {
        return ended && leases.isEmpty();
    }

    /** Ends it: whoever waits for a connection hears so, and idle ones are closed. What is lent stays, for {@link #part}. */
    void end() {
        ended = true;
        Detached.run(dispose(), error -> LOG.debug("the connections of a pool were not closed", error));
    }

    /**
     * Disposes of the pool, and closes what it has forgotten meanwhile: what no lease holds by now will be in none, since
     * whoever takes a connection looks afterwards whether there is still something to be taken.
     */
    private Mono<Void> dispose() {
        opened.end();
        return Mono.whenDelayError(pool.disposeLater(), opened.closeUnless(this::isLent));
    }

    private boolean isLent(PhysicalConnection connection) {
        for (Lease lease : leases) {
            if (lease.physical().equals(connection)) {
                return true;
            }
        }
        return false;
    }

    /** The pool has got a connection back after its end, and may have lost count of that one, too. */
    private void closeUnlent() {
        Detached.run(opened.closeUnless(this::isLent), error -> LOG.debug("a connection was not closed", error));
    }

    /** Lets those who waited for a connection of it go on: there is a successor to turn to. */
    void succeed() {
        succeeded.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);
    }

    /** Fails once there is a successor. */
    Mono<Void> endOfWaiting() {
        return endOfWaiting;
    }

    /** Completes once there is a successor. */
    Mono<Void> succeeded() {
        return succeeded.asMono();
    }

    /**
     * Ends the leases that do not fit what their server is now, each in its time. Called at the end, and whenever the
     * server changes once more.
     */
    void part(Tenure now) {
        successor = now;
        deadlines.add(Schedulers.parallel().schedule(this::expire, DEADLINE.toNanos(), TimeUnit.NANOSECONDS));
        if (over()) {
            deadlines.dispose();
        }
        for (Lease lease : leases) {
            if (!now.includes(lease) && now.severs(lease)) {
                lease.sever();
            }
        }
    }

    private void expire() {
        for (Lease lease : leases) {
            if (!successor.includes(lease)) {
                LOG.info(
                        "a connection of {} is closed under its borrower, {} s after the server changed",
                        lease.server().name(),
                        DEADLINE.toSeconds());
                lease.sever();
            }
        }
        closeUnlent();
    }

    /** Closes the idle connections, and the lent ones when they come back. */
    Mono<Void> close() {
        return Mono.defer(() -> {
            closed = true;
            return dispose();
        });
    }
}
