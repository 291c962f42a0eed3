package io.github.r2dbcrouting.webflux;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.RoutingListener;
import io.r2dbc.spi.ConnectionFactory;
import java.util.List;
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

    // the context waits for its close(), which is reactive, and for beans above it to be closed first
    @Bean(destroyMethod = "close")
    @ConditionalOnMissingBean(ConnectionFactory.class)
    RoutingConnectionFactory connectionFactory(
            RoutingProperties properties,
            R2dbcProperties spring,
            ObjectProvider<R2dbcConnectionDetails> details,
            ObjectProvider<ConnectionFactoryOptionsBuilderCustomizer> options,
            ObjectProvider<ConnectionFactoryDecorator> decorators,
            ObjectProvider<RoutingListener> listeners,
            ObjectProvider<RoutingConnectionFactoryBuilderCustomizer> customizers,
            Environment environment) {
        RoutingProperties.Pool springPool = Binder.get(environment)
                .bind("spring.r2dbc.pool", RoutingProperties.Pool.class)
                .orElseGet(() -> new RoutingProperties.Pool(null, null, null));
        ServerAddresses addresses = new ServerAddresses(
                spring, details.getIfAvailable(), options.orderedStream().toList());
        return new ConfiguredFactory(
                        properties,
                        addresses.of(properties.servers()),
                        springPool,
                        decorators.orderedStream().toList(),
                        List.copyOf(listeners.orderedStream().toList()),
                        customizers.orderedStream().toList())
                .build();
    }
}
