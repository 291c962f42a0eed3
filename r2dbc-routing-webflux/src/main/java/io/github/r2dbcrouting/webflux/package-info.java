/**
 * The Spring Boot 4 starter for WebFlux applications: auto-configuration, propagation of causal tokens over HTTP,
 * the actuator endpoint and the dashboard.
 *
 * <p>Nothing of it exists yet. An application wires {@link io.github.r2dbcrouting.RoutingConnectionFactory} as its
 * {@code ConnectionFactory} bean itself until then.
 */
@NullMarked
package io.github.r2dbcrouting.webflux;

import org.jspecify.annotations.NullMarked;
