package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.github.r2dbcrouting.fake.FakeServer;
import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryMetadata;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

class RoutingConnectionFactoryTests {

    private static final String URL = "r2dbc:postgresql://app:hunter2@10.0.0.1:5432/shop";

    private final FakeServer server = new FakeServer("db0", ServerRole.PRIMARY);
    private final List<RoutingConnectionFactory> built = new ArrayList<>();

    @AfterEach
    void close() {
        built.forEach(factory -> Blocking.run(factory.close()));
    }

    @Test
    void opensNothingWhenItIsBuilt() {
        RoutingConnectionFactory factory = build(builder().server("db0", server));

        assertThat(server.opened()).isEmpty();
        assertThat(factory.table().version()).isZero();
        assertThat(factory.table().servers()).isEmpty();
        assertThat(factory.getMetadata().getName()).isEqualTo("PostgreSQL");
    }

    @Test
    void opensNothingWhenAConnectionIsCreatedButNotSubscribed() {
        RoutingConnectionFactory factory = build(builder().server("db0", server));

        assertThat(factory.create()).isNotNull();

        assertThat(server.opened()).isEmpty();
    }

    @Test
    void refusesToBuildWithoutAServer() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().build())
                .withMessageContaining("at least one server");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "a b", "a/b", "a:b", "a,b", "a~b", "ä", "a\n", "<db>", "a|b", "a(b)"})
    void refusesANameOfOtherCharacters(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().server(name, server))
                .withMessageContaining("name");
        assertThatIllegalArgumentException().isThrownBy(() -> builder().server(name, URL));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "db0", "db-0", "db_0", "db.0", "10.0.0.1", "-", "A"})
    void takesANameOfLettersDigitsAndAFewSigns(String name) {
        assertThat(build(builder().server(name, server))).hasToString("RoutingConnectionFactory[" + name + "]");
    }

    @Test
    void refusesANameThatWasUsedBefore() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().server("db0", server).server("db0", URL))
                .withMessageContaining("two servers named 'db0'");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", " ", "total()", "a.b.c", "a b", "\"Total\"", ".total", "billing.", "1total", "tötal", "a;b"})
    void refusesTheNameOfAFunctionThatIsNone(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().readOnlyFunctions("fine", name))
                .withMessageContaining("named like total or billing.total")
                .withMessageContaining("not '" + name + "'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"nextval", "NEXTVAL", "pg_catalog.nextval", "set_config", "pg_advisory_lock", "lo_get"})
    void refusesAFunctionOfPostgresThatNeedsThePrimary(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().readOnlyFunctions(name))
                .withMessageContaining("'" + name + "' is PostgreSQL's own");
    }

    @Test
    void takesFunctionsWithAndWithoutTheirSchema() {
        RoutingConnectionFactory.Builder builder = builder();

        assertThat(builder.readOnlyFunctions("total", "Billing.Due", "billing.nextval", "total"))
                .isSameAs(builder);
    }

    @Test
    void keepsAUrlToItselfThatIsGivenInPlaceOfTheName() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().server(URL, "db0"))
                .withMessageNotContaining("hunter2");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().server(URL, URL))
                .withMessageNotContaining("hunter2");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().server(URL, server))
                .withMessageNotContaining("hunter2");
    }

    @Test
    void keepsAUrlToItselfThatIsGivenInPlaceOfATag() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().server("db0", URL, URL))
                .withMessageNotContaining("hunter2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "eu west", "eu.west", "eu,west", "eu~west", "ü", "eu\n"})
    void refusesATagOfOtherCharacters(String tag) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().server("db0", server, "eu", tag))
                .withMessageContaining("tag");
    }

    @Test
    void refusesAnotherProduct() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().server("db0", new OtherProduct()))
                .withMessage("server 'db0' is a H2, only PostgreSQL can be routed to");
    }

    @Test
    void refusesAPool() {
        ConnectionPool pool =
                new ConnectionPool(ConnectionPoolConfiguration.builder(server).build());

        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().server("db0", pool))
                .withMessageContaining("pool")
                .withMessageContaining("'db0'");
        pool.dispose();
    }

    @Test
    void refusesNull() {
        assertThatNullPointerException().isThrownBy(() -> builder().server("db0", (String) null));
        assertThatNullPointerException().isThrownBy(() -> builder().server("db0", (ConnectionFactory) null));
        assertThatNullPointerException().isThrownBy(() -> builder().listener(null));
        assertThatNullPointerException().isThrownBy(() -> builder().server("db0", server, spec -> spec.pool(null)));
    }

    @Test
    void takesPausesUpToTheirLimits() {
        Duration least = Duration.ofMillis(1);
        Duration most = Duration.ofSeconds(10);

        assertThat(builder().sampling(least, least).sampling(most, most).sampling(most, least))
                .isNotNull();
    }

    @Test
    void refusesPausesBeyondTheirLimits() {
        Duration ok = Duration.ofMillis(100);
        Duration tooMuch = Duration.ofSeconds(10).plusNanos(1);
        Duration tooLittle = Duration.ofMillis(1).minusNanos(1);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().sampling(tooMuch, ok))
                .withMessageContaining("pauseAtRest")
                .withMessageContaining("10000 ms");
        assertThatIllegalArgumentException().isThrownBy(() -> builder().sampling(tooLittle, tooLittle));
        assertThatIllegalArgumentException().isThrownBy(() -> builder().sampling(Duration.ofSeconds(-1), ok));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().sampling(ok, tooLittle))
                .withMessageContaining("pauseWatched");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().sampling(ok, ok.plusNanos(1)))
                .withMessageContaining("from 1 to 100 ms");
    }

    @Test
    void buildsAFactoryOfItsOwnEachTime() {
        RoutingConnectionFactory.Builder builder = builder().server("db0", server);

        RoutingConnectionFactory one = build(builder);
        RoutingConnectionFactory other = build(builder.server("db1", URL));

        assertThat(one).isNotSameAs(other).hasToString("RoutingConnectionFactory[db0]");
        assertThat(other).hasToString("RoutingConnectionFactory[db0, db1]");
    }

    @Test
    void namesNoAddressAndNoCredentials() {
        RoutingConnectionFactory factory =
                build(builder().server("db0", URL, "eu").server("db1", URL));

        String all = factory + " " + factory.table() + " " + factory.explain(Routing.read(), CausalSession.create());

        assertThat(all).contains("db0", "db1").doesNotContain("hunter2", "app", "10.0.0.1", "shop");
    }

    @Test
    void findsThePoolOfAServer() {
        RoutingConnectionFactory factory = build(builder().server("db0", server));

        assertThat(factory.pool("db0").getMetrics()).isPresent();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> factory.pool("db1"))
                .withMessageContaining("'db1'")
                .withMessageContaining("db0");
    }

    @Test
    void appliesWhatIsSaidOfAServersPool() {
        RoutingConnectionFactory factory = build(builder()
                .server(
                        "db0",
                        server,
                        spec -> spec.tags("eu").pool(pool -> {
                            var unused = pool.maxSize(3);
                        }))
                .server("db1", URL));

        assertThat(factory.pool("db0").getMetrics().orElseThrow().getMaxAllocatedSize())
                .isEqualTo(3);
        assertThat(factory.pool("db1").getMetrics().orElseThrow().getMaxAllocatedSize())
                .isEqualTo(10);
    }

    @Test
    void explainsThatNobodyIsKnownBeforeItsFirstUse() {
        RoutingConnectionFactory factory = build(builder().server("db0", server));

        RouteDecision decision = factory.explain(Routing.write(), null);

        assertThat(decision.server()).isNull();
        assertThat(decision.reason()).isEqualTo(RouteDecision.Reason.NO_SERVER);
        assertThat(decision).hasToString("write -> nobody: no server can serve it []");
    }

    @Test
    void createsNoConnectionOnceClosed() {
        RoutingConnectionFactory factory = build(builder().server("db0", server));

        Blocking.run(factory.close());
        Blocking.run(factory.close());

        StepVerifier.create(factory.create())
                .expectError(IllegalStateException.class)
                .verify(Duration.ofSeconds(10));
        StepVerifier.create(factory.events()).expectComplete().verify(Duration.ofSeconds(10));
        StepVerifier.create(factory.ready()).expectComplete().verify(Duration.ofSeconds(10));
        assertThat(server.opened()).isEmpty();
    }

    @Test
    void namesEveryServerThatKeepsItFromBeingReady() {
        FakeServer refusing = new FakeServer("db1", ServerRole.UNKNOWN);
        refusing.refusing = new IllegalStateException("it is asleep");
        RoutingConnectionFactory factory = build(builder().server("db1", refusing));

        StepVerifier.create(factory.ready(Duration.ofMillis(100)))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(NoEligibleServerException.class)
                        .hasMessageContaining("no primary")
                        .hasMessageContaining("db1")
                        .hasMessageContaining("it is asleep"))
                .verify(Duration.ofSeconds(10));
    }

    private static RoutingConnectionFactory.Builder builder() {
        return RoutingConnectionFactory.builder();
    }

    private RoutingConnectionFactory build(RoutingConnectionFactory.Builder builder) {
        RoutingConnectionFactory factory = builder.build();
        built.add(factory);
        return factory;
    }

    private static final class OtherProduct implements ConnectionFactory {

        @Override
        public Publisher<? extends Connection> create() {
            return Mono.error(new AssertionError("nothing is opened"));
        }

        @Override
        public ConnectionFactoryMetadata getMetadata() {
            return () -> "H2";
        }
    }

    @Test
    void putsDecoratorsAroundAServerInTheirOrder() {
        java.util.List<String> order = new java.util.ArrayList<>();

        RoutingConnectionFactory factory = RoutingConnectionFactory.builder()
                .server(
                        "db0",
                        "r2dbc:postgresql://app:secret@127.0.0.1:1/shop",
                        server -> server.decorator(driver -> {
                                    order.add("first");
                                    return driver;
                                })
                                .decorator(driver -> {
                                    order.add("second");
                                    return driver;
                                }))
                .build();

        assertThat(order).containsExactly("first", "second");
        Blocking.run(factory.close());
    }

    @Test
    void refusesADecoratorThatMakesAPool() {
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder()
                .server(
                        "db0",
                        "r2dbc:postgresql://app:secret@127.0.0.1:1/shop",
                        server -> server.decorator(driver -> new io.r2dbc.pool.ConnectionPool(
                                io.r2dbc.pool.ConnectionPoolConfiguration.builder(driver)
                                        .build())));

        assertThatIllegalArgumentException()
                .isThrownBy(builder::build)
                .withMessageContaining("'db0' is given as a pool");
    }
}
