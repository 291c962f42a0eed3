package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.clock.Surroundings;
import io.github.r2dbcrouting.internal.connection.Lender;
import io.github.r2dbcrouting.internal.connection.Patience;
import io.github.r2dbcrouting.internal.connection.PoolLoad;
import io.github.r2dbcrouting.internal.connection.Retries;
import io.github.r2dbcrouting.internal.connection.RoutedConnection;
import io.github.r2dbcrouting.internal.connection.ServerPool;
import io.github.r2dbcrouting.internal.monitor.ClusterMonitor;
import io.github.r2dbcrouting.internal.monitor.EndedWrite;
import io.github.r2dbcrouting.internal.monitor.MonitorSettings;
import io.github.r2dbcrouting.internal.reactive.Detached;
import io.github.r2dbcrouting.internal.reactive.TimerThread;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.routing.Ejections;
import io.github.r2dbcrouting.internal.routing.FallbackBudget;
import io.github.r2dbcrouting.internal.routing.RetryBudget;
import io.github.r2dbcrouting.internal.routing.Router;
import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.policy.Policy;
import io.github.r2dbcrouting.postgresql.PostgresEngine;
import io.github.r2dbcrouting.spi.ConnectionObserver;
import io.github.r2dbcrouting.spi.Engine;
import io.github.r2dbcrouting.spi.LoadBalancer;
import io.github.r2dbcrouting.spi.TopologySource;
import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.spi.Closeable;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryMetadata;
import io.r2dbc.spi.ConnectionFactoryOptions;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.Disposable;
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
    private final boolean lazyBegin;
    private final @Nullable ConnectionObserver observer;
    private final @Nullable Duration lookUpFunctions;
    private final AtomicBoolean lookingUp = new AtomicBoolean();
    private final ClusterMonitor monitor;
    private final RunningServers servers;
    private final Router router;
    private final Lender lender;
    private final FallbackBudget budget;
    private final Ejections ejections;
    private final Readiness readiness;
    private final LongAdder primariesFollowed = new LongAdder();
    private final Sinks.Many<RoutingEvent> events = Sinks.many().multicast().directBestEffort();
    private final AtomicBoolean closing = new AtomicBoolean();
    private final Sinks.Empty<Void> closed = Sinks.empty();

    private RoutingConnectionFactory(Builder builder) {
        this.engine = new PostgresEngine(builder.readOnlyFunctions);
        this.lazyBegin = builder.lazyBegin;
        this.observer = builder.observer;
        this.lookUpFunctions = builder.functionsFromCatalog ? builder.functionsPeriod : null;
        Surroundings surroundings = builder.surroundings;
        this.ejections = new Ejections(surroundings.monotonic());
        LongSupplier clock = surroundings.elapsed();
        Scheduler thread = new TimerThread("r2dbc-routing-monitor");
        this.monitor = new ClusterMonitor(
                List.of(),
                engine,
                new MonitorSettings(
                        builder.atRest,
                        builder.watched,
                        PROBE_TIMEOUT,
                        FAILURES_UNTIL_DOWN,
                        FAR_BEHIND,
                        surroundings.chance()),
                builder.safeguards,
                thread,
                clock,
                this::announce);
        Consumer<ConnectionPoolConfiguration.Builder> pool = builder.pool;
        Safeguards safeguards = builder.safeguards;
        this.servers = new RunningServers(
                engine.productName(),
                builder.credentials,
                monitor,
                (server, entry) -> new ServerPool(
                        server.name(),
                        entry.decorated(),
                        engine,
                        monitor,
                        safeguards,
                        ACQUIRE_LIMIT,
                        pool.andThen(entry.pool())));
        this.readiness = new Readiness(monitor, servers);
        List<ServerPool> byIndex = servers.pools();
        this.router = new Router(
                new PoolLoad(byIndex),
                surroundings.chance(),
                builder.safeguards,
                ejections,
                clock,
                builder.primaryAfterWrite,
                new Router.Preferences(builder.policies.all(), builder.primaryReads, builder.loadBalancer));
        monitor.tables().onPublished(router::prepare);
        this.budget = new FallbackBudget(
                () -> builder.fallbackBudget > 0 ? builder.fallbackBudget : defaultBudget(byIndex), FALLBACK_QUEUE);
        this.lender = new Lender(
                router,
                monitor.tables(),
                byIndex,
                builder.listener,
                builder.safeguards,
                new Retries(builder.retriesPerRead, new RetryBudget(surroundings.monotonic())),
                new Patience(
                        FIRST_TABLE_LIMIT, PRIMARY_LIMIT, builder.whenBehind, builder.maxWait, builder.readDeadline),
                budget,
                clock,
                builder.strictLostWrites);
        builder.topology.openSources(servers, builder.servers, router, engine, this::announce, thread);
        servers.addAtFirst(builder.servers.open(builder.credentials));
    }

    /** A quarter of the present primary's pool: writes keep three. */
    private int defaultBudget(List<ServerPool> byIndex) {
        int size = table().primary()
                .map(primary -> byIndex.get(primary.index()).size())
                .orElse(ServerPool.DEFAULT_SIZE);
        return Math.max(LEAST_BUDGET, size / 4);
    }

    private void announce(RoutingEvent event) {
        if (event instanceof RoutingEvent.PrimaryChanged change && change.to() != null) {
            primariesFollowed.increment();
        }
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
    private static final int LEAST_BUDGET = 2;
    private static final int FALLBACK_QUEUE = 256;

    /** By default a read waits so long for a replica that is likely to be fresh enough, before it turns to the primary. */
    public static final Duration DEFAULT_MAX_WAIT = Duration.ofMillis(100);

    /** By default a read for which no replica is fresh enough fails after this time, if it could not be served. */
    public static final Duration DEFAULT_READ_DEADLINE = Duration.ofSeconds(5);

    /** The default pause between two probes of a server about which nobody waits to hear. */
    public static final Duration DEFAULT_AT_REST = Duration.ofMillis(100);

    /** The default pause between two probes of a replica that readers wait for. */
    public static final Duration DEFAULT_WATCHED = Duration.ofMillis(2);

    /** How often a read is tried on another server by default. */
    public static final int DEFAULT_RETRIES = 1;

    private static final int MOST_RETRIES = 10;

    private static final Duration FUNCTIONS_PERIOD = Duration.ofMinutes(1);

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
            start();
            return new RoutedConnection(lender, engine, new ProductMetadata(engine.productName()), lazyBegin, observer);
        });
    }

    private void start() {
        servers.start();
        if (lookUpFunctions != null && lookingUp.compareAndSet(false, true)) {
            monitor.learnFunctionsEvery(lookUpFunctions);
        }
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
            start();
            return readiness.reached();
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
        return ready().timeout(atMost, readiness.missing(atMost));
    }

    /**
     * Returns what is known of the servers.
     *
     * @return the latest table; empty before the first use
     */
    public RoutingTable table() {
        return monitor.tables().current();
    }

    /** How many reads wait for a replica or the primary. */
    int waiting() {
        return monitor.tables().watch().size();
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
     * Describes the servers as they stand at this moment: what {@link #table()} says, and what only the factory knows: how
     * far behind each is in time, how busy and how quick it is, since when it is in its state, and which policies choose
     * it now for a read that asks for nothing else.
     *
     * @return a small table for people, of a line for each server; only the head before the first use
     */
    public String describe() {
        return router.describe(table());
    }

    /**
     * Returns the policies.
     *
     * @return the canonical text of each by its name, sorted; a snapshot
     */
    public Map<String, String> policies() {
        Map<String, String> texts = new TreeMap<>();
        router.policies().byName().forEach((name, policy) -> texts.put(name, policy.toString()));
        return texts;
    }

    /**
     * Puts a policy in the place of the one of the same name, or adds it if there is none. From when this returns, each
     * read is chosen for by the new one, also one that waits already; what has been given to a server stays there. No
     * request is lost by it: each decision goes by one immutable set of policies.
     *
     * @param name the name: letters, digits and {@code _}. {@code default} is the one of all reads that name none
     * @param text rules of the policy language
     * @throws PolicySyntaxException if the text is no policy; it says where, and the old one stays
     * @throws IllegalArgumentException if the name is malformed
     */
    public void replacePolicy(String name, String text) {
        Names.check(name, "a policy's name", "_");
        router.replacePolicy(name, Policy.parse(text));
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
     * Lets somebody hear of decisions from now on, besides the builder's listener: for whoever looks for a while. Costs
     * requests nothing once it has ended.
     *
     * @param listener hears of every decision, or of those that it {@linkplain RoutingListener#wantsNext() wants}
     * @return ends it when it is disposed of; a decision that is made at the same time may still be told
     */
    public Disposable listen(RoutingListener listener) {
        return lender.listen(Objects.requireNonNull(listener, "listener"));
    }

    /**
     * Captures the primary's present position, for writes that were made outside the router.
     *
     * @return a token that covers every write that the primary had committed when it was subscribed; asked for anew by
     *     each subscription. Waits while the primary cannot be reached: use {@code timeout}
     */
    public Mono<CausalToken> capture() {
        return Mono.defer(() -> {
            start();
            SessionState session = new SessionState();
            return monitor.tables().await(table -> table.primary().isPresent()).flatMap(table -> {
                ServerState primary = table.primary().orElseThrow();
                long now = monitor.now();
                monitor.ended(new EndedWrite(
                        session.begin(Objects.requireNonNull(table.cluster()), false, monitor::positionAwaited),
                        primary.index(),
                        primary.position(),
                        false,
                        now,
                        now));
                return session.token();
            });
        });
    }

    /**
     * Returns how the positions of what sessions did come in, for metrics.
     *
     * @return a snapshot, at once; cheap enough to be asked for by each scrape
     */
    public CaptureStatistics captureStatistics() {
        return monitor.captureStatistics();
    }

    /**
     * Returns how requests fare between the servers, for metrics.
     *
     * @return a snapshot, at once; cheap enough to be asked for by each scrape
     */
    public RoutingStatistics statistics() {
        return new RoutingStatistics(
                waiting(), budget.limit(), budget.inUse(), budget.queued(), budget.refused(), primariesFollowed.sum());
    }

    /**
     * Returns how a server stands, for metrics.
     *
     * @param server a server of the {@linkplain #table() table}
     * @return a snapshot, at once; cheap enough to be asked for by each scrape
     */
    public ServerStatistics statistics(ServerState server) {
        return ServerStatistics.of(
                server, table(), monitor.now(), monitor.probeTime(server.index()), ejections.ejected(server.index()));
    }

    /**
     * Returns what the servers are called, also before the first use.
     *
     * @return the names, in the order in which the servers were configured or added; a snapshot
     */
    public List<String> serverNames() {
        return List.copyOf(servers.names());
    }

    /**
     * Returns which servers there shall be, to be changed while requests run.
     *
     * @return a handle on this factory's servers
     */
    public Topology topology() {
        return new Topology(servers);
    }

    /**
     * Returns how often a read came with a position that the primary has not come to, for metrics. More than a few mean
     * that somebody forges tokens.
     *
     * @return the number since the factory was built, each position counted for each read that required it
     */
    public long rejectedPositions() {
        return monitor.rejectedPositions();
    }

    /** How often the primary was asked for the end of its history. */
    long endProbes() {
        return monitor.endProbes();
    }

    /**
     * Returns the pool of a server, for metrics. A server gets a new one when it was restarted, or has changed its role.
     *
     * @param server the server's name
     * @return its pool at this moment: to be asked for again by each scrape
     * @throws IllegalArgumentException if there is no such server
     */
    public ConnectionPool pool(String server) {
        ServerPool pool = servers.pool(server);
        if (pool == null) {
            throw new IllegalArgumentException("there is no server '" + server + "', only " + servers.names());
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
                Mono<Void> all = servers.close().doFinally(signal -> {
                    // an event may be on its way at this moment
                    events.emitComplete((type, result) -> result == Sinks.EmitResult.FAIL_NON_SERIALIZED);
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
        return "RoutingConnectionFactory" + servers.names();
    }

    /** Describes a factory. Not thread-safe; each {@link #build()} gives a factory of its own. */
    public static final class Builder {

        private final Servers servers = new Servers(new PostgresEngine().productName());
        private Consumer<ConnectionPoolConfiguration.Builder> pool = ignored -> {};
        private @Nullable Publisher<Credentials> credentials;
        private Duration atRest = DEFAULT_AT_REST;
        private Duration watched = DEFAULT_WATCHED;
        private WhenBehind whenBehind = WhenBehind.WAIT_THEN_PRIMARY;
        private Duration maxWait = DEFAULT_MAX_WAIT;
        private Duration readDeadline = DEFAULT_READ_DEADLINE;
        private Duration primaryAfterWrite = Duration.ZERO;
        private boolean lazyBegin;
        private int fallbackBudget;
        private boolean strictLostWrites;
        private @Nullable RoutingListener listener;
        private @Nullable ConnectionObserver observer;
        private Safeguards safeguards = Safeguards.all();
        private Surroundings surroundings = Surroundings.ofTheSystem();
        private int retriesPerRead = DEFAULT_RETRIES;
        private Set<String> readOnlyFunctions = Set.of();
        private boolean functionsFromCatalog;
        private Duration functionsPeriod = FUNCTIONS_PERIOD;
        private final PolicySettings policies = new PolicySettings();
        private final TopologySettings topology = new TopologySettings();
        private boolean primaryReads;
        private LoadBalancer loadBalancer = LoadBalancer.powerOfTwoChoices();

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
            Servers.checkName(name);
            Objects.requireNonNull(url, "url");
            return server(name, ServerUrl.parse(name, url, safeguards.has(Safeguard.REDACTION)), settings);
        }

        /**
         * Adds a server by the driver's options, for what a URL cannot express.
         *
         * @param name how it is called in policies, decisions and messages
         * @param options the driver's options, such as host, user, password and those for TLS
         * @param tags its tags
         * @return this
         * @throws IllegalArgumentException if the driver refuses the options, a tag is malformed or the name was used
         *     before; the message does not repeat the options' values
         */
        public Builder server(String name, ConnectionFactoryOptions options, String... tags) {
            return server(name, options, spec -> spec.tags(tags));
        }

        /**
         * Adds a server by the driver's options, with settings of its own.
         *
         * @param name how it is called in policies, decisions and messages
         * @param options the driver's options, such as host, user, password and those for TLS
         * @param settings fills in what is special about the server
         * @return this
         * @throws IllegalArgumentException if the driver refuses the options, a setting is malformed or the name was
         *     used before; the message does not repeat the options' values
         */
        public Builder server(String name, ConnectionFactoryOptions options, Consumer<ServerSpec> settings) {
            servers.add(name, Objects.requireNonNull(options, "options"), settings);
            return this;
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
            servers.add(name, Objects.requireNonNull(factory, "factory"), settings);
            return this;
        }

        /**
         * Changes the settings of every server's pool; what a server's own settings say comes after it.
         *
         * @param customizer called once for each server, when the factory is built
         * @return this
         * @see ServerSpec#pool(Consumer)
         */
        public Builder pool(Consumer<ConnectionPoolConfiguration.Builder> customizer) {
            pool = pool.andThen(Objects.requireNonNull(customizer, "customizer"));
            return this;
        }

        /**
         * Sets where the credentials of all servers come from that are given by a URL or by options and have no source
         * of their own. Connections that are open stay so when the credentials change: bound their age in the database
         * if old ones must not be used.
         *
         * @param source asked each time that a connection is opened, on the thread that opens it, which may be a
         *     driver's event loop: it must not block. If it throws or returns {@code null}, the connection is not
         *     opened
         * @return this
         */
        public Builder credentials(Supplier<Credentials> source) {
            return credentials(Mono.fromSupplier(Objects.requireNonNull(source, "source")));
        }

        /**
         * Sets where the credentials of all servers are fetched from that are given by a URL or by options and have no
         * source of their own. Connections that are open stay so when the credentials change.
         *
         * @param source subscribed each time that a connection is opened; its first value counts, and an error or no
         *     value means that the connection is not opened. It has as long as opening a connection may take
         * @return this
         */
        public Builder credentials(Publisher<Credentials> source) {
            credentials = Objects.requireNonNull(source, "source");
            return this;
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
         * Sets what becomes of a read for which no replica is fresh enough, unless its {@link Routing} entry says
         * otherwise.
         *
         * @param asked what becomes of it; by default {@link WhenBehind#WAIT_THEN_PRIMARY}
         * @return this
         */
        public Builder whenBehind(WhenBehind asked) {
            whenBehind = Objects.requireNonNull(asked, "whenBehind");
            return this;
        }

        /**
         * Sets how long a read waits for a replica that is likely to be fresh enough, before it turns to the primary,
         * unless its {@link Routing} entry says otherwise.
         *
         * @param asked how long; from zero, for not at all, to 60 s, by default 100 ms
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder maxWait(Duration asked) {
            requireBetween("maxWait", asked, Duration.ZERO, Duration.ofSeconds(60));
            maxWait = asked;
            return this;
        }

        /**
         * Sets when a read fails for which no replica was fresh enough all the time, and the primary had no room.
         *
         * @param asked how long it may wait altogether; from 1 ms to 10 min, by default 5 s
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder readDeadline(Duration asked) {
            requireBetween("readDeadline", asked, Duration.ofMillis(1), Duration.ofMinutes(10));
            readDeadline = asked;
            return this;
        }

        /**
         * Sets how many reads may be with the primary at once because no replica is fresh enough for them. Others wait,
         * up to 256 of them in a queue for the primary, all of them for a replica.
         *
         * @param reads how many; from 1 to 10,000, by default a quarter of the primary's pool and at least 2
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder fallbackBudget(int reads) {
            if (reads < 1 || reads > 10_000) {
                throw new IllegalArgumentException("fallbackBudget is " + reads + ", and must be from 1 to 10000");
            }
            fallbackBudget = reads;
            return this;
        }

        /**
         * Lets every session read from the primary for some time after each of its writes, unless
         * {@link CausalSession#primaryFor} says otherwise for one. These reads are not bounded by the fallback budget.
         *
         * @param window how long, from a write's end; from zero, the default, for not at all, to 24 h
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder primaryAfterWrite(Duration window) {
            requireBetween("primaryAfterWrite", window, Duration.ZERO, Duration.ofDays(1));
            primaryAfterWrite = window;
            return this;
        }

        /**
         * Holds {@code BEGIN} back until the first statement of the transaction, and sends both in one flight, which
         * saves a transaction one round trip. The server is chosen, and its connection taken, at the begin all the same.
         * An error of the begin is one of that statement, and a transaction without statements never reaches the server.
         *
         * @param heldBack whether it is; by default it is not
         * @return this
         */
        public Builder lazyBegin(boolean heldBack) {
            lazyBegin = heldBack;
            return this;
        }

        /**
         * Lets a session fail once where something that it wrote or saw may not have survived a failover, or a crash of
         * the primary. Without it that is told by {@link RoutingEvent.WritePossiblyLost} and counted only.
         *
         * @param strict whether {@link PossiblyLostWriteException} is signalled: for a position beyond the switch to the
         *     session's next read that is causal or asks for the latest, for what had no position yet to its next
         *     statement outside a transaction, next transaction or {@link CausalSession#token()}. None of these is served
         *     before it is known what there is to be told: it waits for that as long as for a primary, and then fails with
         *     {@link NoEligibleServerException}. By default {@code false}
         * @return this
         */
        public Builder strictLostWrites(boolean strict) {
            strictLostWrites = strict;
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
         * Sets who follows every statement and transaction, from the question where it runs until it is over. Without
         * one nothing is followed.
         *
         * @param following asked for each of them
         * @return this
         */
        public Builder observer(ConnectionObserver following) {
            observer = Objects.requireNonNull(following, "observer");
            return this;
        }

        /**
         * Sets how often a read may go to another server if its own is lost or gives way to replication before the read
         * has brought anything. All reads together are tried again at most ten times a second and once for ten reads.
         * Writes, and what runs in a transaction, never are.
         *
         * @param perRead from 0 to 10, by default 1
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder retries(int perRead) {
            if (perRead < 0 || perRead > MOST_RETRIES) {
                throw new IllegalArgumentException("retries is " + perRead + ", and must be from 0 to " + MOST_RETRIES);
            }
            retriesPerRead = perRead;
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

        /**
         * Sets whether functions of the application's own that are {@code STABLE} or {@code IMMUTABLE} count as reading.
         * The primary is asked for them at the start and about once a minute; until it has answered they do not count. A
         * name counts where all functions of that name do, and a call without a schema where all of them in all schemas
         * do. A built-in function whose name a {@code VOLATILE} one of the application's has is no longer taken to read.
         * What {@link #readOnlyFunctions} names reads whatever the catalogue says.
         *
         * @param lookUp whether they are looked up; by default they are not
         * @return this
         */
        public Builder readOnlyFunctionsFromCatalog(boolean lookUp) {
            functionsFromCatalog = lookUp;
            return this;
        }

        /** Sets how long after one look-up the next one is made, for tests. */
        Builder functionsPeriod(Duration period) {
            functionsPeriod = period;
            return this;
        }

        /**
         * Defines a policy, by which a replica is chosen among those that are fresh enough for a read.
         *
         * @param name how {@link Routing#policy(String)} names it: letters, digits and {@code _}. {@code default} is the
         *     one of all reads that name none
         * @param text rules of the policy language, such as {@code tags(near)->min(2); tags(far)}. It replaces the one
         *     that was defined under the same name before
         * @return this
         * @throws PolicySyntaxException if the text is no policy; it says where
         * @throws IllegalArgumentException if the name is malformed
         */
        public Builder policy(String name, String text) {
            policies.define(name, text);
            return this;
        }

        /**
         * Prefers servers by their tags, for all reads that name no policy: those with the first tag, while none of them
         * can serve those with the second, and so on, then any. It stands for the policy {@code default}, and gives way to
         * one that is defined.
         *
         * @param tags the tags, the best first: {@code preferTags("zone-a", "eu")} is {@code tags(zone-a); tags(eu); all()}.
         *     Replaces those named before; none for no preference
         * @return this
         * @throws IllegalArgumentException if a tag is malformed
         */
        public Builder preferTags(String... tags) {
            policies.prefer(tags);
            return this;
        }

        /**
         * Lets the primary serve reads as the replicas do: policies start from the primary, too, and without one reads are
         * spread over all servers. Reads that it serves only because no replica is fresh enough stay within the fallback
         * budget all the same.
         *
         * @param too whether it does; by default {@code false}: it serves reads that ask for the latest, and those for which
         *     no replica is fresh enough
         * @return this
         */
        public Builder primaryReads(boolean too) {
            primaryReads = too;
            return this;
        }

        /**
         * Sets which of the servers that may serve a read does.
         *
         * @param balancer one of {@link LoadBalancer}'s, or one of your own, which must not block; by default
         *     {@link LoadBalancer#powerOfTwoChoices()}
         * @return this
         */
        public Builder loadBalancer(LoadBalancer balancer) {
            loadBalancer = Objects.requireNonNull(balancer, "balancer");
            return this;
        }

        /**
         * Adds a server for each address that a host name has, and looks the name up again and again: a server is added
         * for an address that appears, and one is removed, and drains, whose address is gone. Where nothing is found, or
         * the name cannot be looked up, everything stays as it is.
         *
         * @param name what the servers' names begin with; the address follows
         * @param url {@code r2dbc:postgresql://user:password@host:port/database}: how each is connected to
         * @param interval how often the name is looked up; from 100 ms
         * @param tags the tags of each of them
         * @return this
         * @throws IllegalArgumentException if the URL or a tag is malformed; the message does not repeat the URL
         */
        public Builder serversByDns(String name, String url, Duration interval, String... tags) {
            Servers.checkName(name);
            ConnectionFactoryOptions options = ServerUrl.parse(name, url, safeguards.has(Safeguard.REDACTION));
            return serversByDns(name, options, interval, tags);
        }

        /**
         * Adds a server for each address that a host name has, by the driver's options.
         *
         * @param name what the servers' names begin with; the address follows
         * @param options how each is connected to, with the host name among them
         * @param interval how often the name is looked up; from 100 ms
         * @param tags the tags of each of them
         * @return this
         * @throws IllegalArgumentException if the driver refuses the options or a tag is malformed
         */
        public Builder serversByDns(String name, ConnectionFactoryOptions options, Duration interval, String... tags) {
            Servers.checkName(name);
            requireBetween("interval", interval, Duration.ofMillis(100), Duration.ofDays(1));
            Object host = options.getRequiredValue(ConnectionFactoryOptions.HOST);
            return servers(TopologySource.dns(name, host.toString(), interval), options, spec -> spec.tags(tags));
        }

        /**
         * Adds the servers that a source finds, now and later.
         *
         * @param source says which servers there are
         * @param options how each is connected to, at the address that the source says: credentials, the database, TLS
         * @param settings fills in what is special about these servers, where the source says nothing of it
         * @return this
         * @throws IllegalArgumentException if the driver refuses the options, a setting is malformed or another source has
         *     the same name
         */
        public Builder servers(TopologySource source, ConnectionFactoryOptions options, Consumer<ServerSpec> settings) {
            topology.source(source, new RunningServers.Template(source.name(), options, settings), servers);
            return this;
        }

        /**
         * Follows what the tables {@code r2dbc_routing.server} and {@code r2dbc_routing.policy} in the database say: other
         * tags and weights for servers, which are disabled, and policies. They are read on the monitor's own connection,
         * from the primary, or while there is none from a replica. Whoever may write to them can change what is read
         * where; credentials go nowhere else by that, unless {@link #storedServersAt} allows it.
         *
         * @param interval how often they are read; from 100 ms
         * @return this
         * @throws IllegalArgumentException if the interval is out of range
         */
        public Builder storedTopology(Duration interval) {
            requireBetween("interval", interval, Duration.ofMillis(100), Duration.ofDays(1));
            topology.stored(interval);
            return this;
        }

        /**
         * Allows the table in the database to add servers, at these addresses only. They are connected to as the first
         * server is that was given by its URL or options, with its credentials.
         *
         * @param addresses each as {@code host:port}, or {@code host} for port 5432; replaces those named before
         * @return this
         * @throws IllegalArgumentException if one of them is no address
         */
        public Builder storedServersAt(String... addresses) {
            topology.allowed(addresses);
            return this;
        }

        /** For tests that show what a mechanism is for. */
        Builder safeguards(Safeguards inForce) {
            safeguards = inForce;
            return this;
        }

        /** Other clocks and another chance than the system's: for simulations only. */
        Builder surroundings(Surroundings others) {
            surroundings = others;
            return this;
        }

        /**
         * Builds the factory. Opens nothing.
         *
         * @return the factory
         * @throws IllegalArgumentException if no server was added
         */
        public RoutingConnectionFactory build() {
            if (servers.isEmpty() && !topology.findsServers()) {
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
