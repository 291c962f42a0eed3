package io.github.r2dbcrouting;

import io.r2dbc.pool.ConnectionPoolConfiguration;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * What is special about one server? Filled in by the consumer given to
 * {@link RoutingConnectionFactory.Builder#server(String, String, Consumer)}.
 *
 * @since 0.1.0
 */
public final class ServerSpec {

    private List<String> tags = List.of();
    private Consumer<ConnectionPoolConfiguration.Builder> pool = ignored -> {};

    ServerSpec() {}

    /**
     * Labels the server.
     *
     * @param names the tags, each of letters, digits, {@code _} and {@code -}
     * @return this
     */
    public ServerSpec tags(String... names) {
        for (String name : names) {
            Names.check(name, "a tag", "_-");
        }
        tags = List.of(names);
        return this;
    }

    /**
     * Changes the settings of the server's pool. By default it has up to 10 connections, none of them opened before
     * it is needed, and closes one that was idle for 30 minutes. How long a borrower waits, when a connection is evicted
     * and how often an acquisition is repeated is the router's: those settings have no effect.
     *
     * @param customizer called once, when the factory is built
     * @return this
     */
    public ServerSpec pool(Consumer<ConnectionPoolConfiguration.Builder> customizer) {
        pool = pool.andThen(Objects.requireNonNull(customizer, "customizer"));
        return this;
    }

    List<String> tags() {
        return tags;
    }

    Consumer<ConnectionPoolConfiguration.Builder> pool() {
        return pool;
    }
}
