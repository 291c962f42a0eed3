package io.github.r2dbcrouting.webflux.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.webflux.RoutingAutoConfiguration;
import io.github.r2dbcrouting.webflux.RoutingConfigurationException;
import io.github.r2dbcrouting.webflux.token.InMemoryTokenStore;
import io.github.r2dbcrouting.webflux.token.IncomingTokens;
import io.github.r2dbcrouting.webflux.token.TokenHeader;
import io.github.r2dbcrouting.webflux.token.TokenResult;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ReactiveWebApplicationContextRunner;
import org.springframework.boot.webclient.WebClientCustomizer;

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
                    .doesNotHaveBean(WebClientCustomizer.class)
                    .doesNotHaveBean(InMemoryTokenStore.class);
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
                    Throwable told = context.getStartupFailure();
                    while (told != null && !(told instanceof RoutingConfigurationException)) {
                        told = told.getCause();
                    }
                    assertThat(told).isInstanceOf(RoutingConfigurationException.class);
                    RoutingConfigurationException refused = (RoutingConfigurationException) told;
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
            assertThat(registry.get("r2dbc.routing.tokens")
                            .tag("result", "malformed")
                            .functionCounter()
                            .count())
                    .isEqualTo(1);
        });
    }
}
