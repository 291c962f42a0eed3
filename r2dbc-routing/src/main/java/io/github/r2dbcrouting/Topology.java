package io.github.r2dbcrouting;

import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryOptions;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * Which servers are there, and how can that be changed while requests run?
 *
 * <p>What a method returns does nothing before it is subscribed, and completes when the change is in the routing table:
 * whatever is decided from then on goes by it. It errors with {@link IllegalArgumentException} where the change cannot be
 * made; then nothing has changed. A cancel does not take a change back. No request fails by any of these on a replica:
 * what was given to a server may finish there within 30 s. Thread-safe.
 *
 * @since 0.1.0
 */
public final class Topology {

    private final RunningServers servers;

    Topology(RunningServers servers) {
        this.servers = servers;
    }

    /**
     * A server, as it shall be.
     *
     * @param name its name
     * @param tags its tags
     * @param weight how much of the load it shall have compared with the others
     * @param enabled whether it serves reads as a replica
     */
    public record Server(String name, List<String> tags, double weight, boolean enabled) {

        /**
         * Copies the tags.
         *
         * @param name its name
         * @param tags its tags
         * @param weight its weight
         * @param enabled whether it serves reads as a replica
         */
        public Server {
            tags = List.copyOf(tags);
        }
    }

    /**
     * A source of servers or policies, and how it fares.
     *
     * @param name what it is called
     * @param age how long ago it was asked for what holds now; {@code null} if it has not answered yet
     * @param problem what is wrong with it, or with what it says; {@code null} if nothing is
     */
    public record Source(
            String name, @Nullable Duration age, @Nullable String problem) {}

    /**
     * Returns the servers as they shall be; what is known of them is in {@link RoutingConnectionFactory#table()}.
     *
     * @return the servers in the order in which they were added; a snapshot
     */
    public List<Server> servers() {
        return servers.described();
    }

    /**
     * Returns the sources that are asked for servers and policies.
     *
     * @return the sources; a snapshot
     */
    public List<Source> sources() {
        return servers.sources();
    }

    /** Asks all sources now, unless they were asked a moment ago. Returns at once. */
    public void refresh() {
        servers.refresh();
    }

    /**
     * Adds a server by its URL.
     *
     * @param name how it is called in policies, decisions and messages
     * @param url {@code r2dbc:postgresql://user:password@host:port/database}
     * @param settings fills in what is special about the server
     * @return completes when it is in the table, which is before it was reached
     */
    public Mono<Void> add(String name, String url, Consumer<ServerSpec> settings) {
        Objects.requireNonNull(settings, "settings");
        return servers.add(name, all -> {
            Servers.checkName(name);
            all.add(name, ServerUrl.parse(name, url, true), settings);
        });
    }

    /**
     * Adds a server by the driver's options.
     *
     * @param name how it is called in policies, decisions and messages
     * @param options the driver's options
     * @param settings fills in what is special about the server
     * @return completes when it is in the table, which is before it was reached
     */
    public Mono<Void> add(String name, ConnectionFactoryOptions options, Consumer<ServerSpec> settings) {
        Objects.requireNonNull(settings, "settings");
        return servers.add(name, all -> all.add(name, options, settings));
    }

    /**
     * Adds a server by a ready-made factory, which must not be a pool.
     *
     * @param name how it is called in policies, decisions and messages
     * @param factory opens connections to it
     * @param settings fills in what is special about the server
     * @return completes when it is in the table, which is before it was reached
     */
    public Mono<Void> add(String name, ConnectionFactory factory, Consumer<ServerSpec> settings) {
        Objects.requireNonNull(settings, "settings");
        return servers.add(name, all -> all.add(name, factory, settings));
    }

    /**
     * Removes a server. Nothing new is sent to it, its idle connections are closed at once, and lent ones when they come
     * back or after 30 s. Without the primary writes wait for another one: let another server take over first.
     *
     * @param name its name
     * @return completes when no request is sent to it any more; errors for the last server, and for one that a source
     *     has found
     */
    public Mono<Void> remove(String name) {
        return servers.change(roster -> roster.remove(name));
    }

    /**
     * Gives a server other tags.
     *
     * @param name its name
     * @param tags all its tags from now on
     * @return completes when reads are chosen by them
     */
    public Mono<Void> tags(String name, String... tags) {
        List<String> all = List.of(tags);
        return servers.change(roster -> {
            all.forEach(tag -> Names.check(tag, "a tag", "_-"));
            roster.change(name, new Roster.Change(all, null, null));
        });
    }

    /**
     * Gives a server another weight.
     *
     * @param name its name
     * @param weight as {@link ServerSpec#weight(double)}
     * @return completes when reads are chosen by it
     */
    public Mono<Void> weight(String name, double weight) {
        return servers.change(roster -> {
            var unused = new ServerSpec().weight(weight);
            roster.change(name, new Roster.Change(null, weight, null));
        });
    }

    /**
     * Lets a server serve no reads as a replica, though it is asked how it fares. Its connections are let go as if it were
     * removed. A primary goes on to lead; it serves nothing once it has become a replica.
     *
     * @param name its name
     * @return completes when no read is sent to it any more
     */
    public Mono<Void> disable(String name) {
        return servers.change(roster -> roster.change(name, new Roster.Change(null, null, false)));
    }

    /**
     * Lets a server that was disabled here serve reads again. One that the database disables stays so.
     *
     * @param name its name
     * @return completes when reads may be sent to it
     */
    public Mono<Void> enable(String name) {
        return servers.change(roster -> roster.change(name, new Roster.Change(null, null, true)));
    }

    /** Returns the servers and the sources, for people; no address and no credentials. */
    @Override
    public String toString() {
        return "Topology" + servers() + sources();
    }
}
