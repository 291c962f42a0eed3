package io.github.r2dbcrouting.webflux;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.ServerStatus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.Status;

class RoutingHealthIndicatorTests {

    @ParameterizedTest
    @EnumSource(names = {"UP", "SUSPECT"})
    void isUpAsLongAsRequestsGoToThePrimary(ServerStatus primary) {
        assertThat(RoutingHealthIndicator.isUp(primary)).isTrue();
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"UP", "SUSPECT"})
    void isDownWhereThePrimaryIsNotToBeUsed(ServerStatus primary) {
        assertThat(RoutingHealthIndicator.isUp(primary)).isFalse();
    }

    @Test
    void isDownWithoutAPrimary() {
        RoutingConnectionFactory factory = RoutingConnectionFactory.builder()
                .server("db0", "r2dbc:postgresql://app:secret@127.0.0.1:1/shop")
                .build();
        try {
            Health health = Blocking.value(new RoutingHealthIndicator(factory).health());

            assertThat(health.getStatus()).isEqualTo(Status.DOWN);
            assertThat(health.getDetails()).containsEntry("primary", "none");
        } finally {
            Blocking.run(factory.close());
        }
    }
}
