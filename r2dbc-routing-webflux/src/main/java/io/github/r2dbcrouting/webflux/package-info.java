/**
 * The Spring Boot 4 starter for WebFlux applications: auto-configuration of a
 * {@link io.github.r2dbcrouting.RoutingConnectionFactory} from the properties {@code r2dbc.routing}, its health, its
 * meters, and the annotations of {@link io.github.r2dbcrouting.webflux.annotation}.
 */
@NullMarked
package io.github.r2dbcrouting.webflux;

import org.jspecify.annotations.NullMarked;
