package io.github.r2dbcrouting.webflux;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.r2dbc.spi.ConnectionFactory;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.health.autoconfigure.contributor.CompositeReactiveHealthContributorConfiguration;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.ReactiveHealthContributor;
import org.springframework.boot.health.contributor.ReactiveHealthIndicator;
import org.springframework.boot.r2dbc.autoconfigure.R2dbcAutoConfiguration;
import org.springframework.boot.r2dbc.autoconfigure.health.ConnectionFactoryHealthContributorAutoConfiguration;
import org.springframework.boot.r2dbc.health.ConnectionFactoryHealthIndicator;
import org.springframework.context.annotation.Bean;

/**
 * Lets the health {@code r2dbc} be that of the primary. Other connection factories of the application keep Boot's.
 *
 * @since 0.1.0
 */
@AutoConfiguration(
        after = {RoutingAutoConfiguration.class, R2dbcAutoConfiguration.class},
        before = ConnectionFactoryHealthContributorAutoConfiguration.class)
@ConditionalOnClass({ReactiveHealthIndicator.class, ConditionalOnEnabledHealthIndicator.class})
@ConditionalOnBean(RoutingConnectionFactory.class)
@ConditionalOnBooleanProperty(name = "r2dbc.routing.enabled", matchIfMissing = true)
@ConditionalOnEnabledHealthIndicator("r2dbc")
public final class RoutingHealthAutoConfiguration
        extends CompositeReactiveHealthContributorConfiguration<ReactiveHealthIndicator, ConnectionFactory> {

    RoutingHealthAutoConfiguration() {
        super(factory -> factory instanceof RoutingConnectionFactory routed
                ? new RoutingHealthIndicator(routed)
                : new ConnectionFactoryHealthIndicator(factory));
    }

    @Bean
    @ConditionalOnMissingBean(name = {"r2dbcHealthIndicator", "r2dbcHealthContributor"})
    ReactiveHealthContributor r2dbcHealthContributor(ConfigurableListableBeanFactory beans) {
        return createContributor(beans, ConnectionFactory.class);
    }
}
