/** Annotations that say where the reads of a method go, for methods that return {@code Mono} or {@code Flux}. */
@NullMarked
package io.github.r2dbcrouting.webflux.annotation;

import org.jspecify.annotations.NullMarked;
