package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.connection.Lender;
import io.github.r2dbcrouting.internal.connection.RoutedConnection;
import io.github.r2dbcrouting.internal.connection.ServerPool;
import io.github.r2dbcrouting.internal.monitor.ClusterMonitor;
import io.github.r2dbcrouting.internal.monitor.EndedWrite;
import io.github.r2dbcrouting.internal.monitor.MonitorSettings;
import io.github.r2dbcrouting.internal.monitor.MonitoredServer;
import io.github.r2dbcrouting.internal.reactive.Detached;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.routing.Router;
import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.postgresql.PostgresEngine;
import io.github.r2dbcrouting.spi.Engine;
import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.spi.Closeable;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryMetadata;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * Where does each subscription's connection come from?
 *
 * <p>A connection factory over one primary and its replicas. Every statement and every transaction is routed by what
 * its subscriber's Context asks ({@link Routing}) and by what a monitor knows of the servers at that moment. Without a
 * word in the Context everything goes to the primary.
 *
 * <p>Thread-safe. Building it opens nothing; the monitor and the pools start with the first use. {@link #close()} ends
 * them.
 *
 * @since 0.1.0
 */
public final class RoutingConnectionFactory implements ConnectionFactory, Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(RoutingConnectionFactory.class);

    private final Engine engine;
    private final ClusterMonitor monitor;
    private final Map<String, ServerPool> pools;
    private final Router router;
    private final Lender lender;
    private final Sinks.Many<RoutingEvent> events = Sinks.many().multicast().directBestEffort();
    private final AtomicBoolean closing = new AtomicBoolean();
    private final Sinks.Empty<Void> closed = Sinks.empty();

    private RoutingConnectionFactory(Builder builder) {
        this.engine = new PostgresEngine(builder.readOnlyFunctions);
        Map<String, Server> servers = builder.servers;
        List<MonitoredServer> monitored = new ArrayList<>();
        servers.forEach((name, server) ->
                monitored.add(new MonitoredServer(monitored.size(), name, server.spec.tags(), server.factory)));
        Scheduler thread = Schedulers.newSingle("r2dbc-routing-monitor", true);
        this.monitor = new ClusterMonitor(
                monitored,
                engine,
                new MonitorSettings(builder.atRest, builder.watched, PROBE_TIMEOUT, FAILURES_UNTIL_DOWN, FAR_BEHIND),
                builder.safeguards,
                thread,
                System::nanoTime,
                this::announce);
        this.pools = new LinkedHashMap<>();
        servers.forEach((name, server) -> pools.put(
                name,
                new ServerPool(
                        name, server.factory, engine, monitor, builder.safeguards, ACQUIRE_LIMIT, server.spec.pool())));
        List<ServerPool> byIndex = List.copyOf(pools.values());
        this.router = new Router(
                server -> byIndex.get(server).inFlight(),
                bound -> ThreadLocalRandom.current().nextInt(bound),
                builder.safeguards);
        this.lender = new Lender(
                router,
                monitor.tables(),
                byIndex,
                builder.listener,
                builder.safeguards,
                FIRST_TABLE_LIMIT,
                PRIMARY_LIMIT);
    }

    private void announce(RoutingEvent event) {
        if (events.tryEmitNext(event).isFailure()) {
            LOG.trace("nobody could take {}", event);
        }
    }

    private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(1);
    private static final int FAILURES_UNTIL_DOWN = 3;
    private static final Duration FAR_BEHIND = Duration.ofSeconds(30);
    private static final Duration ACQUIRE_LIMIT = Duration.ofSeconds(5);
    private static final Duration FIRST_TABLE_LIMIT = Duration.ofSeconds(5);
    private static final Duration PRIMARY_LIMIT = Duration.ofSeconds(2);

    /** The default pause between two probes of a server about which nobody waits to hear. */
    public static final Duration DEFAULT_AT_REST = Duration.ofMillis(100);

    /** The default pause between two probes of a replica that readers wait for. */
    public static final Duration DEFAULT_WATCHED = Duration.ofMillis(2);

    /**
     * Starts the description of a factory.
     *
     * @return an empty builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns a connection that takes a server's connection when a statement or a transaction of it is subscribed.
     *
     * @return the connection, at once; nothing is opened by subscribing. Errors if the factory is closed
     */
    @Override
    public Mono<Connection> create() {
        return Mono.fromSupplier(() -> {
            if (closing.get()) {
                throw new IllegalStateException("the connection factory is closed");
            }
            monitor.start();
            return new RoutedConnection(lender, engine, new ProductMetadata(engine.productName()));
        });
    }

    @Override
    public ConnectionFactoryMetadata getMetadata() {
        return engine::productName;
    }

    /**
     * Starts the monitor, and waits until routing can begin.
     *
     * @return completes when the primary is known and every server was reached or found unreachable; never errors, and
     *     completes early if the factory is closed
     */
    public Mono<Void> ready() {
        return Mono.defer(() -> {
            monitor.start();
            return monitor.tables()
                    .await(table -> table.primary().isPresent() && table.complete())
                    .then();
        });
    }

    /**
     * Starts the monitor, and waits until routing can begin, for a time.
     *
     * @param atMost how long to wait
     * @return as {@link #ready()}; errors with {@link NoEligibleServerException} after the time, naming every server
     *     and what is the matter with it
     */
    public Mono<Void> ready(Duration atMost) {
        return ready().timeout(atMost, Mono.error(() -> new NoEligibleServerException(notReady(atMost), null)));
    }

    private String notReady(Duration atMost) {
        RoutingTable table = table();
        String servers = table.servers().isEmpty()
                ? String.join(", ", pools.keySet()) + ": not reached yet"
                : table.servers().stream()
                        .map(server -> server.name() + " "
                                + (server.problem() != null
                                        ? server.problem()
                                        : "is " + server.status().name().toLowerCase(java.util.Locale.ROOT) + " as "
                                                + server.role().name().toLowerCase(java.util.Locale.ROOT)))
                        .collect(Collectors.joining("; "));
        String missing = table.primary().isPresent() ? "" : "there is no primary among its servers; ";
        return "not ready within " + atMost.toMillis() + " ms: " + missing + servers;
    }

    /**
     * Returns what is known of the servers.
     *
     * @return the latest table; empty before the first use
     */
    public RoutingTable table() {
        return monitor.tables().current();
    }

    /**
     * Tells what would be chosen now.
     *
     * @param asked what is asked
     * @param session on whose behalf, {@code null} for nobody's
     * @return the decision; nothing is taken or sent
     */
    public RouteDecision explain(Routing asked, @Nullable CausalSession session) {
        SessionState state = session == null ? null : session.state();
        Ask ask = Ask.of(Objects.requireNonNull(asked, "asked"), state);
        BitSet tried = new BitSet();
        return router.explain(router.choose(table(), ask, tried), ask, tried);
    }

    /**
     * Returns what changes in the cluster.
     *
     * @return a hot stream, on a thread of its own; a subscriber that is too slow loses events, and holds nothing up.
     *     Completes when the factory is closed
     */
    public Flux<RoutingEvent> events() {
        return events.asFlux().publishOn(Schedulers.parallel(), EVENT_BUFFER);
    }

    private static final int EVENT_BUFFER = 256;

    /**
     * Captures the primary's present position, for writes that were made outside the router.
     *
     * @return a token that covers every write that the primary had committed when it was subscribed; asked for anew by
     *     each subscription. Waits while the primary cannot be reached: use {@code timeout}
     */
    public Mono<CausalToken> capture() {
        return Mono.defer(() -> {
            monitor.start();
            SessionState session = new SessionState();
            return monitor.tables().await(table -> table.primary().isPresent()).flatMap(table -> {
                ServerState primary = table.primary().orElseThrow();
                monitor.ended(new EndedWrite(
                        session.begin(Objects.requireNonNull(table.cluster()), false, monitor::positionAwaited),
                        primary.index(),
                        primary.position(),
                        false,
                        monitor.now()));
                return session.token();
            });
        });
    }

    /**
     * Returns the pool of a server, for metrics.
     *
     * @param server the server's name
     * @return its pool
     * @throws IllegalArgumentException if there is no such server
     */
    public ConnectionPool pool(String server) {
        ServerPool pool = pools.get(server);
        if (pool == null) {
            throw new IllegalArgumentException("there is no server '" + server + "', only " + pools.keySet());
        }
        return pool.pool();
    }

    /**
     * Stops the monitor and closes the pools. The first subscription starts it, and nothing stops it then.
     *
     * @return completes when the monitor's connections and the idle ones are closed; those that are lent are closed when
     *     they come back
     */
    @Override
    public Mono<Void> close() {
        return Mono.defer(() -> {
            if (closing.compareAndSet(false, true)) {
                Mono<Void> all = monitor.close()
                        .then(Flux.fromIterable(pools.values())
                                .flatMapDelayError(ServerPool::close, pools.size(), 1)
                                .then())
                        .doFinally(signal -> {
                            events.emitComplete(Sinks.EmitFailureHandler.FAIL_FAST);
                            closed.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);
                        });
                Detached.run(all, error -> LOG.warn("closing the pools failed", error));
            }
            return closed.asMono();
        });
    }

    /** Returns the servers' names and what is known of them; no address and no credentials. */
    @Override
    public String toString() {
        return "RoutingConnectionFactory" + pools.keySet();
    }

    private record Server(ConnectionFactory factory, ServerSpec spec) {}

    /** Describes a factory. Not thread-safe; each {@link #build()} gives a factory of its own. */
    public static final class Builder {

        private final Map<String, Server> servers = new LinkedHashMap<>();
        private Duration atRest = DEFAULT_AT_REST;
        private Duration watched = DEFAULT_WATCHED;
        private @Nullable RoutingListener listener;
        private Safeguards safeguards = Safeguards.all();
        private Set<String> readOnlyFunctions = Set.of();

        private Builder() {}

        /**
         * Adds a server by its URL.
         *
         * @param name how it is called in policies, decisions and messages: letters, digits, {@code _}, {@code -} and
         *     {@code .}
         * @param url {@code r2dbc:postgresql://user:password@host:port/database}
         * @param tags its tags
         * @return this
         * @throws IllegalArgumentException if the URL or a tag is malformed or the name was used before; the message
         *     does not repeat the URL
         */
        public Builder server(String name, String url, String... tags) {
            return server(name, url, spec -> spec.tags(tags));
        }

        /**
         * Adds a server by its URL, with settings of its own.
         *
         * @param name how it is called in policies, decisions and messages
         * @param url {@code r2dbc:postgresql://user:password@host:port/database}
         * @param settings fills in what is special about the server
         * @return this
         * @throws IllegalArgumentException if the URL or a setting is malformed or the name was used before; the
         *     message does not repeat the URL
         */
        public Builder server(String name, String url, Consumer<ServerSpec> settings) {
            checkName(name);
            Objects.requireNonNull(url, "url");
            return add(name, ServerUrl.open(name, url, safeguards.has(Safeguard.REDACTION)), settings);
        }

        /**
         * Adds a server by a ready-made factory, which must not be a pool: the router pools connections itself.
         *
         * @param name how it is called in policies, decisions and messages
         * @param factory opens connections to it
         * @param tags its tags
         * @return this
         * @throws IllegalArgumentException if the factory is of another product or a tag is malformed, or the name was
         *     used before
         */
        public Builder server(String name, ConnectionFactory factory, String... tags) {
            return server(name, factory, spec -> spec.tags(tags));
        }

        /**
         * Adds a server by a ready-made factory, with settings of its own.
         *
         * @param name how it is called in policies, decisions and messages
         * @param factory opens connections to it
         * @param settings fills in what is special about the server
         * @return this
         * @throws IllegalArgumentException if the factory is of another product or a setting is malformed, or the name
         *     was used before
         */
        public Builder server(String name, ConnectionFactory factory, Consumer<ServerSpec> settings) {
            return add(name, Objects.requireNonNull(factory, "factory"), settings);
        }

        private Builder add(String name, ConnectionFactory factory, Consumer<ServerSpec> settings) {
            checkName(name);
            String product = factory.getMetadata().getName();
            String expected = new PostgresEngine().productName();
            if (!expected.equals(product)) {
                throw new IllegalArgumentException(
                        "server '" + name + "' is a " + product + ", only " + expected + " can be routed to");
            }
            if (factory instanceof ConnectionPool) {
                throw new IllegalArgumentException("server '" + name
                        + "' is given as a pool: give the factory below it, the router pools connections itself");
            }
            ServerSpec spec = new ServerSpec();
            settings.accept(spec);
            if (servers.putIfAbsent(name, new Server(factory, spec)) != null) {
                throw new IllegalArgumentException("there are two servers named '" + name + "'");
            }
            return this;
        }

        /** Before anything else is done with the name: whoever swaps it with the URL has a password in it. */
        private static void checkName(String name) {
            Names.check(name, "a server's name", "._-");
        }

        /**
         * Sets how often servers are probed.
         *
         * @param pauseAtRest between two probes of a server about which nobody waits to hear; varied by a fifth. From 1
         *     ms to 10 s, by default 100 ms
         * @param pauseWatched between two probes of a replica that readers wait for; from 1 ms up to the pause at rest,
         *     by default 2 ms
         * @return this
         * @throws IllegalArgumentException if one of them is out of range
         */
        public Builder sampling(Duration pauseAtRest, Duration pauseWatched) {
            requireBetween("pauseAtRest", pauseAtRest, Duration.ofMillis(1), Duration.ofSeconds(10));
            requireBetween("pauseWatched", pauseWatched, Duration.ofMillis(1), pauseAtRest);
            atRest = pauseAtRest;
            watched = pauseWatched;
            return this;
        }

        /**
         * Sets who hears of every decision. Without one nothing is put into words.
         *
         * @param heard called for each decision
         * @return this
         */
        public Builder listener(RoutingListener heard) {
            listener = Objects.requireNonNull(heard, "listener");
            return this;
        }

        /**
         * Names functions of the application that change nothing, neither in the database nor in the connection. A
         * statement that calls any other function than these and PostgreSQL's own is no read by itself.
         *
         * @param names each as calls of it are written: {@code total} or {@code billing.total}. Replaces those named
         *     before; by default none
         * @return this
         * @throws IllegalArgumentException if one of them is no such name, or is a function of PostgreSQL's own that
         *     writes
         */
        public Builder readOnlyFunctions(String... names) {
            Set<String> all = Set.copyOf(List.of(names));
            var unused = new PostgresEngine(all);
            readOnlyFunctions = all;
            return this;
        }

        /** For tests that show what a mechanism is for. */
        Builder safeguards(Safeguards inForce) {
            safeguards = inForce;
            return this;
        }

        /**
         * Builds the factory. Opens nothing.
         *
         * @return the factory
         * @throws IllegalArgumentException if no server was added
         */
        public RoutingConnectionFactory build() {
            if (servers.isEmpty()) {
                throw new IllegalArgumentException("a routing connection factory needs at least one server:"
                        + " server(\"db0\", \"r2dbc:postgresql://user:password@host:5432/database\")");
            }
            return new RoutingConnectionFactory(this);
        }

        private static void requireBetween(String name, Duration value, Duration least, Duration most) {
            if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
                throw new IllegalArgumentException(name + " is " + value.toMillis() + " ms, and must be from "
                        + least.toMillis() + " to " + most.toMillis() + " ms");
            }
        }
    }
}
