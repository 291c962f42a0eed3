package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.connection.ServerPool;
import io.github.r2dbcrouting.internal.routing.Policies;
import io.github.r2dbcrouting.spi.LoadBalancer;
import io.r2dbc.spi.ConnectionFactoryOptions;
import io.r2dbc.spi.ConnectionFactoryProvider;
import io.r2dbc.spi.Option;
import java.time.Duration;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * Makes a routing connection factory of a URL, with no code:
 * {@code r2dbc:routing:postgresql://app:secret@h1:5432,h2:5432/shop?servers=db0~eu~eu-west,db1~eu}.
 *
 * <p>Found by {@link io.r2dbc.spi.ConnectionFactories}. Options that are not listed here are the driver's, and hold for
 * each server; a name that neither knows is refused. A duration is written {@code 100ms}, {@code 2s}, {@code 5m} or as
 * ISO-8601 has it, {@code PT0.1S}; in place of a text an object of the option's type may be given.
 *
 * <p>What is wrong is an {@link IllegalArgumentException} that names the option, what was given and what was expected,
 * and never the password. But a URL with a character that no URL may hold, such as {@code |} or {@code >}, is refused
 * by the SPI before it comes here, and that message repeats the whole URL: percent-encode them, also in the password.
 *
 * @since 0.1.0
 */
public final class RoutingConnectionFactoryProvider implements ConnectionFactoryProvider {

    /** Creates a provider; {@link java.util.ServiceLoader} does. */
    public RoutingConnectionFactoryProvider() {}

    /** The driver's name in the URL. */
    public static final String ROUTING_DRIVER = "routing";

    /** The protocol's name in the URL: what is routed to. */
    public static final String POSTGRESQL_PROTOCOL = "postgresql";

    /**
     * The names and tags of the hosts, in the same order: {@code name~tag~tag,name}. Without it they are called
     * {@code db0}, {@code db1} and so on, and have no tags.
     */
    public static final Option<String> SERVERS = Option.valueOf("servers");

    /**
     * Makes each host of the URL a name that is looked up again so often, and each of its addresses a server.
     *
     * @see RoutingConnectionFactory.Builder#serversByDns(String, String, Duration, String...)
     */
    public static final Option<Duration> RESOLVE_EVERY = Option.valueOf("resolveEvery");

    /**
     * How often the tables in the database are read that say of servers and policies.
     *
     * @see RoutingConnectionFactory.Builder#storedTopology
     */
    public static final Option<Duration> STORED_TOPOLOGY = Option.valueOf("storedTopology");

    /**
     * Where those tables may add servers: {@code host:port}, separated by commas.
     *
     * @see RoutingConnectionFactory.Builder#storedServersAt
     */
    public static final Option<String> STORED_SERVERS_AT = Option.valueOf("storedServersAt");

    /**
     * The pause between two probes of a server about which nobody waits to hear.
     *
     * @see RoutingConnectionFactory.Builder#sampling(Duration, Duration)
     */
    public static final Option<Duration> SAMPLING_AT_REST = Option.valueOf("samplingAtRest");

    /**
     * The pause between two probes of a replica that readers wait for.
     *
     * @see RoutingConnectionFactory.Builder#sampling(Duration, Duration)
     */
    public static final Option<Duration> SAMPLING_WATCHED = Option.valueOf("samplingWatched");

    /**
     * How many connections each server's pool may have.
     *
     * @see RoutingConnectionFactory.Builder#pool
     */
    public static final Option<Integer> POOL_MAX_SIZE = Option.valueOf("poolMaxSize");

    /**
     * How many connections each server's pool opens when it is first used.
     *
     * @see RoutingConnectionFactory.Builder#pool
     */
    public static final Option<Integer> POOL_INITIAL_SIZE = Option.valueOf("poolInitialSize");

    /**
     * How many idle connections each server's pool keeps.
     *
     * @see RoutingConnectionFactory.Builder#pool
     */
    public static final Option<Integer> POOL_MIN_IDLE = Option.valueOf("poolMinIdle");

    /**
     * How often a read that has brought nothing yet may move to another server.
     *
     * @see RoutingConnectionFactory.Builder#retries
     */
    public static final Option<Integer> RETRIES = Option.valueOf("retries");

    /**
     * How long a read waits for a replica that is likely to be fresh enough soon, before it turns to the primary.
     *
     * @see RoutingConnectionFactory.Builder#maxWait
     */
    public static final Option<Duration> MAX_WAIT = Option.valueOf("maxWait");

    /**
     * What becomes of a read for which no replica is fresh enough.
     *
     * @see RoutingConnectionFactory.Builder#whenBehind
     */
    public static final Option<WhenBehind> WHEN_BEHIND = Option.valueOf("whenBehind");

    /**
     * How long a read waits for a server, altogether, before it fails.
     *
     * @see RoutingConnectionFactory.Builder#readDeadline
     */
    public static final Option<Duration> READ_DEADLINE = Option.valueOf("readDeadline");

    /**
     * How many reads may fall back to the primary at once.
     *
     * @see RoutingConnectionFactory.Builder#fallbackBudget
     */
    public static final Option<Integer> FALLBACK_BUDGET = Option.valueOf("fallbackBudget");

    /**
     * How long after a write its session reads from the primary.
     *
     * @see RoutingConnectionFactory.Builder#primaryAfterWrite
     */
    public static final Option<Duration> PRIMARY_AFTER_WRITE = Option.valueOf("primaryAfterWrite");

    /**
     * Whether a transaction's begin is sent with its first statement.
     *
     * @see RoutingConnectionFactory.Builder#lazyBegin
     */
    public static final Option<Boolean> LAZY_BEGIN = Option.valueOf("lazyBegin");

    /**
     * Whether a session fails once where something that it wrote may not have survived a failover.
     *
     * @see RoutingConnectionFactory.Builder#strictLostWrites
     */
    public static final Option<Boolean> STRICT_LOST_WRITES = Option.valueOf("strictLostWrites");

    /**
     * The application's functions that change nothing, separated by commas.
     *
     * @see RoutingConnectionFactory.Builder#readOnlyFunctions
     */
    public static final Option<String> READ_ONLY_FUNCTIONS = Option.valueOf("readOnlyFunctions");

    /**
     * Whether stable and immutable functions of the application's count as reading.
     *
     * @see RoutingConnectionFactory.Builder#readOnlyFunctionsFromCatalog
     */
    public static final Option<Boolean> READ_ONLY_FUNCTIONS_FROM_CATALOG =
            Option.valueOf("readOnlyFunctionsFromCatalog");

    /**
     * The policy of the reads that name none. In a URL it is percent-encoded.
     *
     * @see RoutingConnectionFactory.Builder#policy
     */
    public static final Option<String> POLICY = Option.valueOf("policy");

    /**
     * The tags of the servers that reads which name no policy prefer, separated by commas, the best first.
     *
     * @see RoutingConnectionFactory.Builder#preferTags
     */
    public static final Option<String> PREFER_TAGS = Option.valueOf("preferTags");

    /**
     * Whether the primary serves reads as the replicas do.
     *
     * @see RoutingConnectionFactory.Builder#primaryReads
     */
    public static final Option<Boolean> PRIMARY_READS = Option.valueOf("primaryReads");

    /**
     * Which of the servers that may serve a read does.
     *
     * @see RoutingConnectionFactory.Builder#loadBalancer
     */
    public static final Option<LoadBalancer> LOAD_BALANCER = Option.valueOf("loadBalancer");

    /** What each option does to the builder: a setting that gets an option gets a line here. */
    static final List<Setting> SETTINGS = List.of(
            new Setting(
                    "sampling",
                    RoutingConnectionFactoryProvider::sampling,
                    List.of(SAMPLING_AT_REST, SAMPLING_WATCHED)),
            new Setting(
                    "pool",
                    RoutingConnectionFactoryProvider::pool,
                    List.of(POOL_MAX_SIZE, POOL_INITIAL_SIZE, POOL_MIN_IDLE)),
            Setting.of("retries", RETRIES, OptionType.COUNT, RoutingConnectionFactory.Builder::retries),
            Setting.of("maxWait", MAX_WAIT, OptionType.DURATION, RoutingConnectionFactory.Builder::maxWait),
            Setting.of(
                    "whenBehind",
                    WHEN_BEHIND,
                    OptionType.oneOf(WhenBehind.class),
                    RoutingConnectionFactory.Builder::whenBehind),
            Setting.of(
                    "readDeadline", READ_DEADLINE, OptionType.DURATION, RoutingConnectionFactory.Builder::readDeadline),
            Setting.of(
                    "fallbackBudget",
                    FALLBACK_BUDGET,
                    OptionType.COUNT,
                    RoutingConnectionFactory.Builder::fallbackBudget),
            Setting.of(
                    "primaryAfterWrite",
                    PRIMARY_AFTER_WRITE,
                    OptionType.DURATION,
                    RoutingConnectionFactory.Builder::primaryAfterWrite),
            Setting.of("lazyBegin", LAZY_BEGIN, OptionType.FLAG, RoutingConnectionFactory.Builder::lazyBegin),
            Setting.of(
                    "strictLostWrites",
                    STRICT_LOST_WRITES,
                    OptionType.FLAG,
                    RoutingConnectionFactory.Builder::strictLostWrites),
            Setting.of(
                    "readOnlyFunctions",
                    READ_ONLY_FUNCTIONS,
                    OptionType.TEXT,
                    RoutingConnectionFactoryProvider::functions),
            Setting.of(
                    "readOnlyFunctionsFromCatalog",
                    READ_ONLY_FUNCTIONS_FROM_CATALOG,
                    OptionType.FLAG,
                    RoutingConnectionFactory.Builder::readOnlyFunctionsFromCatalog),
            Setting.of("policy", POLICY, OptionType.TEXT, (builder, text) -> builder.policy(Policies.DEFAULT, text)),
            Setting.of(
                    "preferTags",
                    PREFER_TAGS,
                    OptionType.TEXT,
                    (builder, tags) -> builder.preferTags(tags.split(" *, *"))),
            Setting.of("primaryReads", PRIMARY_READS, OptionType.FLAG, RoutingConnectionFactory.Builder::primaryReads),
            Setting.of(
                    "loadBalancer", LOAD_BALANCER, OptionType.BALANCER, RoutingConnectionFactory.Builder::loadBalancer),
            Setting.of(
                    "storedTopology",
                    STORED_TOPOLOGY,
                    OptionType.DURATION,
                    RoutingConnectionFactory.Builder::storedTopology),
            Setting.of(
                    "storedServersAt",
                    STORED_SERVERS_AT,
                    OptionType.TEXT,
                    (builder, addresses) -> builder.storedServersAt(addresses.split(" *, *"))));

    /**
     * A setting of the builder, and the options that stand for it.
     *
     * @param method the builder's method
     * @param call calls it; only if at least one of the options was given
     * @param options its options
     */
    record Setting(
            String method, BiConsumer<RoutingConnectionFactory.Builder, GivenOptions> call, List<Option<?>> options) {

        /** A setting with one value, and so with one option. */
        static <T> Setting of(
                String method,
                Option<T> option,
                OptionType<T> type,
                BiConsumer<RoutingConnectionFactory.Builder, ? super T> call) {
            return new Setting(
                    method,
                    (builder, given) -> {
                        T value = given.get(option, type);
                        if (value != null) {
                            call.accept(builder, value);
                        }
                    },
                    List.of(option));
        }
    }

    private static void sampling(RoutingConnectionFactory.Builder builder, GivenOptions given) {
        Duration atRest = given.get(SAMPLING_AT_REST, OptionType.DURATION, RoutingConnectionFactory.DEFAULT_AT_REST);
        Duration usual = RoutingConnectionFactory.DEFAULT_WATCHED;
        Duration watched =
                given.get(SAMPLING_WATCHED, OptionType.DURATION, atRest.compareTo(usual) < 0 ? atRest : usual);
        builder.sampling(atRest, watched);
    }

    private static void functions(RoutingConnectionFactory.Builder builder, String names) {
        builder.readOnlyFunctions(names.split(" *, *"));
    }

    private static void pool(RoutingConnectionFactory.Builder builder, GivenOptions given) {
        int maxSize = given.get(POOL_MAX_SIZE, OptionType.COUNT, ServerPool.DEFAULT_SIZE);
        int initialSize = given.get(POOL_INITIAL_SIZE, OptionType.COUNT, 0);
        int minIdle = given.get(POOL_MIN_IDLE, OptionType.COUNT, 0);
        requireBetween(POOL_MAX_SIZE, maxSize, 1, MAX_POOL_SIZE);
        requireBetween(POOL_INITIAL_SIZE, initialSize, 0, maxSize);
        requireBetween(POOL_MIN_IDLE, minIdle, 0, maxSize);
        builder.pool(pool -> {
            var unused = pool.maxSize(maxSize).initialSize(initialSize).minIdle(minIdle);
        });
    }

    /** PostgreSQL itself takes no more. */
    private static final int MAX_POOL_SIZE = 262_143;

    private static void requireBetween(Option<Integer> option, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    "'" + option.name() + "' is " + value + ", and must be from " + least + " to " + most);
        }
    }

    /**
     * Makes a factory. Opens nothing.
     *
     * @param options what the URL says
     * @return the factory; whoever asked for it closes it
     * @throws IllegalArgumentException if there is no such option, a value cannot be used, or something is missing; the
     *     message never holds the password
     */
    @Override
    public RoutingConnectionFactory create(ConnectionFactoryOptions options) {
        return DiscoveredServers.factory(options);
    }

    /**
     * Tells whether the URL is one for this provider.
     *
     * @param options what the URL says
     * @return whether its driver is {@value #ROUTING_DRIVER}
     */
    @Override
    public boolean supports(ConnectionFactoryOptions options) {
        return ROUTING_DRIVER.equals(options.getValue(ConnectionFactoryOptions.DRIVER));
    }

    /**
     * Returns the driver's name.
     *
     * @return {@value #ROUTING_DRIVER}
     */
    @Override
    public String getDriver() {
        return ROUTING_DRIVER;
    }
}
