package io.github.r2dbcrouting.webflux;

import io.micrometer.observation.ObservationRegistry;
import io.r2dbc.proxy.observation.QueryObservationConvention;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/**
 * Names the server in the observations of queries, where r2dbc-proxy makes them. Backs off for a convention of the
 * application's.
 *
 * @since 0.1.0
 */
@AutoConfiguration(after = RoutingAutoConfiguration.class)
@ConditionalOnClass({QueryObservationConvention.class, ObservationRegistry.class})
@ConditionalOnBean(ConfiguredServers.class)
public final class RoutingObservationAutoConfiguration {

    RoutingObservationAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean(QueryObservationConvention.class)
    ServerObservationConvention serverObservationConvention(ConfiguredServers servers) {
        return new ServerObservationConvention(servers);
    }
}
