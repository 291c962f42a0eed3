package io.github.r2dbcrouting.webflux;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.RoutingListener;
import io.github.r2dbcrouting.spi.ConnectionObserver;
import io.r2dbc.spi.ConnectionFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.r2dbc.ConnectionFactoryDecorator;
import org.springframework.boot.r2dbc.autoconfigure.ConnectionFactoryOptionsBuilderCustomizer;
import org.springframework.boot.r2dbc.autoconfigure.R2dbcAutoConfiguration;
import org.springframework.boot.r2dbc.autoconfigure.R2dbcConnectionDetails;
import org.springframework.boot.r2dbc.autoconfigure.R2dbcProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

/**
 * Routes every connection of the application by default: Spring Boot's own pool backs off before this factory, and what
 * else Boot makes of a connection factory (client, transaction manager, repositories) is made of this one.
 *
 * <p>Backs off for a {@link ConnectionFactory} of the application's, and if {@code r2dbc.routing.enabled} is
 * {@code false}.
 *
 * @since 0.1.0
 */
@AutoConfiguration(before = R2dbcAutoConfiguration.class)
@ConditionalOnBooleanProperty(name = "r2dbc.routing.enabled", matchIfMissing = true)
@EnableConfigurationProperties({RoutingProperties.class, R2dbcProperties.class})
public final class RoutingAutoConfiguration {

    RoutingAutoConfiguration() {}

    /** If the application has no factory of its own. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnMissingBean(ConnectionFactory.class)
    static class RoutedConnections {

        @Bean
        ConfiguredServers configuredServers(
                RoutingProperties properties,
                R2dbcProperties spring,
                ObjectProvider<R2dbcConnectionDetails> details,
                ObjectProvider<ConnectionFactoryOptionsBuilderCustomizer> customizers) {
            ServerAddresses addresses = new ServerAddresses(
                    spring,
                    details.getIfAvailable(),
                    customizers.orderedStream().toList());
            return new ConfiguredServers(addresses.of(properties.servers()));
        }

        // the context waits for its close(), which is reactive, and closes the beans above it first
        @Bean(destroyMethod = "close")
        RoutingConnectionFactory connectionFactory(
                RoutingProperties properties,
                ConfiguredServers servers,
                ObjectProvider<ConnectionFactoryDecorator> decorators,
                ObjectProvider<RoutingListener> listeners,
                ObjectProvider<ConnectionObserver> observer,
                ObjectProvider<RoutingConnectionFactoryBuilderCustomizer> customizers,
                Environment environment) {
            RoutingProperties.Pool springPool = Binder.get(environment)
                    .bind("spring.r2dbc.pool", RoutingProperties.Pool.class)
                    .orElseGet(() -> new RoutingProperties.Pool(null, null, null));
            return new ConfiguredFactory(
                            properties,
                            servers.options(),
                            springPool,
                            decorators.orderedStream().toList(),
                            listeners.orderedStream().toList(),
                            observer.getIfAvailable(),
                            customizers.orderedStream().toList())
                    .build();
        }
    }
}
