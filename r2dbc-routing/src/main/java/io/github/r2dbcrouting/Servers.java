package io.github.r2dbcrouting;

import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryOptions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;

/**
 * Which servers were named, and how is each reached?
 *
 * <p>What is wrong with a server is said when it is named; what depends on settings for all of them, when they are
 * opened. Not thread-safe.
 */
final class Servers {

    private final String product;
    private final Map<String, Named> named = new LinkedHashMap<>();

    Servers(String product) {
        this.product = product;
    }

    /** A server as it was named: by a factory, or by the driver's options. */
    private record Named(
            @Nullable ConnectionFactory factory, @Nullable ConnectionFactoryOptions options, ServerSpec spec) {}

    /** A server that can be connected to: by the monitor as it is, by the application through its decorators. */
    record Server(String name, ConnectionFactory factory, ConnectionFactory decorated, ServerSpec spec) {}

    /** Before anything else is done with the name: whoever swaps it with the URL has a password in it. */
    static void checkName(String name) {
        Names.check(name, "a server's name", "._-");
    }

    void add(String name, ConnectionFactory factory, Consumer<ServerSpec> settings) {
        checkName(name);
        check(name, factory);
        ServerSpec spec = filledIn(settings);
        if (spec.credentials() != null) {
            throw new IllegalArgumentException("server '" + name
                    + "' is given as a ready-made factory, which has its credentials: give its URL or its options"
                    + " for credentials that change");
        }
        add(name, new Named(factory, null, spec));
    }

    void add(String name, ConnectionFactoryOptions options, Consumer<ServerSpec> settings) {
        checkName(name);
        // whose credentials it will have is not known yet: those for all servers may be given later
        boolean hasUser = options.hasOption(ConnectionFactoryOptions.USER);
        ConnectionFactoryOptions complete = hasUser
                ? options
                : options.mutate()
                        .option(ConnectionFactoryOptions.USER, "nobody yet")
                        .build();
        check(name, ServerUrl.open(name, complete));
        add(name, new Named(null, options, filledIn(settings)));
    }

    private void add(String name, Named server) {
        if (named.putIfAbsent(name, server) != null) {
            throw new IllegalArgumentException("there are two servers named '" + name + "'");
        }
    }

    private static ServerSpec filledIn(Consumer<ServerSpec> settings) {
        ServerSpec spec = new ServerSpec();
        settings.accept(spec);
        return spec;
    }

    private void check(String name, ConnectionFactory factory) {
        String other = factory.getMetadata().getName();
        if (!product.equals(other)) {
            throw new IllegalArgumentException(
                    "server '" + name + "' is a " + other + ", only " + product + " can be routed to");
        }
        if (factory instanceof ConnectionPool) {
            throw new IllegalArgumentException("server '" + name
                    + "' is given as a pool: give the factory below it, the router pools connections itself");
        }
        if (factory instanceof RoutingConnectionFactory) {
            throw new IllegalArgumentException(
                    "server '" + name + "' is a routing connection factory itself: give each of its servers");
        }
    }

    boolean isEmpty() {
        return named.isEmpty();
    }

    /**
     * Makes every server reachable. Opens no connection.
     *
     * @param forAll the credentials of those that have none of their own, {@code null} if each has
     */
    List<Server> open(@Nullable Publisher<Credentials> forAll) {
        List<Server> servers = new ArrayList<>();
        named.forEach((name, server) -> {
            ConnectionFactory factory = open(name, server, forAll);
            servers.add(new Server(name, factory, decorated(name, factory, server.spec), server.spec));
        });
        return servers;
    }

    /** What an application's statements run on: a server with its decorators around it. */
    ConnectionFactory decorated(String name, ConnectionFactory factory, ServerSpec spec) {
        ConnectionFactory decorated = Objects.requireNonNull(
                spec.decorator().apply(factory), () -> "a decorator of server '" + name + "' returned null");
        check(name, decorated);
        return decorated;
    }

    /** Says what is wrong with how a source's servers are connected to, if anything is. */
    void check(String name, ConnectionFactoryOptions options, Consumer<ServerSpec> settings) {
        new Servers(product).add(name, options, settings);
    }

    /** Makes one server reachable that was not named here. Opens no connection. */
    static ConnectionFactory open(
            String name, ConnectionFactoryOptions options, ServerSpec spec, @Nullable Publisher<Credentials> forAll) {
        return open(name, new Named(null, options, spec), forAll);
    }

    /** The options of the first server that has any: how to reach others of its cluster. */
    @Nullable
    ConnectionFactoryOptions firstOptions() {
        return named.values().stream()
                .map(Named::options)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    private static ConnectionFactory open(String name, Named server, @Nullable Publisher<Credentials> forAll) {
        if (server.factory != null) {
            return server.factory;
        }
        ConnectionFactoryOptions options = Objects.requireNonNull(server.options, "options");
        Publisher<Credentials> own = server.spec.credentials();
        Publisher<Credentials> credentials = own != null ? own : forAll;
        if (credentials != null) {
            return new RotatingCredentials(name, options, credentials);
        }
        if (!options.hasOption(ConnectionFactoryOptions.USER)) {
            throw new IllegalArgumentException(
                    "server '" + name + "' has no user: name one in its URL, or set credentials");
        }
        return ServerUrl.open(name, options);
    }
}
