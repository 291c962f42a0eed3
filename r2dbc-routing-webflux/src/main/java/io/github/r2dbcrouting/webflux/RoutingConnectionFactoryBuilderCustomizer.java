package io.github.r2dbcrouting.webflux;

import io.github.r2dbcrouting.RoutingConnectionFactory;

/**
 * What else shall the auto-configured factory have? For what properties cannot say: credentials that change, a server
 * with options of its own.
 *
 * <p>Beans of this type are called in their order, after the properties were applied.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface RoutingConnectionFactoryBuilderCustomizer {

    /**
     * Adds settings.
     *
     * @param builder describes the factory that will be built
     */
    void customize(RoutingConnectionFactory.Builder builder);
}
