package io.github.r2dbcrouting.webflux.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.webflux.Refusals;
import io.github.r2dbcrouting.webflux.RoutingAutoConfiguration;
import io.github.r2dbcrouting.webflux.RoutingConfigurationException;
import io.github.r2dbcrouting.webflux.token.InMemoryTokenStore;
import io.github.r2dbcrouting.webflux.token.IncomingTokens;
import io.github.r2dbcrouting.webflux.token.TokenHeader;
import io.github.r2dbcrouting.webflux.token.TokenResult;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ReactiveWebApplicationContextRunner;
import org.springframework.boot.webclient.WebClientCustomizer;
import org.springframework.context.ApplicationContext;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Mono;

/** Nothing is opened: there are no servers. */
class TokenAutoConfigurationTests {

    private static final AutoConfigurations OURS =
            AutoConfigurations.of(RoutingAutoConfiguration.class, TokenAutoConfiguration.class);
    private static final String SERVER = "r2dbc.routing.servers.db0.url=r2dbc:postgresql://app:secret@h0/shop";
    private static final String SECRET = Base64.getEncoder().encodeToString(new byte[32]);
    private static final String KEYS = "r2dbc.routing.tokens.keys=";

    private final ReactiveWebApplicationContextRunner web =
            new ReactiveWebApplicationContextRunner().withConfiguration(OURS).withPropertyValues(SERVER);

    @Test
    void letsTokensTravel() {
        web.withPropertyValues(KEYS + "k1:" + SECRET).run(context -> {
            assertThat(context)
                    .hasSingleBean(CausalTokenWebFilter.class)
                    .hasSingleBean(TokenHeader.class)
                    .hasSingleBean(TokenEvents.class)
                    .hasSingleBean(CausalTokenExchangeFilter.class)
                    .doesNotHaveBean(InMemoryTokenStore.class);
            assertThat(sends(context)).isFalse();
            assertThat(context.getBean(CausalTokenWebFilter.class).getOrder())
                    .isEqualTo(CausalTokenWebFilter.DEFAULT_ORDER);
            assertThat(context.getBean(TokenProperties.class).transport()).isEqualTo(TokenTransport.DEFAULT);
            assertThat(context.getBean(TokenProperties.class)).asString().doesNotContain(SECRET);
        });
    }

    @ParameterizedTest
    @CsvSource({
        "'',                       is not set",
        "k1,                       has no ':'",
        "k1:c2hvcnQ=,              has 5 bytes",
        "k1:not base64!,           is not Base64",
        "k 1:%s,                   a signing key's id",
        "'k1:%s,k1:%s',            two signing keys"
    })
    void doesNotStartWithoutAKeyAndSaysHowToMakeOne(String keys, String what) {
        web.withPropertyValues(KEYS + keys.replace("%s", SECRET))
                .run(context -> assertThat(context).getFailure().rootCause().satisfies(cause -> {
                    RoutingConfigurationException refused = Refusals.in(context.getStartupFailure());
                    assertThat(refused).hasMessageContaining(what);
                    assertThat(refused.getMessage()).doesNotContain(SECRET);
                    startsWithTheKeyIn(refused.action());
                }));
    }

    private void startsWithTheKeyIn(String advice) {
        Matcher line = Pattern.compile("r2dbc\\.routing\\.tokens\\.keys=\\S+").matcher(advice);
        assertThat(line.find()).isTrue();
        web.withPropertyValues(line.group()).run(context -> assertThat(context).hasNotFailed());
    }

    @Test
    void doesNothingIfSwitchedOff() {
        web.withPropertyValues("r2dbc.routing.tokens.enabled=false")
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(CausalTokenWebFilter.class));
        web.withPropertyValues("r2dbc.routing.enabled=false")
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(CausalTokenWebFilter.class));
        web.withPropertyValues("r2dbc.routing.enabled=false")
                .withBean(RoutingConnectionFactory.class, TokenAutoConfigurationTests::router)
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(CausalTokenWebFilter.class));
    }

    @Test
    void needsNoKeyWhereNobodyAnswersRequests() {
        new ApplicationContextRunner()
                .withConfiguration(OURS)
                .withPropertyValues(SERVER)
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(CausalTokenWebFilter.class));
    }

    @Test
    void keepsTokensAndSendsThemWhereAsked() {
        web.withPropertyValues(
                        KEYS + "k2:" + SECRET + ",k1:" + SECRET,
                        "r2dbc.routing.tokens.store.type=memory",
                        "r2dbc.routing.tokens.web-client.hosts=orders",
                        "r2dbc.routing.tokens.header.enabled=false",
                        "r2dbc.routing.tokens.cookie.name=ct")
                .run(context -> {
                    assertThat(context)
                            .hasSingleBean(InMemoryTokenStore.class)
                            .hasSingleBean(WebClientCustomizer.class);
                    TokenTransport transport =
                            context.getBean(TokenProperties.class).transport();
                    assertThat(transport.header()).isNull();
                    assertThat(transport.cookie()).isEqualTo("ct");
                });
    }

    /** Nobody is logged in at the default place, and nothing would ever be stored. */
    @Test
    void standsBehindSpringSecurityWhereThePrincipalIsTheKey() {
        ReactiveWebApplicationContextRunner storing =
                web.withPropertyValues(KEYS + "k1:" + SECRET, "r2dbc.routing.tokens.store.type=memory");

        storing.run(context -> assertThat(order(context)).isEqualTo(-99));
        storing.withPropertyValues("r2dbc.routing.tokens.order=5")
                .run(context -> assertThat(order(context)).isEqualTo(5));
        storing.withBean(TokenKey.class, () -> exchange -> Mono.just("all"))
                .run(context -> assertThat(order(context)).isEqualTo(CausalTokenWebFilter.DEFAULT_ORDER));
        web.withPropertyValues(KEYS + "k1:" + SECRET)
                .run(context -> assertThat(order(context)).isEqualTo(CausalTokenWebFilter.DEFAULT_ORDER));
    }

    private static int order(ApplicationContext context) {
        return context.getBean(CausalTokenWebFilter.class).getOrder();
    }

    /** As YAML has it. */
    @Test
    void sendsTokensToHostsThatAreGivenAsAList() {
        web.withPropertyValues(
                        KEYS + "k1:" + SECRET,
                        "r2dbc.routing.tokens.web-client.hosts[0]=orders",
                        "r2dbc.routing.tokens.web-client.hosts[1]=stock")
                .run(context -> assertThat(sends(context)).isTrue());
    }

    private static boolean sends(ApplicationContext context) {
        WebClient.Builder builder = WebClient.builder();
        context.getBeanProvider(WebClientCustomizer.class).forEach(customizer -> customizer.customize(builder));
        AtomicBoolean sends = new AtomicBoolean();
        WebClient.Builder unused = builder.filters(
                filters -> sends.set(filters.contains(context.getBean(CausalTokenExchangeFilter.class))));
        return sends.get();
    }

    @ParameterizedTest
    @CsvSource({
        "max-age, 29s, at least 30 s",
        "limit, -1ms, no less than 0",
        "store.size, 0, at least 1",
        "header.name, 'a b', letters",
        "cookie.name, 'a;b', letters"
    })
    void refusesWhatIsOutOfRange(String property, String value, String expected) {
        web.withPropertyValues(KEYS + "k1:" + SECRET, "r2dbc.routing.tokens." + property + "=" + value)
                .run(context -> {
                    RoutingConfigurationException refused = Refusals.in(context.getStartupFailure());
                    assertThat(refused).hasMessageContaining("'r2dbc.routing.tokens." + property + "' is '");
                    assertThat(refused.action()).contains(expected);
                });
    }

    @ParameterizedTest
    @CsvSource({
        "memory, com.github.benmanes.caffeine, caffeine",
        "redis, org.springframework.data.redis, spring-boot-starter-data-redis"
    })
    void saysWhichLibraryAStoreNeeds(String type, String library, String artifact) {
        web.withPropertyValues(KEYS + "k1:" + SECRET, "r2dbc.routing.tokens.store.type=" + type)
                .withClassLoader(new FilteredClassLoader(library))
                .run(context -> assertThat(
                                Refusals.in(context.getStartupFailure()).action())
                        .contains(artifact));
    }

    @Test
    void leavesAnApplicationAloneThatHasSeveralRouters() {
        web.withPropertyValues(KEYS + "k1:" + SECRET)
                .withBean("one", RoutingConnectionFactory.class, TokenAutoConfigurationTests::router)
                .withBean("other", RoutingConnectionFactory.class, TokenAutoConfigurationTests::router)
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(CausalTokenWebFilter.class));
    }

    private static RoutingConnectionFactory router() {
        return RoutingConnectionFactory.builder()
                .server("db0", "r2dbc:postgresql://app:secret@h0/shop")
                .build();
    }

    @Test
    void encryptsWhereAsked() {
        CausalToken token = CausalToken.parse("1~pg.7.1.a");
        web.withPropertyValues(KEYS + "k1:" + SECRET, "r2dbc.routing.tokens.opaque=true")
                .run(context -> {
                    IncomingTokens tokens = context.getBean(IncomingTokens.class);
                    assertThat(tokens.codec().encode(token))
                            .startsWith("e1~k1~")
                            .doesNotContain("pg.");
                    assertThat(tokens.read(tokens.codec().encode(token))).contains(token);
                    assertThat(context.getBean(TokenProperties.class))
                            .asString()
                            .contains("opaque");
                });
        web.withPropertyValues(KEYS + "k1:" + SECRET).run(context -> {
            IncomingTokens tokens = context.getBean(IncomingTokens.class);
            assertThat(tokens.codec().encode(token)).startsWith("s1~k1~").endsWith("~1~pg.7.1.a");
        });
    }

    @Test
    void countsWhatCameOfTokens() {
        web.withPropertyValues(KEYS + "k1:" + SECRET).run(context -> {
            SimpleMeterRegistry registry = new SimpleMeterRegistry();
            context.getBean(MeterBinder.class).bindTo(registry);

            var unused = context.getBean(IncomingTokens.class).read("forged");

            assertThat(registry.get("r2dbc.routing.tokens").functionCounters()).hasSize(TokenResult.values().length);
            for (TokenResult result : TokenResult.values()) {
                assertThat(Files.readString(Path.of("..", "docs", "metrics.md")))
                        .contains("`r2dbc.routing.tokens`", "`" + result.name().toLowerCase(Locale.ROOT) + "`");
            }
            assertThat(registry.get("r2dbc.routing.tokens")
                            .tag("result", "malformed")
                            .functionCounter()
                            .count())
                    .isEqualTo(1);
        });
    }
}
