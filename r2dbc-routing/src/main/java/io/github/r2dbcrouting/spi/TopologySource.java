package io.github.r2dbcrouting.spi;

import java.time.Duration;
import java.util.List;
import reactor.core.publisher.Mono;

/**
 * Which servers are there?
 *
 * <p>Asked again and again, each time for all of them: what is missing in an answer is removed, and drains. An empty
 * answer, an error, and one that does not come in time leave everything as it is. Implementations are thread-safe and do
 * not block.
 *
 * @since 0.1.0
 */
public interface TopologySource {

    /** How often a source is asked, if it says nothing else. */
    Duration DEFAULT_INTERVAL = Duration.ofSeconds(10);

    /**
     * Returns what the source is called in messages.
     *
     * @return a name that is its own within one router
     */
    String name();

    /**
     * Asks for the servers. Nothing happens before it is subscribed; a cancel gives the question up.
     *
     * @return all servers, each with a host; names are of letters, digits, {@code .}, {@code _} and {@code -}
     */
    Mono<List<ServerDescription>> servers();

    /**
     * Returns how often it is asked. It is asked sooner, too, when no server works.
     *
     * @return the pause after an answer, from 100 ms
     */
    default Duration interval() {
        return DEFAULT_INTERVAL;
    }

    /**
     * Creates a source that always says the same.
     *
     * @param name what it is called
     * @param servers the servers
     * @return the source
     */
    static TopologySource fixed(String name, List<ServerDescription> servers) {
        return new FixedServers(name, List.copyOf(servers));
    }

    /**
     * Creates a source that resolves a name to addresses, each of which is a server. Names are resolved by the platform,
     * not on an event loop; how long it remembers an answer is its own setting ({@code networkaddress.cache.ttl}).
     *
     * @param name what it is called; its servers are called {@code name-address}, with {@code -} for each {@code :}
     * @param host the name to resolve
     * @param interval how often
     * @return the source
     */
    static TopologySource dns(String name, String host, Duration interval) {
        return dns(name, host, interval, HostResolver.platform());
    }

    /**
     * Creates a source that resolves a name to addresses by a resolver of your own.
     *
     * @param name what it is called
     * @param host the name to resolve
     * @param interval how often
     * @param resolver resolves it
     * @return the source
     */
    static TopologySource dns(String name, String host, Duration interval, HostResolver resolver) {
        return new DnsServers(name, host, interval, resolver);
    }
}
