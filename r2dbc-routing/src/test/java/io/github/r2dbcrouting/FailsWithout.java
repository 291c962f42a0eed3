package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Marks a test of a rule that breaks without the mechanism.
 *
 * <p>The test takes a {@code Safeguards} parameter and builds its factory with it. Normally that holds every mechanism.
 * With the Maven profile {@code without-safeguards} it lacks the one named here, and the test passes only if it fails.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@Tag("safeguard")
@ExtendWith(FailsWithoutExtension.class)
@interface FailsWithout {

    Safeguard value();
}
