package io.github.r2dbcrouting.webflux.http;

import com.github.benmanes.caffeine.cache.Caffeine;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.webflux.RoutingAutoConfiguration;
import io.github.r2dbcrouting.webflux.token.InMemoryTokenStore;
import io.github.r2dbcrouting.webflux.token.IncomingTokens;
import io.github.r2dbcrouting.webflux.token.RedisTokenStore;
import io.github.r2dbcrouting.webflux.token.TokenHeader;
import io.github.r2dbcrouting.webflux.token.TokenResult;
import io.github.r2dbcrouting.webflux.token.TokenStore;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.Locale;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.webclient.WebClientCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.data.redis.core.ReactiveStringRedisTemplate;

/**
 * Lets tokens travel: in requests and answers, to other services and, if asked, by a store.
 *
 * @since 0.1.0
 */
@AutoConfiguration(
        after = RoutingAutoConfiguration.class,
        afterName = "org.springframework.boot.data.redis.autoconfigure.DataRedisReactiveAutoConfiguration")
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.REACTIVE)
@ConditionalOnSingleCandidate(RoutingConnectionFactory.class)
@ConditionalOnBooleanProperty(
        name = {"r2dbc.routing.enabled", "r2dbc.routing.tokens.enabled"},
        matchIfMissing = true)
@EnableConfigurationProperties(TokenProperties.class)
public final class TokenAutoConfiguration {

    /** The filter of Spring Security stands at -100. */
    private static final int BEHIND_SPRING_SECURITY = -99;

    TokenAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean
    IncomingTokens incomingTokens(TokenProperties properties, RoutingConnectionFactory factory) {
        return IncomingTokens.of(properties.codec(), factory);
    }

    @Bean
    @ConditionalOnMissingBean
    CausalTokenWebFilter causalTokenWebFilter(
            IncomingTokens tokens,
            TokenProperties properties,
            ObjectProvider<TokenStore> stores,
            ObjectProvider<TokenKey> keys) {
        TokenStore store = stores.getIfAvailable();
        if (store == null) {
            return new CausalTokenWebFilter(tokens, properties.transport(), properties.order());
        }
        TokenKey key = keys.getIfAvailable();
        return key == null
                ? new CausalTokenWebFilter(
                        tokens, properties.transport(), store, TokenKey.principal(), behindSecurity(properties.order()))
                : new CausalTokenWebFilter(tokens, properties.transport(), store, key, properties.order());
    }

    /** Nobody is logged in before Spring Security's filter. */
    private static int behindSecurity(int order) {
        return order == CausalTokenWebFilter.DEFAULT_ORDER ? BEHIND_SPRING_SECURITY : order;
    }

    @Bean
    @ConditionalOnMissingBean
    TokenHeader tokenHeader(IncomingTokens tokens, TokenProperties properties) {
        return new TokenHeader(tokens, properties.limit());
    }

    @Bean
    @ConditionalOnMissingBean
    TokenEvents tokenEvents(IncomingTokens tokens, TokenProperties properties) {
        return new TokenEvents(tokens, properties.limit());
    }

    @Bean
    @ConditionalOnMissingBean
    CausalTokenExchangeFilter causalTokenExchangeFilter(IncomingTokens tokens, TokenProperties properties) {
        return new CausalTokenExchangeFilter(
                tokens,
                properties.header().name(),
                properties.limit(),
                properties.webClient().hosts());
    }

    /** Other services are told where they were named. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(WebClientCustomizer.class)
    static class WebClients {

        /** Not by a condition on the property, which does not see a list. */
        @Bean
        WebClientCustomizer causalTokenWebClientCustomizer(
                CausalTokenExchangeFilter filter, TokenProperties properties) {
            return properties.webClient().hosts().isEmpty() ? builder -> {} : builder -> builder.filter(filter);
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(Caffeine.class)
    @ConditionalOnProperty(name = "r2dbc.routing.tokens.store.type", havingValue = "memory")
    static class InMemory {

        @Bean
        @ConditionalOnMissingBean(TokenStore.class)
        InMemoryTokenStore tokenStore(TokenProperties properties) {
            return new InMemoryTokenStore(properties.store().size(), properties.maxAge());
        }
    }

    /** Without a word of it clients that carry nothing would not see what they wrote. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnMissingClass("com.github.benmanes.caffeine.cache.Caffeine")
    @ConditionalOnProperty(name = "r2dbc.routing.tokens.store.type", havingValue = "memory")
    @ConditionalOnMissingBean(TokenStore.class)
    static class WithoutCaffeine {

        WithoutCaffeine() {
            throw TokenProperties.noStore("memory", "Caffeine", "com.github.ben-manes.caffeine:caffeine");
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnMissingClass("org.springframework.data.redis.core.ReactiveStringRedisTemplate")
    @ConditionalOnProperty(name = "r2dbc.routing.tokens.store.type", havingValue = "redis")
    @ConditionalOnMissingBean(TokenStore.class)
    static class WithoutRedis {

        WithoutRedis() {
            throw TokenProperties.noStore(
                    "redis", "Spring Data Redis", "org.springframework.boot:spring-boot-starter-data-redis-reactive");
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(ReactiveStringRedisTemplate.class)
    @ConditionalOnProperty(name = "r2dbc.routing.tokens.store.type", havingValue = "redis")
    static class InRedis {

        @Bean
        @ConditionalOnMissingBean(TokenStore.class)
        RedisTokenStore tokenStore(
                ReactiveStringRedisTemplate redis, IncomingTokens tokens, TokenProperties properties) {
            return new RedisTokenStore(redis, tokens, properties.store().prefix(), properties.maxAge());
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(MeterRegistry.class)
    static class Metrics {

        /** Counts by {@code result}, one of those of {@link TokenResult}. */
        static final String METER = "r2dbc.routing.tokens";

        @Bean
        MeterBinder causalTokenMeters(IncomingTokens tokens, RoutingConnectionFactory factory) {
            return registry -> {
                for (TokenResult result : TokenResult.values()) {
                    FunctionCounter.builder(METER, tokens, all -> counted(result, all, factory))
                            .description("What came of the texts that were given as causal tokens")
                            .tag("result", result.name().toLowerCase(Locale.ROOT))
                            .register(registry);
                }
            };
        }

        private static double counted(TokenResult result, IncomingTokens tokens, RoutingConnectionFactory factory) {
            return result == TokenResult.AHEAD_OF_PRIMARY ? factory.rejectedPositions() : tokens.counted(result);
        }
    }
}
