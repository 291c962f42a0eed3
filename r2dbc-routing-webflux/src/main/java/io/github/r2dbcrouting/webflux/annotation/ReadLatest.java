package io.github.r2dbcrouting.webflux.annotation;

import io.github.r2dbcrouting.Freshness;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Lets the primary serve what a method reads: everything that was committed is seen. As
 * {@code @ReadFrom(freshness = LATEST)}, and in the same places.
 *
 * @since 0.1.0
 */
@Documented
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD})
@ReadFrom(freshness = Freshness.Kind.LATEST)
public @interface ReadLatest {}
