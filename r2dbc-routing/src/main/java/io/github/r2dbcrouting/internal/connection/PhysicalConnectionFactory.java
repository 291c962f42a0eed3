package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.internal.monitor.ClusterMonitor;
import io.github.r2dbcrouting.internal.reactive.Detached;
import io.github.r2dbcrouting.spi.Engine;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryMetadata;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/** Opens connections for a pool, and has each introduce itself before anybody borrows it. */
final class PhysicalConnectionFactory implements ConnectionFactory {

    private static final Logger LOG = LoggerFactory.getLogger(PhysicalConnectionFactory.class);

    /** A server that accepts a connection and then says nothing must not keep a place in the pool for ever. */
    private static final Duration INTRODUCTION_LIMIT = Duration.ofSeconds(10);

    private final ConnectionFactory driver;
    private final Engine engine;
    private final ClusterMonitor monitor;
    private final String server;
    private volatile OpenConnections opened;

    /**
     * Creates a factory.
     *
     * @param server the server's name
     * @param opened the connections of the pool that is made first
     */
    PhysicalConnectionFactory(
            String server, ConnectionFactory driver, Engine engine, ClusterMonitor monitor, OpenConnections opened) {
        this.server = server;
        this.opened = opened;
        this.driver = driver;
        this.engine = engine;
        this.monitor = monitor;
    }

    /** Another pool is about to be made: what it opens is kept here. */
    void opensInto(OpenConnections next) {
        opened = next;
    }

    /**
     * Opens connections for one pool. r2dbc-pool calls this when a pool is made, once, and subscribes whenever it wants
     * one.
     */
    @Override
    public Publisher<? extends Connection> create() {
        OpenConnections ofPool = opened;
        return Mono.<Connection>from(driver.create()).flatMap(connection -> introduce(connection, ofPool));
    }

    private Mono<Connection> introduce(Connection opened, OpenConnections ofPool) {
        long configuration = monitor.configuration();
        AtomicBoolean handedOn = new AtomicBoolean();
        // the end of its pool may come across it, too: once it is introduced, both close it by way of the same
        AtomicReference<Connection> ours = new AtomicReference<>(opened);
        return engine.introduce(opened)
                .timeout(INTRODUCTION_LIMIT)
                .<Connection>handle((introduction, sink) -> {
                    PhysicalConnection introduced =
                            new PhysicalConnection(opened, introduction, monitor.now(), configuration, ofPool);
                    ours.set(introduced);
                    if (ofPool.add(introduced)) {
                        sink.next(introduced);
                    } else {
                        sink.error(new UnfitConnectionException("a connection to " + server + " came late: the server"
                                + " was restarted, or changed its role, while it was opened"));
                    }
                })
                .doOnNext(introduced -> handedOn.set(true))
                .doOnError(error -> close(ours.get()))
                .doOnCancel(() -> {
                    // a cancel may also come after the connection, which then is somebody's
                    if (!handedOn.get()) {
                        close(ours.get());
                    }
                });
    }

    private static void close(@Nullable Connection opened) {
        Detached.run(
                Objects.requireNonNull(opened).close(), failure -> LOG.debug("closing a connection failed", failure));
    }

    @Override
    public ConnectionFactoryMetadata getMetadata() {
        return driver.getMetadata();
    }
}
