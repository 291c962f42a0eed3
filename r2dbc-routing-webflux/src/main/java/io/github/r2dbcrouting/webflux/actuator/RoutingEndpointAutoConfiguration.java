package io.github.r2dbcrouting.webflux.actuator;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.webflux.RoutingAutoConfiguration;
import io.github.r2dbcrouting.webflux.http.TokenAutoConfiguration;
import io.github.r2dbcrouting.webflux.token.IncomingTokens;
import org.jspecify.annotations.Nullable;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.RuntimeHintsRegistrar;
import org.springframework.aot.hint.annotation.RegisterReflectionForBinding;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.actuate.endpoint.EndpointId;
import org.springframework.boot.actuate.endpoint.web.PathMappedEndpoints;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.ImportRuntimeHints;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import reactor.core.scheduler.Schedulers;
import tools.jackson.databind.json.JsonMapper;

/**
 * Brings the endpoint {@code r2dbcrouting} and its page, where the actuator exposes it.
 *
 * @since 0.1.0
 */
@AutoConfiguration(after = {RoutingAutoConfiguration.class, TokenAutoConfiguration.class})
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.REACTIVE)
@ConditionalOnClass({ConditionalOnAvailableEndpoint.class, PathMappedEndpoints.class, JsonMapper.class})
@ConditionalOnBooleanProperty(name = "r2dbc.routing.enabled", matchIfMissing = true)
@ConditionalOnSingleCandidate(RoutingConnectionFactory.class)
@ConditionalOnAvailableEndpoint(RoutingEndpoint.class)
@ImportRuntimeHints(RoutingEndpointAutoConfiguration.PageHints.class)
@RegisterReflectionForBinding({RouterReport.class, RouterReport.Frame.class, RouterReport.Past.class, Refused.class})
public final class RoutingEndpointAutoConfiguration {

    RoutingEndpointAutoConfiguration() {}

    @Bean(destroyMethod = "dispose")
    Watch routingWatch(RoutingConnectionFactory factory) {
        return new Watch(factory, Schedulers.parallel());
    }

    @Bean
    @ConditionalOnMissingBean
    RoutingEndpoint routingEndpoint(
            RoutingConnectionFactory factory, Watch watch, ObjectProvider<IncomingTokens> tokens) {
        IncomingTokens known = tokens.getIfAvailable();
        return new RoutingEndpoint(factory, watch, new DashboardPage(), known == null ? null : known.codec());
    }

    @Bean
    StreamsEnd routingStreamsEnd(ApplicationContext own, Watch watch) {
        return new StreamsEnd(own, watch);
    }

    /** A server that shuts down waits for answers that are under way, and a stream is one. */
    record StreamsEnd(ApplicationContext own, Watch watch) implements ApplicationListener<ContextClosedEvent> {

        @Override
        @SuppressWarnings("ReferenceEquality") // this context, whatever another one says of being equal
        public void onApplicationEvent(ContextClosedEvent closed) {
            // contexts below this one, such as the actuator's at a port of its own, tell of their end here, too
            if (closed.getApplicationContext() == own) {
                watch.dispose();
            }
        }
    }

    @Bean
    @Order(Ordered.HIGHEST_PRECEDENCE + 200)
    DashboardHeaders routingDashboardHeaders(ObjectProvider<PathMappedEndpoints> endpoints) {
        // they are found when a request comes: a filter is made before there are any
        return new DashboardHeaders(() -> {
            PathMappedEndpoints known = endpoints.getIfAvailable();
            return known == null ? null : known.getPath(EndpointId.of(RoutingEndpoint.ID));
        });
    }

    /** The page's files, in a native image. */
    static final class PageHints implements RuntimeHintsRegistrar {

        @Override
        public void registerHints(RuntimeHints hints, @Nullable ClassLoader classLoader) {
            hints.resources()
                    .registerPattern(DashboardPage.FOLDER + "*.html")
                    .registerPattern(DashboardPage.FOLDER + "*.css")
                    .registerPattern(DashboardPage.FOLDER + "*.js")
                    .registerPattern(DashboardPage.FOLDER + "*.svg");
        }
    }
}
