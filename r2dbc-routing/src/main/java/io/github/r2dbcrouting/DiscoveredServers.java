package io.github.r2dbcrouting;

import io.github.r2dbcrouting.RoutingConnectionFactoryProvider.Setting;
import io.r2dbc.spi.ConnectionFactoryOptions;
import io.r2dbc.spi.Option;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which servers and settings does a URL stand for?
 *
 * <p>Messages name hosts by their place: a password that is not percent-encoded ends up among them.
 */
final class DiscoveredServers {

    /** More than any cluster has: each costs a pool. */
    private static final int MAX_HOSTS = 1_000;

    private static final Set<String> OF_THE_URL =
            Set.of("driver", "protocol", "host", "port", "servers", "resolveEvery");

    private DiscoveredServers() {}

    static RoutingConnectionFactory factory(ConnectionFactoryOptions options) {
        GivenOptions given = new GivenOptions(options);
        Object protocol = options.getValue(ConnectionFactoryOptions.PROTOCOL);
        if (!RoutingConnectionFactoryProvider.POSTGRESQL_PROTOCOL.equals(protocol)) {
            throw new IllegalArgumentException("what is routed to is "
                    + (protocol == null ? "not said" : "'" + given.shown(protocol.toString()) + "'")
                    + "; expected r2dbc:routing:postgresql://...");
        }
        refuseUnknown(options, given);
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder();
        addServers(builder, options, given);
        for (Setting setting : RoutingConnectionFactoryProvider.SETTINGS) {
            if (setting.options().stream().anyMatch(given::has)) {
                apply(setting, builder, given);
            }
        }
        return builder.build();
    }

    private static void apply(Setting setting, RoutingConnectionFactory.Builder builder, GivenOptions given) {
        try {
            setting.call().accept(builder, given);
        } catch (IllegalArgumentException refused) {
            String names = setting.options().stream()
                    .filter(given::has)
                    .map(option -> "'" + option.name() + "'")
                    .collect(Collectors.joining(", "));
            if (setting.options().stream().anyMatch(given::isSecret)) {
                // without the cause, which may show it
                throw new IllegalArgumentException(
                        "in the options " + names + ": a value cannot be used, and is not shown"
                                + " since it holds the password, or an '@', ':' or '/' as if it were a part of another"
                                + " URL");
            }
            throw new IllegalArgumentException("in the options " + names + ": " + refused.getMessage(), refused);
        }
    }

    private static void refuseUnknown(ConnectionFactoryOptions options, GivenOptions given) {
        Set<String> known = new TreeSet<>(DriverOptions.HANDED_ON);
        known.addAll(OF_THE_URL);
        for (Setting setting : RoutingConnectionFactoryProvider.SETTINGS) {
            setting.options().stream().map(Option::name).forEach(known::add);
        }
        for (Option<?> option : OptionNames.given(options)) {
            String name = option.name();
            String reason = DriverOptions.REFUSED.get(name);
            if (reason != null) {
                throw new IllegalArgumentException("the option '" + name + "' cannot be used here: " + reason);
            }
            if (!known.contains(name)) {
                String meant = OptionNames.nearest(name, known);
                throw new IllegalArgumentException("there is no option '" + given.shown(name) + "'"
                        + (meant == null ? "" : "; did you mean '" + meant + "'?"));
            }
        }
    }

    private static void addServers(
            RoutingConnectionFactory.Builder builder, ConnectionFactoryOptions options, GivenOptions given) {
        Object hosts = options.getValue(ConnectionFactoryOptions.HOST);
        if (hosts == null || hosts.toString().isBlank()) {
            throw new IllegalArgumentException(
                    "there is no host; expected r2dbc:routing:postgresql://user:password@host:port,host:port/database");
        }
        String[] addresses = hosts.toString().split(",", MAX_HOSTS + 1);
        if (addresses.length > MAX_HOSTS) {
            throw new IllegalArgumentException("there are more than " + MAX_HOSTS + " hosts");
        }
        List<String> labels = labels(given.get(RoutingConnectionFactoryProvider.SERVERS, OptionType.TEXT), addresses);
        Duration resolveEvery = given.get(RoutingConnectionFactoryProvider.RESOLVE_EVERY, OptionType.DURATION);
        for (int i = 0; i < addresses.length; i++) {
            String[] label = labels.get(i).split("~", -1);
            String[] tags = Arrays.copyOfRange(label, 1, label.length);
            ConnectionFactoryOptions server = server(options, addresses[i].trim(), (i + 1) + " of " + addresses.length);
            try {
                if (resolveEvery == null) {
                    builder.server(label[0].trim(), server, tags);
                } else {
                    builder.serversByDns(label[0].trim(), server, resolveEvery, tags);
                }
            } catch (IllegalArgumentException refused) {
                throw new IllegalArgumentException(
                        "server " + (i + 1) + " of " + addresses.length + ": " + refused.getMessage(), refused);
            }
        }
    }

    private static List<String> labels(@Nullable String servers, String[] addresses) {
        List<String> labels = new ArrayList<>();
        if (servers == null) {
            for (int i = 0; i < addresses.length; i++) {
                labels.add("db" + i);
            }
            return labels;
        }
        labels.addAll(Arrays.asList(servers.split(",", -1)));
        if (labels.size() != addresses.length) {
            throw new IllegalArgumentException("the option 'servers' names " + labels.size() + ", and the URL has "
                    + addresses.length + " hosts; expected name~tag~tag,name~tag: one for each host, in their order");
        }
        return labels;
    }

    /** What the driver is told of one server: its own options, and the address. */
    private static ConnectionFactoryOptions server(ConnectionFactoryOptions all, String address, String place) {
        ConnectionFactoryOptions.Builder server = ConnectionFactoryOptions.builder()
                .from(all, option -> DriverOptions.HANDED_ON.contains(option.name()))
                .option(ConnectionFactoryOptions.DRIVER, RoutingConnectionFactoryProvider.POSTGRESQL_PROTOCOL);
        int colon = address.lastIndexOf(':');
        boolean bracketed = address.startsWith("[");
        // without brackets several colons are an address of version 6, and no port
        boolean hasPort = colon >= 0 && (bracketed ? address.charAt(colon - 1) == ']' : address.indexOf(':') == colon);
        String host = hasPort ? address.substring(0, colon) : address;
        if (host.isEmpty()) {
            throw new IllegalArgumentException("host " + place + " is empty");
        }
        server = server.option(ConnectionFactoryOptions.HOST, host);
        Object common = all.getValue(ConnectionFactoryOptions.PORT);
        Object port = hasPort ? address.substring(colon + 1) : common;
        if (port != null) {
            Integer number = OptionType.COUNT.read(port);
            if (number == null || number < 1 || number > 65_535) {
                throw new IllegalArgumentException("the port of host " + place
                        + " is not a number from 1 to 65535; characters with a meaning in URLs are percent-encoded in"
                        + " a password");
            }
            server = server.option(ConnectionFactoryOptions.PORT, number);
        }
        return server.build();
    }
}
