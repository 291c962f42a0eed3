package io.github.r2dbcrouting.webflux;

import io.github.r2dbcrouting.WhenBehind;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What do an application's properties say about routing? They are described in the documentation of the builder's
 * settings of the same names; what is out of its range is refused when the factory is built, naming the property.
 *
 * @param enabled Whether connections are routed. If not, everything is as Spring Boot does it without this library.
 * @param servers Servers by their names, the primary among them: which one it is is found out. The database of
 *     'spring.r2dbc' is one of them without being listed.
 * @param policies Policies by their names, in the policy language. 'default' is the one of all reads that name none.
 * @param pool Pool of each server. By default as 'spring.r2dbc.pool' says, else 10 connections, none of them opened before it
 *     is needed.
 * @param sampling How often servers are asked for their state.
 * @param whenBehind What becomes of a read for which no replica is fresh enough.
 * @param maxWait How long such a read waits for a replica that is likely to catch up, before it turns to the primary;
 *     from 0 to 60s.
 * @param readDeadline When a read that no server can serve fails; from 1ms to 10m.
 * @param fallbackBudget How many reads that replicas should serve the primary serves at once; from 1 to 10000, by default
 *     a quarter of the primary's pool and at least 2.
 * @param primaryAfterWrite For how long after a write its session reads from the primary; from 0, for not at all, to 1d.
 * @param lazyBegin Whether the begin of a transaction is sent together with its first statement.
 * @param strictLostWrites Whether a session fails once where something that it wrote may not have survived a failover.
 * @param readOnlyFunctions Functions of the application's that change nothing, as calls of them are written: 'total' or
 *     'billing.due'.
 * @param readOnlyFunctionsFromCatalog Whether stable and immutable functions of the database count as such, too.
 * @param resolveEvery How often the hosts of the servers are looked up again; each address that one has is a server then.
 *     From 100ms to 1d; by default a host is one server.
 * @param storedTopology How often the tables in the database are read that say of servers and policies; from 100ms to 1d,
 *     by default never.
 * @param storedServersAt Where those tables may add servers, as 'host:port'.
 * @param preferTags Which servers are preferred, the best first, where no policy is named.
 * @param primaryReads Whether the primary serves reads as the replicas do.
 * @param loadBalancer Which of the servers that may serve a read does: 'powerOfTwoChoices', 'roundRobin', 'random',
 *     'leastInFlight' or 'nearest'.
 * @param retries How often a read that has brought nothing yet may move to another server when its own is lost; from 0 to
 *     10.
 * @param metrics What is measured beyond what costs nothing.
 * @param observation What is observed.
 * @since 0.1.0
 */
@ConfigurationProperties("r2dbc.routing")
public record RoutingProperties(
        @DefaultValue("true") boolean enabled,
        @DefaultValue Map<String, Server> servers,
        @DefaultValue Map<String, String> policies,
        @DefaultValue Pool pool,
        @DefaultValue Sampling sampling,
        @DefaultValue("wait-then-primary") WhenBehind whenBehind,
        @DefaultValue("100ms") Duration maxWait,
        @DefaultValue("5s") Duration readDeadline,
        @Nullable Integer fallbackBudget,
        @DefaultValue("0s") Duration primaryAfterWrite,
        @DefaultValue("false") boolean lazyBegin,
        @DefaultValue("false") boolean strictLostWrites,
        @DefaultValue List<String> readOnlyFunctions,
        @DefaultValue("false") boolean readOnlyFunctionsFromCatalog,
        @Nullable Duration resolveEvery,
        @Nullable Duration storedTopology,
        @DefaultValue List<String> storedServersAt,
        @DefaultValue List<String> preferTags,
        @DefaultValue("false") boolean primaryReads,
        @DefaultValue("powerOfTwoChoices") String loadBalancer,
        @DefaultValue("1") int retries,
        @DefaultValue Metrics metrics,
        @DefaultValue Observation observation) {

    /** The prefix of all properties. */
    public static final String PREFIX = "r2dbc.routing";

    /**
     * What is said of one server? Without a URL and a host it is the database of {@code spring.r2dbc}.
     *
     * @param url URL of the server, as 'r2dbc:postgresql://user:password@host:5432/database'. What it does not say is taken
     *     from 'spring.r2dbc'.
     * @param host Host of the server, in place of a URL. All else that is not said here is taken from 'spring.r2dbc'.
     * @param port Port of the server, if a host is given.
     * @param database Database, if a host is given.
     * @param username User to log in as, unless the URL names one.
     * @param password Password of the user, unless the URL has one.
     * @param properties Options of the driver for this server, besides those of 'spring.r2dbc.properties'.
     * @param tags Labels by which policies choose servers.
     * @param weight How much of the load it shall have compared with the others; from 0.001 to 1000, by default 1.
     * @param pool Pool of this server, where it differs from those of the others.
     */
    public record Server(
            @Nullable String url,
            @Nullable String host,
            @Nullable Integer port,
            @Nullable String database,
            @Nullable String username,
            @Nullable String password,
            @DefaultValue Map<String, String> properties,
            @DefaultValue List<String> tags,
            @DefaultValue("1") double weight,
            @DefaultValue Pool pool) {

        /** Returns the tags only: an address may hold a password. */
        @Override
        public String toString() {
            return "Server" + tags;
        }
    }

    /**
     * How many connections does a server's pool hold?
     *
     * @param maxSize Most connections at once, from 1.
     * @param initialSize Connections that are opened with the first use.
     * @param minIdle Connections that are kept open while idle.
     */
    public record Pool(
            @Nullable Integer maxSize,
            @Nullable Integer initialSize,
            @Nullable Integer minIdle) {

        boolean saysAnything() {
            return maxSize != null || initialSize != null || minIdle != null;
        }
    }

    /**
     * How often is a server asked for its state?
     *
     * @param atRest Pause between two probes of a server about which nobody waits to hear; from 1ms to 10s.
     * @param watched Pause between two probes of a replica that readers wait for; from 1ms up to the pause at rest. By
     *     default 2ms, or the pause at rest if that is less.
     */
    public record Sampling(
            @DefaultValue("100ms") Duration atRest,
            @Nullable Duration watched) {}

    /**
     * What is measured beyond what costs nothing?
     *
     * @param decisions Whether decisions are counted, which puts each of them into words.
     */
    public record Metrics(@DefaultValue("true") boolean decisions) {}

    /**
     * What is observed?
     *
     * @param connections Whether each transaction, and each statement outside of one, is observed, with the server that
     *     it runs on. Costs nothing where nothing handles observations.
     */
    public record Observation(@DefaultValue("true") boolean connections) {}
}
