package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.connection.ServerPool;
import io.github.r2dbcrouting.internal.monitor.ClusterMonitor;
import io.github.r2dbcrouting.internal.monitor.MonitoredServer;
import io.github.r2dbcrouting.internal.monitor.MonitoredServer.Service;
import io.github.r2dbcrouting.internal.reactive.Detached;
import io.github.r2dbcrouting.spi.Engine;
import io.github.r2dbcrouting.spi.ServerDescription;
import io.github.r2dbcrouting.spi.TopologySource;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryOptions;
import io.r2dbc.spi.Option;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * Which servers are there now, and what belongs to each?
 *
 * <p>Keeps the monitor, the pools and the sources together: a change is made within the monitor's tasks, where a pool is
 * there before the table that has its server. Thread-safe.
 */
final class RunningServers {

    private static final Logger LOG = LoggerFactory.getLogger(RunningServers.class);

    private final String product;
    private final @Nullable Publisher<Credentials> credentials;
    private final ClusterMonitor monitor;
    private final BiFunction<MonitoredServer, Roster.Entry, ServerPool> pooling;
    private final Roster roster = new Roster();
    private final List<ServerPool> pools = new CopyOnWriteArrayList<>();
    private final List<SourceLoop<?>> loops = new CopyOnWriteArrayList<>();
    private final Map<String, Map<String, Roster.Entry>> opened = new ConcurrentHashMap<>();
    private final AtomicBoolean started = new AtomicBoolean();
    private volatile Map<String, MonitoredServer> byName = Map.of();

    /** Something that is made of servers that a source finds. */
    record Template(String name, ConnectionFactoryOptions options, Consumer<ServerSpec> settings) {}

    RunningServers(
            String product,
            @Nullable Publisher<Credentials> credentials,
            ClusterMonitor monitor,
            BiFunction<MonitoredServer, Roster.Entry, ServerPool> pooling) {
        this.product = product;
        this.credentials = credentials;
        this.monitor = monitor;
        this.pooling = pooling;
        monitor.tables().onPublished(table -> {
            for (int i = 0; i < table.servers().size(); i++) {
                pools.get(i).published(table, i);
            }
            if (table.servers().stream().noneMatch(RunningServers::works)
                    || table.primary().isEmpty()) {
                refresh();
            }
        });
    }

    private static boolean works(ServerState server) {
        return server.status() == ServerStatus.UP;
    }

    /** The servers of the builder. Before the monitor is started; opens nothing. */
    void addAtFirst(List<Servers.Server> servers) {
        List<RuntimeException> refused = new ArrayList<>();
        servers.forEach(server -> roster.add(server.name(), entry(server)));
        // nobody else uses the monitor yet, so this is done when it returns
        Detached.run(
                monitor.reconfigure(reconfiguration -> {
                    try {
                        apply(reconfiguration);
                    } catch (RuntimeException failure) {
                        refused.add(failure);
                    }
                }),
                error -> LOG.warn("the first servers could not be added", error));
        if (!refused.isEmpty()) {
            throw refused.get(0);
        }
    }

    private static Roster.Entry entry(Servers.Server server) {
        ServerSpec spec = server.spec();
        // what was named anew is another server, also at the same address
        return new Roster.Entry(
                new Object(), server.factory(), server.decorated(), spec.tags(), spec.weight(), true, spec.pool());
    }

    /**
     * Makes servers of what a source has found, with the options of the template at the addresses that were found. One that
     * was found there before keeps its factory. Finding a driver reads files, so this is done neither within the monitor's
     * tasks nor on a thread that must not block.
     */
    Mono<Map<String, Roster.Entry>> entries(String source, List<ServerDescription> found, Template template) {
        return Mono.fromCallable(() -> {
                    Map<String, Roster.Entry> before = opened.getOrDefault(source, Map.of());
                    Map<String, Roster.Entry> now = new LinkedHashMap<>();
                    for (ServerDescription server : found) {
                        now.put(server.name(), entry(server, before.get(server.name()), template));
                    }
                    opened.put(source, now);
                    return now;
                })
                .subscribeOn(Schedulers.boundedElastic());
    }

    private Roster.Entry entry(ServerDescription found, Roster.@Nullable Entry before, Template template) {
        ServerSpec spec = new ServerSpec();
        template.settings.accept(spec);
        String address = found.host() + ":" + found.port();
        Roster.Entry known = before != null && before.address().equals(address) ? before : null;
        ConnectionFactory factory = known != null ? known.factory() : open(found, spec, template);
        return new Roster.Entry(
                address,
                factory,
                known != null ? known.decorated() : new Servers(product).decorated(found.name(), factory, spec),
                found.tags() == null ? spec.tags() : found.tags(),
                found.weight() == null ? spec.weight() : found.weight(),
                found.enabled(),
                spec.pool());
    }

    private ConnectionFactory open(ServerDescription found, ServerSpec spec, Template template) {
        ConnectionFactoryOptions.Builder options =
                template.options.mutate().option(ConnectionFactoryOptions.HOST, String.valueOf(found.host()));
        if (found.port() != null) {
            options = options.option(Option.<Object>valueOf(ConnectionFactoryOptions.PORT.name()), found.port());
        }
        return Servers.open(found.name(), options.build(), spec, credentials);
    }

    private void apply(ClusterMonitor.Reconfiguration reconfiguration) {
        try {
            roster.apply(reconfiguration, (server, entry) -> pools.add(pooling.apply(server, entry)));
        } finally {
            Map<String, MonitoredServer> now = new LinkedHashMap<>();
            roster.servers().forEach(server -> now.put(server.name(), server));
            byName = now;
        }
    }

    /** Every pool that there ever was, each at its server's index; grows while servers are added. */
    List<ServerPool> pools() {
        return pools;
    }

    Set<String> names() {
        return byName.keySet();
    }

    @Nullable
    ServerPool pool(String name) {
        MonitoredServer server = byName.get(name);
        return server == null ? null : pools.get(server.index());
    }

    List<Topology.Server> described() {
        return byName.values().stream()
                .map(server -> new Topology.Server(
                        server.name(), server.tags(), server.weight(), server.service() == Service.IN_USE))
                .toList();
    }

    Mono<Void> add(String name, Consumer<Servers> named) {
        return Mono.fromCallable(() -> {
                    Servers one = new Servers(product);
                    named.accept(one);
                    return one.open(credentials);
                })
                .subscribeOn(Schedulers.boundedElastic())
                .flatMap(servers -> change(known -> servers.forEach(server -> known.add(name, entry(server)))));
    }

    /** Makes a change within the monitor's tasks. */
    Mono<Void> change(Consumer<Roster> change) {
        return Mono.defer(() -> monitor.reconfigure(reconfiguration -> {
                    change.accept(roster);
                    apply(reconfiguration);
                })
                .then());
    }

    /** What a source has found becomes the servers of the source: an empty answer does not. */
    void source(TopologySource source, Template template, Consumer<RoutingEvent> events, Scheduler timers) {
        loops.add(new SourceLoop<>(
                source.name(),
                longer(source.interval(), LEAST_INTERVAL),
                Mono.defer(source::servers),
                found -> found(source.name(), found, template),
                events,
                timers,
                monitor::now));
    }

    /** What the database says is followed, read on the monitor's connection. */
    void stored(
            Duration interval,
            Engine engine,
            StoredSettings settings,
            Consumer<RoutingEvent> events,
            Scheduler timers) {
        loops.add(new SourceLoop<>(
                StoredSettings.NAME,
                interval,
                Mono.defer(() -> monitor.ask(engine::storedTopology)),
                said -> settings.added(said).flatMap(added -> follow(known -> settings.follow(known, said, added))),
                events,
                timers,
                monitor::now));
    }

    static final Duration LEAST_INTERVAL = Duration.ofMillis(100);

    private static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) > 0 ? one : other;
    }

    private Mono<String> found(String source, List<ServerDescription> found, Template template) {
        if (found.isEmpty()) {
            return Mono.error(new IllegalArgumentException("found no server: an empty answer is not followed"));
        }
        List<String> problems = new ArrayList<>();
        List<ServerDescription> sound = new ArrayList<>();
        for (ServerDescription server : found) {
            String fault = server.host() == null ? "it has no host" : Roster.fault(server);
            if (fault == null) {
                sound.add(server);
            } else {
                problems.add("a server that was found is left out: " + fault);
            }
        }
        return entries(source, sound, template)
                .flatMap(entries -> follow(known -> {
                    Map<String, Roster.Entry> wanted = new LinkedHashMap<>(entries);
                    for (String name : entries.keySet()) {
                        if (known.knows(name, source)) {
                            wanted.remove(name);
                            problems.add(
                                    "a server that was found is left out: there is another one named '" + name + "'");
                        }
                    }
                    if (wanted.isEmpty()) {
                        throw new IllegalArgumentException(String.join("; ", problems));
                    }
                    known.found(source, wanted);
                    return problems;
                }));
    }

    /** Follows an answer, and tells what of it could not be followed. */
    Mono<String> follow(Function<Roster, List<String>> answer) {
        List<String> problems = new CopyOnWriteArrayList<>();
        return change(known -> problems.addAll(answer.apply(known)))
                .then(Mono.fromSupplier(() -> String.join("; ", problems)));
    }

    List<Topology.Source> sources() {
        List<Topology.Source> sources = new ArrayList<>();
        loops.forEach(loop -> sources.add(loop.status()));
        return sources;
    }

    /** Any thread; only the first call has an effect. */
    void start() {
        monitor.start();
        if (!started.get() && started.compareAndSet(false, true)) {
            loops.forEach(SourceLoop::start);
        }
    }

    void refresh() {
        loops.forEach(SourceLoop::hurry);
    }

    Mono<Void> close() {
        return Mono.fromRunnable(() -> loops.forEach(SourceLoop::close))
                .then(monitor.close())
                .then(Mono.defer(() -> Flux.fromIterable(pools)
                        .flatMapDelayError(ServerPool::close, Math.max(pools.size(), 1), 1)
                        .then()));
    }
}
