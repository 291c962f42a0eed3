package io.github.r2dbcrouting.benchmarks.load;

import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.postgresql.PostgresqlConnectionFactory;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.springframework.r2dbc.connection.lookup.AbstractRoutingConnectionFactory;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;

/** How does each of the compared ways get its connections? All with pools of the same size, and the same validation. */
final class Contenders {

    private static final long PIN = Duration.ofSeconds(5).toNanos();
    private static final Duration BOUND = Duration.ofMillis(500);
    private static final int HEARD = 16;
    private static final Duration READY = Duration.ofSeconds(30);

    private final Cluster cluster;
    private final int poolSize;

    Contenders(Cluster cluster, int poolSize) {
        this.cluster = cluster;
        this.poolSize = poolSize;
    }

    Contender of(Kind kind, boolean again) {
        return switch (kind) {
            case PRIMARY -> primary(again);
            case ROUND_ROBIN -> roundRobin(again);
            case PINNED -> pinned(again);
            case CAUSAL ->
                ours(
                        kind,
                        again,
                        user -> Routing.read().andThen(Routing.session(user.session())),
                        user -> Routing.session(user.session()));
            case BOUNDED ->
                ours(
                        kind,
                        again,
                        user -> Routing.read().freshness(Freshness.atMost(BOUND)),
                        user -> Function.identity());
            case SPRING -> spring(again);
            case MULTI_HOST -> multiHost(again);
            case HAPROXY, PGBOUNCER, PGPOOL -> throw new IllegalArgumentException(kind + " is a program, see Proxies");
        };
    }

    /**
     * Connections by way of a program that runs already.
     *
     * @param kind which program
     * @param version its version
     * @param readUrls where it takes reads, in turns; together they lead to all replicas
     * @param writeUrl where it takes writes
     * @return what goes by way of it
     */
    Contender over(Kind kind, String version, List<String> readUrls, String writeUrl) {
        int replicas = Math.max(1, cluster.replicas().size());
        ConnectionPool writing = pool(ConnectionFactoryOptions.parse(writeUrl), poolSize);
        List<ConnectionPool> reading = readUrls.stream()
                .map(url -> pool(ConnectionFactoryOptions.parse(url), poolSize * replicas / readUrls.size()))
                .toList();
        Access writes = Access.over(writing);
        Function<User, Access> reads =
                rotating(reading.stream().map(Access::over).toList());
        return contender(kind, false, version, reads, user -> writes, both(writing, reading));
    }

    private Contender primary(boolean again) {
        ConnectionPool pool = pool(cluster.primary());
        return simple(Kind.PRIMARY, again, "", Access.over(pool), Access.over(pool), List.of(pool));
    }

    private Contender roundRobin(boolean again) {
        List<ConnectionPool> replicas =
                cluster.replicas().stream().map(this::pool).toList();
        ConnectionPool primary = pool(cluster.primary());
        Access writes = Access.over(primary);
        List<Access> reads = replicas.stream().map(Access::over).toList();
        Function<User, Access> rotating = rotating(reads.isEmpty() ? List.of(writes) : reads);
        return contender(Kind.ROUND_ROBIN, again, "", rotating, user -> writes, both(primary, replicas));
    }

    private Contender pinned(boolean again) {
        List<ConnectionPool> replicas =
                cluster.replicas().stream().map(this::pool).toList();
        ConnectionPool primary = pool(cluster.primary());
        Access writes = Access.over(primary);
        Access pin = new Access(primary, Function.identity(), "PINNED");
        List<Access> reads = replicas.stream()
                .map(pool -> new Access(pool, Function.identity(), "NOT_PINNED"))
                .toList();
        Function<User, Access> rotating = rotating(reads.isEmpty() ? List.of(writes) : reads);
        return contender(
                Kind.PINNED,
                again,
                "",
                user -> user.wroteWithin(System.nanoTime(), PIN) ? pin : rotating.apply(user),
                user -> writes,
                both(primary, replicas));
    }

    private Contender ours(
            Kind kind,
            boolean again,
            Function<User, Function<Context, Context>> reading,
            Function<User, Function<Context, Context>> writing) {
        Contender.Reasons reasons = new Contender.Reasons();
        Function<Context, Context> heard = Routing.listener(decision -> heard(decision, reasons));
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder();
        for (Cluster.Server server : cluster.servers()) {
            var unused = builder.server(server.name(), server.url(), spec -> spec.pool(this::size));
        }
        RoutingConnectionFactory factory = builder.build();
        var unused = factory.ready(READY).block();
        return new Contender(
                kind,
                again,
                "",
                // whoever listens has each decision explained, which others are not asked for
                user -> new Access(
                        factory,
                        ThreadLocalRandom.current().nextInt(HEARD) == 0
                                ? reading.apply(user).andThen(heard)
                                : reading.apply(user),
                        ""),
                user -> new Access(factory, writing.apply(user), ""),
                reasons,
                List.of(factory.close()));
    }

    private static void heard(RouteDecision decision, Contender.Reasons reasons) {
        if (decision.intent() == Intent.READ) {
            reasons.add(decision.reason().name(), false);
        }
    }

    private Contender spring(boolean again) {
        Map<String, ConnectionPool> pools = new HashMap<>();
        cluster.servers().forEach(server -> pools.put(server.name(), pool(server)));
        String primary = cluster.primary().name();
        Object key = Contenders.class;
        AbstractRoutingConnectionFactory factory = new AbstractRoutingConnectionFactory() {
            @Override
            protected Mono<Object> determineCurrentLookupKey() {
                return Mono.deferContextual(context -> Mono.just(context.hasKey(key) ? context.get(key) : primary));
            }
        };
        factory.setTargetConnectionFactories(pools);
        factory.setLenientFallback(false);
        factory.afterPropertiesSet();
        Access writes = new Access(factory, context -> context.put(key, primary), "");
        List<Access> reads = cluster.replicas().stream()
                .map(server -> new Access(factory, context -> context.put(key, server.name()), ""))
                .toList();
        return contender(
                Kind.SPRING,
                again,
                versionOf(AbstractRoutingConnectionFactory.class),
                rotating(reads.isEmpty() ? List.of(writes) : reads),
                user -> writes,
                List.copyOf(pools.values()));
    }

    private Contender multiHost(boolean again) {
        ConnectionPool writing = pool(hosts("primary"), poolSize);
        ConnectionPool reading = pool(
                hosts("preferSecondary"),
                poolSize * Math.max(1, cluster.replicas().size()));
        return simple(
                Kind.MULTI_HOST,
                again,
                versionOf(PostgresqlConnectionFactory.class),
                Access.over(reading),
                Access.over(writing),
                List.of(reading, writing));
    }

    private ConnectionFactoryOptions hosts(String target) {
        ConnectionFactoryOptions first =
                ConnectionFactoryOptions.parse(cluster.primary().url());
        String hosts = cluster.servers().stream()
                .map(server -> ConnectionFactoryOptions.parse(server.url()))
                .map(url -> url.getRequiredValue(ConnectionFactoryOptions.HOST) + ":"
                        + (url.hasOption(ConnectionFactoryOptions.PORT)
                                ? url.getRequiredValue(ConnectionFactoryOptions.PORT)
                                : Integer.valueOf(5432)))
                .collect(Collectors.joining(","));
        return ConnectionFactoryOptions.builder()
                .from(first, option -> !option.equals(ConnectionFactoryOptions.PORT))
                .option(ConnectionFactoryOptions.PROTOCOL, "failover")
                .option(ConnectionFactoryOptions.HOST, hosts)
                .option(io.r2dbc.spi.Option.valueOf("targetServerType"), target)
                .option(io.r2dbc.spi.Option.valueOf("loadBalanceHosts"), true)
                .build();
    }

    private static String versionOf(Class<?> library) {
        return String.valueOf(library.getPackage().getImplementationVersion());
    }

    private static Function<User, Access> rotating(List<Access> all) {
        AtomicInteger next = new AtomicInteger();
        return user -> all.get(Math.floorMod(next.getAndIncrement(), all.size()));
    }

    private static Contender simple(
            Kind kind, boolean again, String note, Access reads, Access writes, List<ConnectionPool> pools) {
        return contender(kind, again, note, user -> reads, user -> writes, pools);
    }

    private static Contender contender(
            Kind kind,
            boolean again,
            String note,
            Function<User, Access> reads,
            Function<User, Access> writes,
            List<ConnectionPool> pools) {
        return new Contender(
                kind,
                again,
                note,
                reads,
                writes,
                new Contender.Reasons(),
                pools.stream().map(ConnectionPool::disposeLater).toList());
    }

    private static List<ConnectionPool> both(ConnectionPool primary, List<ConnectionPool> replicas) {
        List<ConnectionPool> all = new ArrayList<>(replicas);
        all.add(primary);
        return all;
    }

    private ConnectionPool pool(Cluster.Server server) {
        return pool(ConnectionFactoryOptions.parse(server.url()), poolSize);
    }

    private static ConnectionPool pool(ConnectionFactoryOptions options, int size) {
        ConnectionFactory factory = ConnectionFactories.get(options);
        return new ConnectionPool(ConnectionPoolConfiguration.builder(factory)
                .initialSize(0)
                .maxSize(size)
                .build());
    }

    private void size(ConnectionPoolConfiguration.Builder pool) {
        var unused = pool.initialSize(0).maxSize(poolSize);
    }
}
