package io.github.r2dbcrouting.webflux;

import io.r2dbc.spi.ConnectionFactoryOptions;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which servers does the configuration name, and what is the driver told of each? Immutable. */
final class ConfiguredServers {

    private final Map<String, ConnectionFactoryOptions> options;
    private final Map<String, String> names = new LinkedHashMap<>();

    /**
     * Creates a set of servers.
     *
     * @param options what the driver is told, by the servers' names, in their order
     */
    ConfiguredServers(Map<String, ConnectionFactoryOptions> options) {
        this.options = options;
        options.forEach((name, told) -> {
            String address = ServerAddresses.address(told);
            if (address != null) {
                names.put(address, name);
            }
        });
    }

    Map<String, ConnectionFactoryOptions> options() {
        return options;
    }

    /**
     * Tells which server is at an address.
     *
     * @param address host and port
     * @return its name, {@code null} if it is none of these servers
     */
    @Nullable
    String at(String address) {
        return names.get(address);
    }
}
