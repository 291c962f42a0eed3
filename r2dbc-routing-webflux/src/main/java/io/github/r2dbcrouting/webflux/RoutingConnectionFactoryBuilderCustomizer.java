package io.github.r2dbcrouting.webflux;

import io.github.r2dbcrouting.RoutingConnectionFactory;

/**
 * What else shall the auto-configured factory have? For what properties cannot say: credentials that change, a server
 * with options of its own.
 *
 * <p>Beans of this type are called in their order, after the properties were applied. A setting that there is once is
 * replaced:
 *
 * <ul>
 *   <li>{@link RoutingConnectionFactory.Builder#observer observer} takes the place of the
 *       {@link io.github.r2dbcrouting.spi.ConnectionObserver} bean, and so of the starter's observations. An observer that
 *       is a bean itself takes their place, too, and needs no customizer.
 *   <li>{@link RoutingConnectionFactory.Builder#listener listener} replaces no bean: that listener hears besides every
 *       {@link io.github.r2dbcrouting.RoutingListener} bean. Such a bean that is set here as well hears twice.
 * </ul>
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
