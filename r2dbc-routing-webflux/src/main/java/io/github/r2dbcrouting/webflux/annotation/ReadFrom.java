package io.github.r2dbcrouting.webflux.annotation;

import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.WhenBehind;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.core.annotation.AliasFor;

/**
 * Lets replicas serve what a method reads, and says which of them.
 *
 * <p>On a method of a bean or of a Spring Data repository that returns {@code Mono} or {@code Flux}, or on a class or
 * interface for all such methods of it; it may stand on an annotation of the application's own. What it says becomes a
 * {@link io.github.r2dbcrouting.Routing} entry around what the method returns, and nothing else: that of a method
 * replaces that of its class whole, and of methods that call each other the one nearest to the statement holds. It
 * surrounds a transaction that the same method begins. What surely writes goes to the primary all the same.
 *
 * <p>Texts may hold placeholders, {@code ${listing.age:500ms}}. What cannot be meant is told when the bean is created:
 * the application does not start.
 *
 * @since 0.1.0
 */
@Documented
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD})
public @interface ReadFrom {

    /**
     * Returns by which policy a replica is chosen.
     *
     * @return the name of a policy; empty for the default one
     */
    @AliasFor("policy")
    String value() default "";

    /**
     * Returns by which policy a replica is chosen.
     *
     * @return the name of a policy; empty for the default one
     */
    @AliasFor("value")
    String policy() default "";

    /**
     * Returns how fresh the reads must be.
     *
     * @return one kind; none for the usual: causal where there is a session, else any
     */
    Freshness.Kind[] freshness() default {};

    /**
     * Returns how old the reads may be, as {@link Freshness#atMost} means it.
     *
     * @return a duration such as {@code 500ms}, {@code 2s} or {@code PT0.5S}; empty for no bound
     */
    String maxStaleness() default "";

    /**
     * Returns how long a read may wait for a replica before it turns to the primary.
     *
     * @return a duration such as {@code 50ms}; empty for the factory's setting
     */
    String maxWait() default "";

    /**
     * Returns what becomes of reads for which no replica is fresh enough.
     *
     * @return one; none for the factory's setting
     */
    WhenBehind[] whenBehind() default {};
}
