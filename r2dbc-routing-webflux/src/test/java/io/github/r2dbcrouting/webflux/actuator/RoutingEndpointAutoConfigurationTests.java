package io.github.r2dbcrouting.webflux.actuator;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.webflux.RoutingAutoConfiguration;
import org.junit.jupiter.api.Test;
import org.springframework.boot.actuate.autoconfigure.endpoint.EndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.endpoint.web.WebEndpointAutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ReactiveWebApplicationContextRunner;

class RoutingEndpointAutoConfigurationTests {

    private static final String EXPOSED = "management.endpoints.web.exposure.include=r2dbcrouting";
    private static final AutoConfigurations CONFIGURATIONS = AutoConfigurations.of(
            RoutingAutoConfiguration.class,
            RoutingEndpointAutoConfiguration.class,
            EndpointAutoConfiguration.class,
            WebEndpointAutoConfiguration.class);

    private final ReactiveWebApplicationContextRunner application = new ReactiveWebApplicationContextRunner()
            .withConfiguration(CONFIGURATIONS)
            .withPropertyValues("r2dbc.routing.servers.db0.url=r2dbc:postgresql://app:secret@127.0.0.1:1/shop");

    @Test
    void isThereWhereItIsExposed() {
        application
                .withPropertyValues(EXPOSED)
                .run(context -> assertThat(context).hasSingleBean(RoutingEndpoint.class));
    }

    @Test
    void isNotThereUnlessSomebodyExposesIt() {
        application.run(context -> assertThat(context)
                .hasSingleBean(RoutingConnectionFactory.class)
                .doesNotHaveBean(RoutingEndpoint.class)
                .doesNotHaveBean(Watch.class)
                .doesNotHaveBean(DashboardHeaders.class));
    }

    @Test
    void isNotThereWhereAccessIsNone() {
        application
                .withPropertyValues(EXPOSED, "management.endpoint.r2dbcrouting.access=NONE")
                .run(context -> assertThat(context).doesNotHaveBean(RoutingEndpoint.class));
    }

    @Test
    void isNotThereIfRoutingIsNotEnabled() {
        application
                .withPropertyValues(EXPOSED, "r2dbc.routing.enabled=false")
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(RoutingEndpoint.class));
    }

    @Test
    void isNotThereWithoutAWebApplication() {
        new ApplicationContextRunner()
                .withConfiguration(CONFIGURATIONS)
                .withPropertyValues(
                        EXPOSED, "r2dbc.routing.servers.db0.url=r2dbc:postgresql://app:secret@127.0.0.1:1/shop")
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(RoutingEndpoint.class));
    }
}
