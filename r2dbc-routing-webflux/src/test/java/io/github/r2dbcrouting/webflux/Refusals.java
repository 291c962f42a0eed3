package io.github.r2dbcrouting.webflux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What does an application say that does not start? */
public final class Refusals {

    private Refusals() {}

    /** Fails if the application has started, or if it is something else that kept it from that. */
    public static RoutingConfigurationException in(@Nullable Throwable startupFailure) {
        Throwable told = startupFailure;
        while (told != null && !(told instanceof RoutingConfigurationException)) {
            told = told.getCause();
        }
        assertThat(told).as("the context starts, or fails otherwise").isInstanceOf(RoutingConfigurationException.class);
        return (RoutingConfigurationException) Objects.requireNonNull(told);
    }
}
