package io.github.r2dbcrouting.spi;

import java.util.List;
import java.util.Map;

/**
 * What does the database itself say of its servers, and of how to choose among them?
 *
 * @param servers its servers, none of them checked
 * @param policies the texts of policies by their names, none of them checked
 * @since 0.1.0
 */
public record StoredTopology(List<ServerDescription> servers, Map<String, String> policies) {

    /**
     * Copies both.
     *
     * @param servers its servers
     * @param policies the texts of policies by their names
     */
    public StoredTopology {
        servers = List.copyOf(servers);
        policies = Map.copyOf(policies);
    }
}
