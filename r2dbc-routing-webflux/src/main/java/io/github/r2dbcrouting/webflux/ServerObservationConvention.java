package io.github.r2dbcrouting.webflux;

import io.micrometer.common.KeyValue;
import io.micrometer.common.KeyValues;
import io.r2dbc.proxy.observation.QueryContext;
import io.r2dbc.proxy.observation.QueryObservationConvention;
import io.r2dbc.proxy.observation.R2dbcObservationDocumentation.LowCardinalityKeys;
import org.jspecify.annotations.Nullable;

/**
 * How is the observation of a query told apart? By the server that it ran on, {@code r2dbc.routing.server}, and not by
 * the thread, of which there may be many.
 */
final class ServerObservationConvention implements QueryObservationConvention {

    /** The key that holds the server's name. */
    static final String SERVER = "r2dbc.routing.server";

    private static final String NONE = "none";

    private final ConfiguredServers servers;

    ServerObservationConvention(ConfiguredServers servers) {
        this.servers = servers;
    }

    @Override
    public KeyValues getLowCardinalityKeyValues(QueryContext context) {
        return KeyValues.of(
                KeyValue.of(LowCardinalityKeys.CONNECTION, context.getConnectionName()),
                KeyValue.of(SERVER, server(context.getRemoteServiceAddress())));
    }

    /** The proxy writes an address as a URI without a scheme. */
    private String server(@Nullable String address) {
        String name = address == null ? null : servers.at(address.replace("//", ""));
        return name == null ? NONE : name;
    }
}
