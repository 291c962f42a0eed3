package io.github.r2dbcrouting.webflux;

import io.github.r2dbcrouting.micrometer.RoutedConnectionConvention;
import io.github.r2dbcrouting.micrometer.RoutingObservations;
import io.github.r2dbcrouting.spi.ConnectionObserver;
import io.micrometer.observation.ObservationRegistry;
import io.r2dbc.proxy.observation.QueryObservationConvention;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * Observes each transaction, and each statement outside of one, with the server that it ran on; and names the server in
 * the observations of queries, where r2dbc-proxy makes them. Backs off for an observer or a convention of the
 * application's.
 *
 * @since 0.1.0
 */
@AutoConfiguration(
        after = RoutingAutoConfiguration.class,
        afterName = "org.springframework.boot.micrometer.observation.autoconfigure.ObservationAutoConfiguration")
@ConditionalOnClass(ObservationRegistry.class)
@ConditionalOnBean(ConfiguredServers.class)
public final class RoutingObservationAutoConfiguration {

    RoutingObservationAutoConfiguration() {}

    /** Where something listens to observations at all. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnBean(ObservationRegistry.class)
    @ConditionalOnBooleanProperty(name = "r2dbc.routing.observation.connections", matchIfMissing = true)
    static class Connections {

        @Bean
        @ConditionalOnMissingBean(ConnectionObserver.class)
        ConnectionObserver routingConnectionObserver(
                ObservationRegistry registry, ObjectProvider<RoutedConnectionConvention> conventions) {
            return RoutingObservations.observer(registry, conventions.getIfAvailable());
        }
    }

    /** Where r2dbc-proxy is. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(QueryObservationConvention.class)
    static class Queries {

        @Bean
        @ConditionalOnMissingBean(QueryObservationConvention.class)
        ServerObservationConvention serverObservationConvention(ConfiguredServers servers) {
            return new ServerObservationConvention(servers);
        }
    }
}
