package io.github.r2dbcrouting.internal.connection;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Which connections did a pool open that are not closed yet?
 *
 * <p>A pool that is disposed of while it hands a connection to somebody who goes at that moment may forget the
 * connection. Here none is forgotten: from the end of the pool on what it opens is refused, and what is lent to nobody
 * is closed. Thread-safe.
 */
final class OpenConnections {

    private static final Logger LOG = LoggerFactory.getLogger(OpenConnections.class);

    private final Set<PhysicalConnection> open = ConcurrentHashMap.newKeySet();
    private volatile boolean ended;

    /**
     * A connection was opened.
     *
     * @return whether somebody may have it; not if its pool has ended, then it has to be closed
     */
    boolean add(PhysicalConnection connection) {
        open.add(connection);
        // whoever ends it looks at the connections after that
        return !ended;
    }

    /** A connection is closed, or about to be. */
    void remove(PhysicalConnection connection) {
        open.remove(connection);
    }

    /** The pool has ended: it gets no connection any more. */
    void end() {
        ended = true;
    }

    /**
     * Closes the connections that nobody has, and nobody can get any more since the pool has ended.
     *
     * @param lent tells which ones somebody has
     * @return completes when they are closed; nothing happens before it is subscribed
     */
    Mono<Void> closeUnless(Predicate<PhysicalConnection> lent) {
        return Flux.defer(() -> Flux.fromIterable(open))
                .filter(connection -> !lent.test(connection))
                .flatMap(
                        connection -> Mono.from(connection.close()).onErrorResume(error -> {
                            LOG.debug("closing a connection failed", error);
                            return Mono.empty();
                        }),
                        Integer.MAX_VALUE)
                .then();
    }
}
