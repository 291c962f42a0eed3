package io.github.r2dbcrouting.webflux;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.RoutingListener;
import io.github.r2dbcrouting.micrometer.RoutingMetrics;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.context.annotation.Bean;

/**
 * Brings the {@linkplain io.github.r2dbcrouting.micrometer.RoutingMeter meters} of the router to the application's
 * registry.
 *
 * @since 0.1.0
 */
@AutoConfiguration(
        after = RoutingAutoConfiguration.class,
        afterName = "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration")
@ConditionalOnClass({MeterRegistry.class, MeterBinder.class})
@ConditionalOnBean(MeterRegistry.class)
@ConditionalOnBooleanProperty(name = "r2dbc.routing.enabled", matchIfMissing = true)
public final class RoutingMetricsAutoConfiguration {

    RoutingMetricsAutoConfiguration() {}

    @Bean
    @ConditionalOnSingleCandidate(RoutingConnectionFactory.class)
    @ConditionalOnMissingBean
    RoutingMetrics routingMetrics(RoutingConnectionFactory factory) {
        return new RoutingMetrics(factory, Tags.empty());
    }

    @Bean
    @ConditionalOnBooleanProperty(name = "r2dbc.routing.metrics.decisions", matchIfMissing = true)
    RoutingListener routingDecisionMetrics(MeterRegistry registry) {
        return RoutingMetrics.listener(registry, Tags.empty());
    }
}
