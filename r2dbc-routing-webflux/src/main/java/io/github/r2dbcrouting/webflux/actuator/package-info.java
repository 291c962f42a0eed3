/** The actuator endpoint {@code r2dbcrouting}: what the router knows and decides, a page that shows it live, and changes. */
@NullMarked
package io.github.r2dbcrouting.webflux.actuator;

import org.jspecify.annotations.NullMarked;
