package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.r2dbcrouting.RoutingConnectionFactoryProvider.Setting;
import io.r2dbc.postgresql.PostgresqlConnectionFactoryProvider;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryOptions;
import io.r2dbc.spi.Option;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RoutingConnectionFactoryProviderTests {

    private static final String SECRET = "hunter2";
    private static final String URL = "r2dbc:routing:postgresql://app:hunter2@h1:5432,h2:5433/shop";

    /** What a text cannot express: who listens, and objects; the servers are the URL itself. */
    private static final Set<String> NOT_BY_URL =
            Set.of("server", "servers", "serversByDns", "listener", "observer", "credentials", "build");

    private final List<RoutingConnectionFactory> built = new ArrayList<>();

    @AfterEach
    void close() {
        built.forEach(factory -> Blocking.run(factory.close()));
    }

    @Test
    void isFoundByTheDriversName() {
        RoutingConnectionFactory factory = discover(URL + "?servers=db-a~eu~eu-west,db-b");

        assertThat(factory).hasToString("RoutingConnectionFactory[db-a, db-b]");
        assertThat(ConnectionFactories.supports(ConnectionFactoryOptions.parse(URL)))
                .isTrue();
    }

    @Test
    void isNotFoundByAnotherDriversName() {
        RoutingConnectionFactoryProvider provider = new RoutingConnectionFactoryProvider();

        assertThat(provider.supports(ConnectionFactoryOptions.parse("r2dbc:postgresql://app@h1/shop")))
                .isFalse();
        assertThat(provider.supports(ConnectionFactoryOptions.builder().build()))
                .isFalse();
        assertThat(provider.getDriver()).isEqualTo("routing");
    }

    @Test
    void namesServersByTheirPlaceWhereTheUrlNamesNone() {
        assertThat(discover(URL)).hasToString("RoutingConnectionFactory[db0, db1]");
        assertThat(discover("r2dbc:routing:postgresql://app@h1/shop")).hasToString("RoutingConnectionFactory[db0]");
        assertThat(discover("r2dbcs:routing:postgresql://app@[::1]:5432/shop?servers=six"))
                .hasToString("RoutingConnectionFactory[six]");
    }

    @Test
    void survivesWhatUrisAreHeldTo() {
        String url = URL + "?servers=db0~eu~eu-west,db1~eu&samplingAtRest=200ms&poolMaxSize=4";

        assertThat(URI.create(url.substring("r2dbc:routing:".length())).getQuery())
                .contains("db0~eu~eu-west,db1~eu");
        assertThat(discover(url).pool("db1").getMetrics().orElseThrow().getMaxAllocatedSize())
                .isEqualTo(4);
    }

    @Test
    void takesObjectsInPlaceOfTexts() {
        ConnectionFactoryOptions options = ConnectionFactoryOptions.builder()
                .option(ConnectionFactoryOptions.DRIVER, "routing")
                .option(ConnectionFactoryOptions.PROTOCOL, "postgresql")
                .option(ConnectionFactoryOptions.HOST, "[::1]:5432,::2,h3")
                .option(ConnectionFactoryOptions.PORT, 5433)
                .option(ConnectionFactoryOptions.USER, "app")
                .option(PostgresqlConnectionFactoryProvider.TCP_KEEPALIVE, true)
                .option(RoutingConnectionFactoryProvider.SERVERS, "a,b,c")
                .option(RoutingConnectionFactoryProvider.SAMPLING_AT_REST, Duration.ofMillis(1))
                .option(RoutingConnectionFactoryProvider.POOL_MAX_SIZE, 7)
                .build();

        RoutingConnectionFactory factory = new RoutingConnectionFactoryProvider().create(options);
        built.add(factory);

        assertThat(factory).hasToString("RoutingConnectionFactory[a, b, c]");
        assertThat(factory.pool("c").getMetrics().orElseThrow().getMaxAllocatedSize())
                .isEqualTo(7);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "sslMode=require",
                "sslmode=verify-full",
                "schema=a",
                "connectTimeout=PT3S",
                "tcpKeepAlive=true",
                "applicationName=shop",
                "options=a=b",
                "samplingAtRest=PT0.1S",
                "samplingAtRest=1ms",
                "samplingAtRest=1s&samplingWatched=5ms",
                "samplingWatched=100ms",
                "poolMaxSize=1",
                "poolInitialSize=10",
                "poolMinIdle=2"
            })
    void takesItsOwnOptionsAndTheDriversOnes(String query) {
        assertThat(discover(URL + "?" + query)).isNotNull();
    }

    @Test
    void readsAPolicyThatIsPercentEncoded() {
        RoutingConnectionFactory factory = discover(URL + "?policy=tags(eu)-%3Emin(1)%3B%20all()");

        assertThat(factory.explain(Routing.read(), null).policy()).isEqualTo("default");
        assertThat(discover(URL).explain(Routing.read(), null).policy()).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "samplingatrest=1s | there is no option 'samplingatrest'; did you mean 'samplingAtRest'?",
                "sampling_at_rest=1s | did you mean 'samplingAtRest'?",
                "poolMaxSise=1 | did you mean 'poolMaxSize'?",
                "shema=a | did you mean 'schema'?",
                "sslMod=require | did you mean 'sslMode'?",
                "server=db0,db1 | did you mean 'servers'?",
                "quantum=1 | there is no option 'quantum'",
                "policy=x | 'policy': policy, offset 0: there is no filter 'x'",
                "polcy=all() | did you mean 'policy'?",
                "targetServerType=primary | 'targetServerType' cannot be used here: the router knows",
                "socket=a | several servers do not share a socket",
                "samplingAtRest=soon | 'samplingAtRest' is 'soon', expected a duration such as 100ms",
                "samplingAtRest=5 | expected a duration",
                "samplingAtRest=-5ms | expected a duration",
                "samplingAtRest=9999999999999ms | expected a duration",
                "samplingAtRest=11s | 'samplingAtRest': pauseAtRest is 11000 ms, and must be from 1 to 10000 ms",
                "samplingWatched=101ms | 'samplingWatched': pauseWatched is 101 ms",
                "poolMaxSize=many | 'poolMaxSize' is 'many', expected a whole number",
                "poolMaxSize=0 | 'poolMaxSize' is 0, and must be from 1",
                "poolMinIdle=11 | 'poolMinIdle' is 11, and must be from 0 to 10",
                "poolMaxSize=1.5 | expected a whole number",
                "poolMaxSize=99999999999 | expected a whole number",
                "sslMode=maybe | 'sslMode' of server 'db0'",
                "servers=db0 | names 1, and the URL has 2 hosts",
                "servers=db0,db1,db2 | names 3, and the URL has 2 hosts",
                "servers=db0,db0 | two servers named 'db0'",
                "servers=db0, | server 2 of 2: a server's name has at least one character",
                "servers=db0,db1~ | server 2 of 2: a tag has at least one character",
                "servers=db0,db1~a.b | server 2 of 2: a tag consists of"
            })
    void saysWhatCannotBeUsed(String query, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> discover(URL + "?" + query))
                .withMessageContaining(message)
                .withMessageNotContaining(SECRET);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "r2dbc:routing://app:hunter2@h1/shop",
                "r2dbc:routing:hunter2://app:hunter2@h1/shop",
                "r2dbc:routing:mysql://app:hunter2@h1/shop",
                "r2dbc:routing:postgresql://app:hunter2@h1,/shop",
                "r2dbc:routing:postgresql://app:hunter2@h1:5432,:5432/shop",
                "r2dbc:routing:postgresql://app:hunter2@h1:5432,h2:70000/shop",
                "r2dbc:routing:postgresql://app:hunter2@h1:5432,h2:0/shop",
                "r2dbc:routing:postgresql://app:hunter2/x@h1:5432,h2/shop",
                "r2dbc:routing:postgresql://h1:5432,h2:5432/shop",
                "r2dbc:routing:postgresql://app:hunter2@h1/shop?hunter2=1",
                "r2dbc:routing:postgresql://app:hunter2@h1/shop?samplingAtRest=hunter2",
                "r2dbc:routing:postgresql://app:hunter2@h1/shop?servers=hunter2~hunter2.",
                "r2dbc:routing:postgresql://app:hunter2@h1/shop?connectTimeout=hunter2",
                "r2dbc:routing:postgresql://app:hunter2@h1/shop?poolMaxSize=xhunter2x"
            })
    void keepsThePasswordToItself(String url) {
        assertThatIllegalArgumentException().isThrownBy(() -> discover(url)).satisfies(failure -> {
            for (Throwable at = failure; at != null; at = at.getCause()) {
                assertThat(at.toString()).doesNotContain(SECRET);
            }
        });
    }

    /** Not ours to prevent: it is why the documentation says what to encode. */
    @Test
    void neverSeesAUrlThatTheSpiRefuses() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> discover(URL + "?servers=a|b"))
                .withMessageContaining(SECRET);
    }

    @Test
    void hasAnOptionForEverySettingOfTheBuilder() {
        Set<String> methods = Arrays.stream(RoutingConnectionFactory.Builder.class.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()) && !method.isSynthetic())
                .map(Method::getName)
                .filter(name -> !NOT_BY_URL.contains(name))
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(RoutingConnectionFactoryProvider.SETTINGS.stream().map(Setting::method))
                .as("the builder's methods that have an option; one that can have none is named in NOT_BY_URL")
                .containsExactlyInAnyOrderElementsOf(methods);
    }

    @Test
    void hasAPublicConstantForEveryOption() throws IllegalAccessException {
        Set<String> constants = new TreeSet<>(constants(RoutingConnectionFactoryProvider.class));
        Set<String> used = new TreeSet<>(Set.of("servers", "resolveEvery"));
        RoutingConnectionFactoryProvider.SETTINGS.stream()
                .flatMap(setting -> setting.options().stream())
                .forEach(option -> used.add(option.name()));

        assertThat(used).isEqualTo(constants);
    }

    @Test
    void knowsEveryOptionOfTheDriver() throws IllegalAccessException {
        Set<String> known = new TreeSet<>(DriverOptions.HANDED_ON);
        known.addAll(DriverOptions.REFUSED.keySet());
        Set<String> drivers = new TreeSet<>(constants(PostgresqlConnectionFactoryProvider.class));
        drivers.addAll(List.of("user", "password", "database", "connectTimeout", "ssl"));

        assertThat(known).isEqualTo(drivers);
    }

    @Test
    void isDocumentedOptionByOption() throws IOException, IllegalAccessException {
        String page = Files.readString(Path.of("..", "docs", "configuration.md"));

        for (String name : constants(RoutingConnectionFactoryProvider.class)) {
            assertThat(page).contains("`" + name + "`");
        }
        for (Setting setting : RoutingConnectionFactoryProvider.SETTINGS) {
            assertThat(page).contains("`" + setting.method() + "(");
        }
    }

    private static List<String> constants(Class<?> provider) throws IllegalAccessException {
        List<String> names = new ArrayList<>();
        for (Field field : provider.getFields()) {
            if (field.getType() == Option.class) {
                names.add(((Option<?>) field.get(null)).name());
            }
        }
        return names;
    }

    private RoutingConnectionFactory discover(String url) {
        ConnectionFactory factory = ConnectionFactories.get(url);
        built.add((RoutingConnectionFactory) factory);
        return (RoutingConnectionFactory) factory;
    }
}
