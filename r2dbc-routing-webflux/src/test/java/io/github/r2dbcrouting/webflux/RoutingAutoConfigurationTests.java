package io.github.r2dbcrouting.webflux;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.RoutingConnectionFactoryProvider;
import io.github.r2dbcrouting.webflux.annotation.ReadAnnotationsAutoConfiguration;
import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryOptions;
import io.r2dbc.spi.Option;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.data.r2dbc.autoconfigure.DataR2dbcAutoConfiguration;
import org.springframework.boot.r2dbc.ConnectionFactoryDecorator;
import org.springframework.boot.r2dbc.OptionsCapableConnectionFactory;
import org.springframework.boot.r2dbc.autoconfigure.ConnectionFactoryOptionsBuilderCustomizer;
import org.springframework.boot.r2dbc.autoconfigure.R2dbcAutoConfiguration;
import org.springframework.boot.r2dbc.autoconfigure.R2dbcConnectionDetails;
import org.springframework.boot.r2dbc.autoconfigure.R2dbcTransactionManagerAutoConfiguration;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.data.r2dbc.core.R2dbcEntityTemplate;
import org.springframework.r2dbc.connection.R2dbcTransactionManager;
import org.springframework.r2dbc.core.DatabaseClient;

/** Nothing is opened: there are no servers. */
class RoutingAutoConfigurationTests {

    private static final String SPRING = "spring.r2dbc.url=r2dbc:postgresql://app:secret@h0/shop";
    private static final String[] TWO = {
        "r2dbc.routing.servers.near.url=r2dbc:postgresql://app:secret@h1/shop",
        "r2dbc.routing.servers.far.url=r2dbc:postgresql://app:secret@h2/shop"
    };

    private static final AutoConfigurations OF_BOOT = AutoConfigurations.of(
            R2dbcAutoConfiguration.class,
            R2dbcTransactionManagerAutoConfiguration.class,
            DataR2dbcAutoConfiguration.class);

    private final ApplicationContextRunner boot = new ApplicationContextRunner().withConfiguration(OF_BOOT);
    private final ApplicationContextRunner routed = boot.withConfiguration(
            AutoConfigurations.of(RoutingAutoConfiguration.class, ReadAnnotationsAutoConfiguration.class));

    @Test
    void takesThePlaceOfBootsPool() {
        routed.withPropertyValues(TWO).run(context -> {
            assertThat(context).hasSingleBean(ConnectionFactory.class).hasSingleBean(RoutingConnectionFactory.class);
            assertThat(names(context)).containsExactly("near", "far");
            assertThat(context.getBean(DatabaseClient.class).getConnectionFactory())
                    .isSameAs(context.getBean(RoutingConnectionFactory.class));
            assertThat(context.getBean(R2dbcTransactionManager.class).getConnectionFactory())
                    .isSameAs(context.getBean(RoutingConnectionFactory.class));
            assertThat(context).hasSingleBean(R2dbcEntityTemplate.class);
        });
    }

    @Test
    void addsReplicasToTheDatabaseOfSpring() {
        routed.withPropertyValues(SPRING)
                .withPropertyValues(TWO)
                .run(context -> assertThat(names(context)).containsExactly("db0", "near", "far"));
    }

    @Test
    void givesTheDatabaseOfSpringANameIfItIsListed() {
        routed.withPropertyValues(SPRING, "r2dbc.routing.servers.main.tags=eu")
                .withPropertyValues(TWO)
                .run(context -> assertThat(names(context)).containsExactlyInAnyOrder("main", "near", "far"));
    }

    @Test
    void addsReplicasToWhatConnectionDetailsSay() {
        List<ConnectionFactoryOptions> told = new ArrayList<>();
        R2dbcConnectionDetails details = () ->
                ConnectionFactoryOptions.parse("r2dbc:postgresql://app:secret@container:15432/shop?sslMode=prefer");

        routed.withBean(R2dbcConnectionDetails.class, () -> details)
                .withBean(ConnectionFactoryOptionsBuilderCustomizer.class, () -> builder -> told.add(builder.build()))
                .withPropertyValues(
                        "r2dbc.routing.servers.replica.host=h7", "r2dbc.routing.servers.replica.username=reader")
                .run(context -> {
                    assertThat(names(context)).containsExactly("db0", "replica");
                    assertThat(told).hasSize(2);
                    assertThat(ServerAddresses.address(told.get(0))).isEqualTo("container:15432");
                    ConnectionFactoryOptions replica = told.get(1);
                    assertThat(ServerAddresses.address(replica)).isEqualTo("h7:5432");
                    assertThat(replica.getValue(ConnectionFactoryOptions.USER)).isEqualTo("reader");
                    assertThat(replica.getValue(ConnectionFactoryOptions.PASSWORD))
                            .isEqualTo("secret");
                    assertThat(replica.getValue(ConnectionFactoryOptions.DATABASE))
                            .isEqualTo("shop");
                    assertThat(replica.getValue(Option.valueOf("sslMode"))).isEqualTo("prefer");
                });
    }

    @Test
    void completesServersByWhatSpringSays() {
        List<ConnectionFactoryOptions> told = new ArrayList<>();

        routed.withBean(ConnectionFactoryOptionsBuilderCustomizer.class, () -> builder -> told.add(builder.build()))
                .withPropertyValues(
                        "spring.r2dbc.username=app",
                        "spring.r2dbc.password=secret",
                        "spring.r2dbc.name=shop",
                        "spring.r2dbc.properties.applicationName=orders",
                        "r2dbc.routing.servers.a.host=h1",
                        "r2dbc.routing.servers.a.port=6000",
                        "r2dbc.routing.servers.b.url=r2dbc:postgresql://other@h2/archive",
                        "r2dbc.routing.servers.b.properties.statementTimeout=PT2S")
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    ConnectionFactoryOptions a = told.get(0);
                    ConnectionFactoryOptions b = told.get(1);
                    assertThat(ServerAddresses.address(a)).isEqualTo("h1:6000");
                    assertThat(a.getValue(ConnectionFactoryOptions.USER)).isEqualTo("app");
                    assertThat(a.getValue(ConnectionFactoryOptions.DATABASE)).isEqualTo("shop");
                    assertThat(b.getValue(ConnectionFactoryOptions.USER)).isEqualTo("other");
                    assertThat(b.getValue(ConnectionFactoryOptions.DATABASE)).isEqualTo("archive");
                    assertThat(told)
                            .allSatisfy(options -> assertThat(options.getValue(Option.valueOf("applicationName")))
                                    .isEqualTo("orders"));
                    assertThat(a.hasOption(Option.valueOf("statementTimeout"))).isFalse();
                    assertThat(b.hasOption(Option.valueOf("statementTimeout"))).isTrue();
                });
    }

    @Test
    void sizesPoolsByTheNearestThatSaysSomething() {
        routed.withPropertyValues(TWO)
                .withPropertyValues(
                        SPRING,
                        "spring.r2dbc.pool.max-size=20",
                        "r2dbc.routing.pool.max-size=30",
                        "r2dbc.routing.servers.near.pool.max-size=40")
                .run(context -> {
                    assertThat(size(context, "db0")).isEqualTo(30);
                    assertThat(size(context, "near")).isEqualTo(40);
                });
        routed.withPropertyValues(TWO)
                .withPropertyValues("spring.r2dbc.pool.max-size=20")
                .run(context -> assertThat(size(context, "near")).isEqualTo(20));
        routed.withPropertyValues(TWO)
                .run(context -> assertThat(size(context, "near")).isEqualTo(10));
    }

    @Test
    void decoratesEachServerAsBootDoes() {
        List<Object> decorated = new ArrayList<>();
        ConnectionFactoryDecorator decorator = factory -> {
            decorated.add(Objects.requireNonNull(OptionsCapableConnectionFactory.unwrapFrom(factory))
                    .getOptions()
                    .getValue(ConnectionFactoryOptions.HOST));
            return factory;
        };

        routed.withBean(ConnectionFactoryDecorator.class, () -> decorator)
                .withPropertyValues(TWO)
                .run(context -> assertThat(context).hasNotFailed());

        assertThat(decorated).containsExactly("h1", "h2");
    }

    @Test
    void letsTheApplicationCustomizeTheBuilder() {
        routed.withPropertyValues(TWO)
                .withBean(
                        RoutingConnectionFactoryBuilderCustomizer.class,
                        () -> builder -> builder.server("third", "r2dbc:postgresql://app:secret@h3/shop"))
                .run(context -> assertThat(names(context)).containsExactly("near", "far", "third"));
    }

    @Test
    void backsOffForAFactoryOfTheApplications() {
        ConnectionFactory own = ConnectionPoolOf.nothing();

        routed.withPropertyValues(TWO)
                .withBean("mine", ConnectionFactory.class, () -> own)
                .run(context -> assertThat(context)
                        .hasSingleBean(ConnectionFactory.class)
                        .getBean(ConnectionFactory.class)
                        .isSameAs(own));
    }

    @Test
    void isNotThereIfItIsNotEnabled() {
        List<String> ofBoot = new ArrayList<>();
        boot.withPropertyValues(SPRING).run(context -> ofBoot.addAll(List.of(context.getBeanDefinitionNames())));

        routed.withPropertyValues(SPRING, "r2dbc.routing.enabled=false")
                .withPropertyValues(TWO)
                .run(context -> {
                    assertThat(context).hasSingleBean(ConnectionPool.class);
                    assertThat(context.getBeanDefinitionNames())
                            .filteredOn(name -> !name.startsWith("org.springframework.boot.test"))
                            .containsExactlyInAnyOrderElementsOf(ofBoot.stream()
                                    .filter(name -> !name.startsWith("org.springframework.boot.test"))
                                    .toList());
                });
    }

    @ParameterizedTest
    @CsvSource({
        "max-wait, 61s, maxWait is 61000 ms",
        "read-deadline, 11m, readDeadline is 660000 ms",
        "fallback-budget, 0, fallbackBudget is 0",
        "primary-after-write, 2d, primaryAfterWrite is 172800000 ms",
        "retries, 11, retries is 11",
        "sampling.at-rest, 11s, pauseAtRest is 11000 ms",
        "sampling.watched, 101ms, pauseWatched is 101 ms",
        "read-only-functions, 'a b', a b",
        "prefer-tags, 'a b', a tag",
        "load-balancer, fastest, fastest",
        "stored-topology, 1ms, 1 ms",
        "stored-servers-at, 'a b:x', a b:x",
        "resolve-every, 1ms, it is 1 ms",
        "pool.max-size, 0, it is 0",
        "pool.initial-size, -1, it is -1",
        "pool.min-idle, -1, it is -1",
        "servers.near.pool.max-size, 0, it is 0",
        "servers.near.tags, 'a b', a tag",
    })
    void refusesWhatIsOutOfRange(String property, String value, String said) {
        routed.withPropertyValues(TWO)
                .withPropertyValues("r2dbc.routing." + property + "=" + value)
                .run(context -> {
                    RoutingConfigurationException failure = failure(context);
                    assertThat(failure).hasMessageContaining(said);
                    assertThat(failure.getMessage() + failure.action())
                            .contains("r2dbc.routing."
                                    + property.replaceAll("^(sampling|servers.near(?!.pool)).*", "$1"));
                });
    }

    @Test
    void refusesToStartWithoutAServer() {
        routed.run(context -> assertThat(failure(context).action())
                .contains("r2dbc.routing.servers.db0.url=", "spring.r2dbc.url", "r2dbc.routing.enabled=false"));
    }

    @Test
    void showsWhereAPolicyGoesWrong() {
        routed.withPropertyValues(TWO)
                .withPropertyValues("r2dbc.routing.policies.default=tags(near)->mim(2); all()")
                .run(context -> assertThat(failure(context))
                        .hasMessageContaining("'r2dbc.routing.policies.default'")
                        .hasMessageEndingWith(
                                "    tags(near)->mim(2); all()\n    " + " ".repeat("tags(near)->".length()) + "^"));
    }

    @Test
    void knowsThePoliciesOfTheProperties() {
        routed.withPropertyValues(TWO)
                .withPropertyValues("r2dbc.routing.policies.reporting_eu=tags(eu); halt()")
                .run(context -> assertThat(context.getBean(RoutingConnectionFactory.class)
                                .explain(io.github.r2dbcrouting.Routing.read().policy("reporting_eu"), null))
                        .isNotNull());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "r2dbc.routing.servers.twin.url=r2dbc:postgresql://app:secret@H1:5432/other",
                "r2dbc.routing.servers.twin.host=h1",
                "spring.r2dbc.url=r2dbc:postgresql://app:secret@h1/shop"
            })
    void refusesTheSameAddressTwice(String twin) {
        routed.withPropertyValues(TWO)
                .withPropertyValues(twin)
                .run(context -> assertThat(failure(context))
                        .hasMessageContainingAll("h1:5432", "near", twin.startsWith("spring") ? "db0" : "twin"));
    }

    @ParameterizedTest
    @CsvSource({
        "spring.r2dbc.url, r2dbc:pool:postgresql://app:secret@h0/shop, pool:",
        "r2dbc.routing.servers.third.url, r2dbc:pool:postgresql://app:secret@h0/shop, pool:",
        "spring.r2dbc.url, 'r2dbc:routing:postgresql://app:secret@h0,h5/shop', routing:",
        "r2dbc.routing.servers.third.url, r2dbc:postgresql://app:sec|ret@h0/shop, offset",
        "spring.r2dbc.url, r2dbc:postgresql://app:sec|ret@h0/shop, offset",
        "r2dbc.routing.servers.third.url, r2dbc:h2:mem:///secret, h2",
    })
    void refusesUrlsThatItCannotUse(String property, String url, String said) {
        routed.withPropertyValues(TWO).withPropertyValues(property + "=" + url).run(context -> {
            RoutingConfigurationException failure = failure(context);
            assertThat(failure).hasMessageContaining(said);
            assertThat(failure.getMessage() + failure.action()).doesNotContain("secret", "sec|ret");
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"r2dbc.routing.servers.third.tags=eu", "r2dbc.routing.servers.third.port=6000"})
    void refusesAServerWithoutAnAddress(String property) {
        routed.withPropertyValues(TWO)
                .withPropertyValues(property)
                .run(context -> assertThat(failure(context)).hasMessageContaining("Server 'third' has no address"));
    }

    @Test
    void printsFailuresAsAdvice() {
        RoutingConfigurationException failure = new RoutingConfigurationException("what is wrong", "what to do");

        assertThat(new RoutingConfigurationFailureAnalyzer().analyze(new IllegalStateException("outer", failure)))
                .satisfies(analysis -> {
                    assertThat(analysis.getDescription()).isEqualTo("what is wrong");
                    assertThat(analysis.getAction()).isEqualTo("what to do");
                });
        assertThat(resource("META-INF/spring.factories")).contains(RoutingConfigurationFailureAnalyzer.class.getName());
    }

    @Test
    void keepsPasswordsOutOfWhatPropertiesPrint() {
        routed.withPropertyValues(TWO)
                .withPropertyValues("r2dbc.routing.servers.near.password=secret")
                .run(context -> assertThat(
                                context.getBean(RoutingProperties.class).toString())
                        .contains("near")
                        .doesNotContain("secret"));
    }

    @Test
    void hasTheDefaultsOfTheBuilder() {
        routed.withPropertyValues(TWO).run(context -> {
            RoutingProperties properties = context.getBean(RoutingProperties.class);
            assertThat(properties.maxWait()).isEqualTo(RoutingConnectionFactory.DEFAULT_MAX_WAIT);
            assertThat(properties.readDeadline()).isEqualTo(RoutingConnectionFactory.DEFAULT_READ_DEADLINE);
            assertThat(properties.sampling().atRest()).isEqualTo(RoutingConnectionFactory.DEFAULT_AT_REST);
            assertThat(properties.retries()).isEqualTo(RoutingConnectionFactory.DEFAULT_RETRIES);
        });
    }

    /** A setting that gets an option of the URL gets a property. */
    @ParameterizedTest
    @MethodSource("options")
    void hasAPropertyForEverySetting(String option) {
        String property = option.equals("policy") ? "policies" : option;

        assertThat(resource("META-INF/spring-configuration-metadata.json")
                        .lines()
                        .filter(line -> line.contains("\"name\": \"r2dbc.routing."))
                        .map(line -> line.replaceAll(".*\"r2dbc\\.routing\\.|\",?$|[.-]", "")))
                .contains(property.toLowerCase(Locale.ROOT));
    }

    static Stream<String> options() {
        return Stream.of(RoutingConnectionFactoryProvider.class.getFields())
                .filter(field -> field.getType() == Option.class)
                .map(RoutingAutoConfigurationTests::name);
    }

    private static String name(Field field) {
        try {
            return ((Option<?>) Objects.requireNonNull(field.get(null))).name();
        } catch (IllegalAccessException notPublic) {
            throw new AssertionError(notPublic);
        }
    }

    private static List<String> names(AssertableApplicationContext context) {
        return context.getBean(RoutingConnectionFactory.class).serverNames();
    }

    private static int size(AssertableApplicationContext context, String server) {
        return context.getBean(RoutingConnectionFactory.class)
                .pool(server)
                .getMetrics()
                .orElseThrow()
                .getMaxAllocatedSize();
    }

    private static RoutingConfigurationException failure(AssertableApplicationContext context) {
        return Refusals.in(context.getStartupFailure());
    }

    private static String resource(String name) {
        try {
            StringBuilder all = new StringBuilder();
            var found = RoutingProperties.class.getClassLoader().getResources(name);
            while (found.hasMoreElements()) {
                try (InputStream in = found.nextElement().openStream()) {
                    all.append(new String(in.readAllBytes(), StandardCharsets.UTF_8));
                }
            }
            return all.toString();
        } catch (IOException unreadable) {
            throw new AssertionError(unreadable);
        }
    }

    /** Any factory that is not ours. */
    private static final class ConnectionPoolOf {

        static ConnectionFactory nothing() {
            return io.r2dbc.spi.ConnectionFactories.get("r2dbc:postgresql://nobody@nowhere/nothing");
        }
    }
}
