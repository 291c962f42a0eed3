package io.github.r2dbcrouting.webflux;

import io.github.r2dbcrouting.PolicySyntaxException;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.RoutingListener;
import io.github.r2dbcrouting.ServerSpec;
import io.github.r2dbcrouting.spi.ConnectionObserver;
import io.github.r2dbcrouting.spi.LoadBalancer;
import io.github.r2dbcrouting.spi.TopologySource;
import io.github.r2dbcrouting.webflux.RoutingProperties.Pool;
import io.github.r2dbcrouting.webflux.RoutingProperties.Server;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryOptions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.r2dbc.ConnectionFactoryDecorator;
import org.springframework.boot.r2dbc.OptionsCapableConnectionFactory;

/**
 * Which factory do the properties describe? Applies each property to the setting of the builder that it stands for; a
 * value that the builder refuses is told with the property's name.
 *
 * @param properties what {@code r2dbc.routing} says
 * @param servers what the driver is told of each server, by their names
 * @param springPool what {@code spring.r2dbc.pool} says
 * @param decorators put around each server
 * @param listeners hear of every decision that they want to hear of, besides one that a customizer sets
 * @param observer follows every statement and transaction, unless a customizer sets another; {@code null} if nobody does
 * @param customizers called last
 */
record ConfiguredFactory(
        RoutingProperties properties,
        Map<String, ConnectionFactoryOptions> servers,
        Pool springPool,
        List<ConnectionFactoryDecorator> decorators,
        List<RoutingListener> listeners,
        @Nullable ConnectionObserver observer,
        List<RoutingConnectionFactoryBuilderCustomizer> customizers) {

    private static final Pool NOTHING = new Pool(null, null, null);

    private static final Duration LEAST_INTERVAL = Duration.ofMillis(100);
    private static final Duration MOST_INTERVAL = Duration.ofDays(1);

    /** PostgreSQL itself takes no more. */
    private static final int MOST_CONNECTIONS = 262_143;

    RoutingConnectionFactory build() {
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder();
        servers.forEach((name, options) -> applied("servers." + name, () -> server(builder, name, options)));
        properties.policies().forEach((name, text) -> policy(builder, name, text));
        pool("pool", properties.pool(), pool -> builder.pool(pool));
        applied("sampling", () -> builder.sampling(properties.sampling().atRest(), watched()));
        var unused = builder.whenBehind(properties.whenBehind())
                .lazyBegin(properties.lazyBegin())
                .strictLostWrites(properties.strictLostWrites());
        applied("max-wait", () -> builder.maxWait(properties.maxWait()));
        applied("read-deadline", () -> builder.readDeadline(properties.readDeadline()));
        Integer budget = properties.fallbackBudget();
        if (budget != null) {
            applied("fallback-budget", () -> builder.fallbackBudget(budget));
        }
        applied("primary-after-write", () -> builder.primaryAfterWrite(properties.primaryAfterWrite()));
        applied("retries", () -> builder.retries(properties.retries()));
        applied(
                "read-only-functions",
                () -> builder.readOnlyFunctions(properties.readOnlyFunctions().toArray(String[]::new)));
        unused = builder.readOnlyFunctionsFromCatalog(properties.readOnlyFunctionsFromCatalog())
                .primaryReads(properties.primaryReads());
        Duration stored = properties.storedTopology();
        if (stored != null) {
            applied("stored-topology", () -> builder.storedTopology(stored));
        }
        applied(
                "stored-servers-at",
                () -> builder.storedServersAt(properties.storedServersAt().toArray(String[]::new)));
        applied("prefer-tags", () -> builder.preferTags(properties.preferTags().toArray(String[]::new)));
        applied("load-balancer", () -> builder.loadBalancer(balancer(properties.loadBalancer())));
        if (observer != null) {
            builder.observer(observer);
        }
        customizers.forEach(customizer -> customizer.customize(builder));
        RoutingConnectionFactory built = built(builder);
        // each by itself, so that it is asked what it wants and may fail alone; one that a customizer has set stays
        for (RoutingListener listener : listeners) {
            var unusedEnd = built.listen(listener);
        }
        return built;
    }

    private static RoutingConnectionFactory built(RoutingConnectionFactory.Builder builder) {
        try {
            return builder.build();
        } catch (IllegalArgumentException refused) {
            throw new RoutingConfigurationException(
                    "The servers cannot be routed among: " + refused.getMessage() + ".",
                    "Correct what '" + RoutingProperties.PREFIX + "' and 'spring.r2dbc' say of them.",
                    refused);
        }
    }

    private RoutingConnectionFactory.Builder server(
            RoutingConnectionFactory.Builder builder, String name, ConnectionFactoryOptions options) {
        Consumer<ServerSpec> settings = spec -> describe(name, options, spec);
        Duration again = properties.resolveEvery();
        Object host = options.getValue(ConnectionFactoryOptions.HOST);
        if (again == null || host == null) {
            return builder.server(name, options, settings);
        }
        requireBetween("resolve-every", again, LEAST_INTERVAL, MOST_INTERVAL);
        return builder.servers(TopologySource.dns(name, host.toString(), again), options, settings);
    }

    private static void requireBetween(String place, Duration value, Duration least, Duration most) {
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            throw refused(
                    place,
                    "it is " + value.toMillis() + " ms, and must be from " + least.toMillis() + " to " + most.toMillis()
                            + " ms",
                    null);
        }
    }

    private static LoadBalancer balancer(String name) {
        return LoadBalancer.named(name)
                .orElseThrow(() -> new IllegalArgumentException("it is '" + name
                        + "', and must be one of powerOfTwoChoices, roundRobin, random, leastInFlight, nearest"));
    }

    private Duration watched() {
        RoutingProperties.Sampling sampling = properties.sampling();
        if (sampling.watched() != null) {
            return sampling.watched();
        }
        Duration usual = RoutingConnectionFactory.DEFAULT_WATCHED;
        return sampling.atRest().compareTo(usual) < 0 ? sampling.atRest() : usual;
    }

    private void describe(String name, ConnectionFactoryOptions options, ServerSpec spec) {
        Server server = properties.servers().get(name);
        if (server != null) {
            var unused = spec.tags(server.tags().toArray(String[]::new)).weight(server.weight());
            pool("servers." + name + ".pool", server.pool(), pool -> spec.pool(pool));
        }
        if (!decorators.isEmpty()) {
            spec.decorator(driver -> decorated(driver, options));
        }
    }

    /** As Spring Boot does it: a decorator finds the options, and with them host and port. */
    private ConnectionFactory decorated(ConnectionFactory driver, ConnectionFactoryOptions options) {
        ConnectionFactory decorated = new OptionsCapableConnectionFactory(options, driver);
        for (ConnectionFactoryDecorator decorator : decorators) {
            decorated = decorator.decorate(decorated);
        }
        return decorated;
    }

    private void pool(String place, Pool said, Consumer<Consumer<ConnectionPoolConfiguration.Builder>> use) {
        Pool inherited = place.equals("pool") ? springPool : NOTHING;
        if (!said.saysAnything() && !inherited.saysAnything()) {
            return;
        }
        Integer maxSize = first(said, inherited, Pool::maxSize);
        Integer initialSize = first(said, inherited, Pool::initialSize);
        Integer minIdle = first(said, inherited, Pool::minIdle);
        requireBetween(place + ".max-size", maxSize, 1, MOST_CONNECTIONS);
        requireBetween(place + ".initial-size", initialSize, 0, maxSize != null ? maxSize : MOST_CONNECTIONS);
        requireBetween(place + ".min-idle", minIdle, 0, maxSize != null ? maxSize : MOST_CONNECTIONS);
        use.accept(pool -> {
            ConnectionPoolConfiguration.Builder sized = maxSize == null ? pool : pool.maxSize(maxSize);
            sized = initialSize == null ? sized : sized.initialSize(initialSize);
            var unused = minIdle == null ? sized : sized.minIdle(minIdle);
        });
    }

    private static @Nullable Integer first(Pool said, Pool inherited, Function<Pool, @Nullable Integer> part) {
        Integer own = part.apply(said);
        return own != null ? own : part.apply(inherited);
    }

    private static void requireBetween(String place, @Nullable Integer value, int least, int most) {
        if (value != null && (value < least || value > most)) {
            throw refused(place, "it is " + value + ", and must be from " + least + " to " + most, null);
        }
    }

    private static void policy(RoutingConnectionFactory.Builder builder, String name, String text) {
        String place = "policies." + name;
        try {
            var unused = builder.policy(name, text);
        } catch (PolicySyntaxException bad) {
            throw refused(
                    place, bad.getMessage() + "\n\n    " + flat(text) + "\n    " + " ".repeat(bad.offset()) + "^", bad);
        } catch (IllegalArgumentException badName) {
            throw refused(place, badName.getMessage(), badName);
        }
    }

    /** Each character in its place, so that an offset can be pointed at. */
    private static String flat(String text) {
        return text.replaceAll("\\s", " ");
    }

    private interface Setting {
        RoutingConnectionFactory.Builder apply();
    }

    private static void applied(String place, Setting setting) {
        try {
            var unused = setting.apply();
        } catch (IllegalArgumentException bad) {
            throw refused(place, bad.getMessage(), bad);
        }
    }

    private static RoutingConfigurationException refused(
            String place, @Nullable String why, @Nullable IllegalArgumentException cause) {
        String property = RoutingProperties.PREFIX + "." + place;
        return new RoutingConfigurationException(
                "'" + property + "' cannot be used: " + why, "Correct '" + property + "'.", cause);
    }
}
