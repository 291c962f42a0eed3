package io.github.r2dbcrouting;

import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.spi.ConnectionFactory;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;

/**
 * What is special about one server? Filled in by the consumer given to
 * {@link RoutingConnectionFactory.Builder#server(String, String, Consumer)}.
 *
 * @since 0.1.0
 */
public final class ServerSpec {

    private List<String> tags = List.of();
    private Consumer<ConnectionPoolConfiguration.Builder> pool = ignored -> {};
    private @Nullable Publisher<Credentials> credentials;
    private UnaryOperator<ConnectionFactory> decorator = UnaryOperator.identity();
    private double weight = 1;

    /** The least weight that a server may have. */
    public static final double LEAST_WEIGHT = 0.001;

    /** The greatest weight that a server may have. */
    public static final double GREATEST_WEIGHT = 1_000;

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
     * Sets how much of the load the server shall have compared with the others: one of weight 2 is sent twice as many reads
     * as one of weight 1, and bears twice as many at once.
     *
     * @param share from {@value #LEAST_WEIGHT} to {@value #GREATEST_WEIGHT}, by default 1. Only the ratio between the
     *     servers that are eligible matters. A server that shall get nothing is kept out by a policy
     * @return this
     * @throws IllegalArgumentException if it is out of range
     */
    public ServerSpec weight(double share) {
        if (!(share >= LEAST_WEIGHT && share <= GREATEST_WEIGHT)) {
            throw new IllegalArgumentException(
                    "a weight is " + share + ", and must be from " + LEAST_WEIGHT + " to " + GREATEST_WEIGHT);
        }
        weight = share;
        return this;
    }

    /**
     * Changes the settings of the server's pool, after those for all servers. By default it has up to 10 connections, none of them opened before
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

    /**
     * Sets where the credentials of this server come from, instead of its URL or of the source for all servers.
     *
     * @param source asked each time that a connection is opened, on the thread that opens it, which may be a driver's
     *     event loop: it must not block. If it throws or returns {@code null}, the connection is not opened
     * @return this
     * @see RoutingConnectionFactory.Builder#credentials(Supplier)
     */
    public ServerSpec credentials(Supplier<Credentials> source) {
        return credentials(Mono.fromSupplier(Objects.requireNonNull(source, "source")));
    }

    /**
     * Sets where the credentials of this server are fetched from, instead of its URL or of the source for all servers.
     *
     * @param source subscribed each time that a connection is opened; its first value counts
     * @return this
     * @see RoutingConnectionFactory.Builder#credentials(Publisher)
     */
    public ServerSpec credentials(Publisher<Credentials> source) {
        credentials = Objects.requireNonNull(source, "source");
        return this;
    }

    /**
     * Puts something around what opens the connections that the application's statements run on, such as a proxy that
     * observes them. What the monitor asks does not pass through it.
     *
     * @param around called once, when the factory is built, with what opens connections to the server; what it returns
     *     must open connections of the same server, and must not pool them. Of several the one that was given first is
     *     the innermost
     * @return this
     */
    public ServerSpec decorator(UnaryOperator<ConnectionFactory> around) {
        Objects.requireNonNull(around, "around");
        UnaryOperator<ConnectionFactory> inner = decorator;
        decorator = driver -> around.apply(inner.apply(driver));
        return this;
    }

    List<String> tags() {
        return tags;
    }

    double weight() {
        return weight;
    }

    Consumer<ConnectionPoolConfiguration.Builder> pool() {
        return pool;
    }

    @Nullable
    Publisher<Credentials> credentials() {
        return credentials;
    }

    UnaryOperator<ConnectionFactory> decorator() {
        return decorator;
    }
}
