package io.github.r2dbcrouting.webflux;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.webflux.RoutingProperties.Server;
import io.r2dbc.spi.ConnectionFactoryOptions;
import io.r2dbc.spi.Option;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.r2dbc.autoconfigure.ConnectionFactoryOptionsBuilderCustomizer;
import org.springframework.boot.r2dbc.autoconfigure.R2dbcConnectionDetails;
import org.springframework.boot.r2dbc.autoconfigure.R2dbcProperties;
import org.springframework.util.StringUtils;

/**
 * Where is each server, and what is the driver told about it?
 *
 * <p>What a server does not say for itself is taken from {@code spring.r2dbc}. Thrown texts hold no URL.
 */
final class ServerAddresses {

    /** The name of the database of {@code spring.r2dbc} where the properties give it none. */
    static final String UNLISTED = "db0";

    private static final int DEFAULT_PORT = 5432;
    private static final String SERVERS = RoutingProperties.PREFIX + ".servers.";

    private final R2dbcProperties spring;
    private final @Nullable R2dbcConnectionDetails details;
    private final Iterable<ConnectionFactoryOptionsBuilderCustomizer> customizers;

    /**
     * Creates what looks addresses up.
     *
     * @param spring what {@code spring.r2dbc} says
     * @param details where its database is, {@code null} if nothing says so
     * @param customizers change the options of each server
     */
    ServerAddresses(
            R2dbcProperties spring,
            @Nullable R2dbcConnectionDetails details,
            Iterable<ConnectionFactoryOptionsBuilderCustomizer> customizers) {
        this.spring = spring;
        this.details = details;
        this.customizers = customizers;
    }

    /**
     * Looks up where the servers are.
     *
     * @param servers what the properties say of them, by their names
     * @return the driver's options by the servers' names, in their order; the database of {@code spring.r2dbc} first if
     *     it is not listed
     * @throws RoutingConfigurationException if there is none, one has no address, or two have the same
     */
    Map<String, ConnectionFactoryOptions> of(Map<String, Server> servers) {
        ConnectionFactoryOptions base = details == null ? null : springs(details);
        Map<String, ConnectionFactoryOptions> found = new LinkedHashMap<>();
        String listed = theOneWithoutAddress(servers);
        if (base != null && listed == null) {
            if (servers.containsKey(UNLISTED)) {
                throw new RoutingConfigurationException(
                        "The database of 'spring.r2dbc' would be called '" + UNLISTED
                                + "' among the servers, and so is another one.",
                        "Give it a name of its own: list it under '" + SERVERS
                                + "<name>' with tags, a pool or anything but an address, or remove it from 'spring.r2dbc'.");
            }
            found.put(UNLISTED, customized(base));
        }
        servers.forEach((name, server) -> found.put(name, customized(options(name, server, base))));
        if (found.isEmpty()) {
            throw new RoutingConfigurationException(
                    "Statements are to be routed among PostgreSQL servers, and none is configured.",
                    "Name them, the primary among them:\n\n"
                            + "    r2dbc.routing.servers.db0.url=r2dbc:postgresql://user:password@host:5432/database\n"
                            + "    r2dbc.routing.servers.db1.url=r2dbc:postgresql://user:password@host:5432/database\n\n"
                            + "or set 'spring.r2dbc.url' and add the other servers. With 'r2dbc.routing.enabled=false'"
                            + " everything is as Spring Boot does it without this library.");
        }
        refuseSameAddress(found, base != null ? listed != null ? listed : UNLISTED : null);
        return found;
    }

    private @Nullable String theOneWithoutAddress(Map<String, Server> servers) {
        String listed = null;
        for (Map.Entry<String, Server> server : servers.entrySet()) {
            if (hasAddress(server.getValue())) {
                continue;
            }
            String name = server.getKey();
            if (details == null) {
                throw new RoutingConfigurationException(
                        "Server '" + name + "' has no address.",
                        "Set '" + SERVERS + name + ".url' or '" + SERVERS + name
                                + ".host'; without either it is the database of 'spring.r2dbc.url', which is not set.");
            }
            if (listed != null) {
                throw new RoutingConfigurationException(
                        "The servers '" + listed + "' and '" + name
                                + "' have no address, and only one can be the database of 'spring.r2dbc'.",
                        "Set '" + SERVERS + name + ".url' or '" + SERVERS + name + ".host'.");
            }
            listed = name;
        }
        return listed;
    }

    private static boolean hasAddress(Server server) {
        return StringUtils.hasText(server.url()) || StringUtils.hasText(server.host());
    }

    private ConnectionFactoryOptions options(String name, Server server, @Nullable ConnectionFactoryOptions base) {
        if (StringUtils.hasText(server.url())) {
            if (StringUtils.hasText(server.host())) {
                throw new RoutingConfigurationException(
                        "Server '" + name + "' has a URL and a host.", "Remove one of the two.");
            }
            String place = SERVERS + name + ".url";
            ConnectionFactoryOptions parsed = parsed(name, place, server.url());
            refuseNesting(parsed, place);
            return completed(parsed.mutate(), parsed, server);
        }
        if (!StringUtils.hasText(server.host())) {
            ConnectionFactoryOptions springs =
                    base == null ? ConnectionFactoryOptions.builder().build() : base;
            return overridden(springs.mutate(), server).build();
        }
        ConnectionFactoryOptions.Builder options = base == null
                ? ConnectionFactoryOptions.builder().option(ConnectionFactoryOptions.DRIVER, "postgresql")
                : ConnectionFactoryOptions.builder()
                        .from(base, option -> !option.equals(ConnectionFactoryOptions.PORT));
        set(options, ConnectionFactoryOptions.HOST, server.host());
        if (server.port() != null) {
            set(options, ConnectionFactoryOptions.PORT, server.port());
        }
        ConnectionFactoryOptions own = overridden(options, server).build();
        return completed(own.mutate(), own, server);
    }

    /** What the server itself says beside its address goes before what is said for all. */
    private static ConnectionFactoryOptions.Builder overridden(
            ConnectionFactoryOptions.Builder options, Server server) {
        ifSaid(server.username(), user -> set(options, ConnectionFactoryOptions.USER, user));
        ifSaid(server.password(), password -> set(options, ConnectionFactoryOptions.PASSWORD, password));
        ifSaid(server.database(), database -> set(options, ConnectionFactoryOptions.DATABASE, database));
        server.properties().forEach((key, value) -> set(options, Option.valueOf(key), value));
        return options;
    }

    /** As Spring Boot completes a URL: what the URL says goes before the properties. */
    private ConnectionFactoryOptions completed(
            ConnectionFactoryOptions.Builder options, ConnectionFactoryOptions said, Server server) {
        ifMissing(options, said, ConnectionFactoryOptions.USER, server.username(), spring.getUsername());
        ifMissing(options, said, ConnectionFactoryOptions.PASSWORD, server.password(), spring.getPassword());
        ifMissing(options, said, ConnectionFactoryOptions.DATABASE, server.database(), spring.getName());
        spring.getProperties().forEach((key, value) -> set(options, Option.valueOf(key), value));
        server.properties().forEach((key, value) -> set(options, Option.valueOf(key), value));
        return options.build();
    }

    private static <T> void ifMissing(
            ConnectionFactoryOptions.Builder options,
            ConnectionFactoryOptions said,
            Option<T> option,
            @Nullable T first,
            @Nullable T second) {
        if (!said.hasOption(option)) {
            ifSaid(first != null ? first : second, value -> set(options, option, value));
        }
    }

    private static <T> void set(ConnectionFactoryOptions.Builder options, Option<T> option, T value) {
        var unused = options.option(option, value);
    }

    private static <T> void ifSaid(@Nullable T value, Consumer<T> use) {
        if (value != null && !value.toString().isEmpty()) {
            use.accept(value);
        }
    }

    private ConnectionFactoryOptions springs(R2dbcConnectionDetails given) {
        String place = "spring.r2dbc.url";
        ConnectionFactoryOptions options;
        try {
            options = given.getConnectionFactoryOptions();
        } catch (IllegalArgumentException malformed) {
            // its message repeats the URL with the password
            options = parsed(UNLISTED, place, String.valueOf(spring.getUrl()));
        }
        refuseNesting(options, place);
        return options;
    }

    private static ConnectionFactoryOptions parsed(String name, String place, String url) {
        try {
            return ConnectionFactoryOptions.parse(url);
        } catch (IllegalArgumentException malformed) {
            throw new RoutingConfigurationException(
                    "'" + place + "' cannot be used: " + withoutSecrets(name, url) + ".", "Correct '" + place + "'.");
        }
    }

    /** The core says what is wrong with a URL without repeating it. */
    private static @Nullable String withoutSecrets(String name, String url) {
        try {
            var unused = RoutingConnectionFactory.builder().server(name, url);
            return "it is malformed";
        } catch (IllegalArgumentException refused) {
            return refused.getMessage();
        }
    }

    private static void refuseNesting(ConnectionFactoryOptions options, String place) {
        Object driver = options.getValue(ConnectionFactoryOptions.DRIVER);
        if ("pool".equals(driver)) {
            throw new RoutingConfigurationException(
                    "'" + place
                            + "' asks for a connection pool (r2dbc:pool:...), and the router has one for each server.",
                    "Remove 'pool:' from the URL, and say under '" + RoutingProperties.PREFIX
                            + ".pool' or 'spring.r2dbc.pool' how large the pools shall be.");
        }
        if ("routing".equals(driver)) {
            throw new RoutingConfigurationException(
                    "'" + place + "' is a router's URL (r2dbc:routing:...), and a server is expected there.",
                    "List each server under '" + SERVERS + "<name>', or set '" + RoutingProperties.PREFIX
                            + ".enabled=false' and 'spring.r2dbc.pool.enabled=false' to let the URL stand for all of it.");
        }
    }

    private ConnectionFactoryOptions customized(ConnectionFactoryOptions options) {
        ConnectionFactoryOptions.Builder builder = options.mutate();
        if (!options.hasOption(ConnectionFactoryOptions.PORT)) {
            // said, so that observations can name it
            set(builder, ConnectionFactoryOptions.PORT, DEFAULT_PORT);
        }
        for (ConnectionFactoryOptionsBuilderCustomizer customizer : customizers) {
            customizer.customize(builder);
        }
        return builder.build();
    }

    private static void refuseSameAddress(Map<String, ConnectionFactoryOptions> servers, @Nullable String springs) {
        Map<String, String> byAddress = new LinkedHashMap<>();
        servers.forEach((name, options) -> {
            String address = address(options);
            String other = address == null ? null : byAddress.putIfAbsent(address, name);
            if (other == null) {
                return;
            }
            boolean ofSpring = other.equals(springs) || name.equals(springs);
            throw new RoutingConfigurationException(
                    "The servers '" + other + "' and '" + name + "' have the same address, " + address + "."
                            + (ofSpring
                                    ? " The database of 'spring.r2dbc' is a server, called '" + springs
                                            + "', without being listed with an address."
                                    : ""),
                    ofSpring
                            ? "Remove the other one, or 'spring.r2dbc.url'. To give it a name and tags, list it without"
                                    + " an address."
                            : "Each server is listed once, the primary as well as the replicas: which one is the primary"
                                    + " is found out.");
        });
    }

    /**
     * Tells the address of a server.
     *
     * @param options what the driver is told
     * @return host and port, {@code null} if it has none
     */
    static @Nullable String address(ConnectionFactoryOptions options) {
        Object host = options.getValue(ConnectionFactoryOptions.HOST);
        Object port = options.getValue(ConnectionFactoryOptions.PORT);
        return host == null
                ? null
                : host.toString().toLowerCase(Locale.ROOT) + ":" + (port == null ? DEFAULT_PORT : port);
    }
}
