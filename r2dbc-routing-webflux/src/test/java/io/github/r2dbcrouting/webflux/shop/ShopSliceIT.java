package io.github.r2dbcrouting.webflux.shop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.test.PostgresCluster;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.data.r2dbc.test.autoconfigure.DataR2dbcTest;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** The slice of Boot's for data has the router, too. */
@DataR2dbcTest
class ShopSliceIT {

    private static PostgresCluster cluster;

    @Autowired
    private Orders orders;

    @Autowired
    private RoutingConnectionFactory factory;

    @BeforeAll
    static void start() {
        cluster = PostgresCluster.builder().replicas(1).start();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @DynamicPropertySource
    static void servers(DynamicPropertyRegistry properties) {
        properties.add("spring.r2dbc.url", () -> cluster.primary().r2dbcUrl());
        properties.add("r2dbc.routing.policies.reporting", () -> "all()");
        properties.add(
                "r2dbc.routing.servers.replica.url", () -> cluster.replica(0).r2dbcUrl());
    }

    @Test
    void readsFromTheReplica() {
        assertThat(factory.serverNames()).containsExactly("db0", "replica");
        await().atMost(Duration.ofMinutes(1))
                .until(() -> Boolean.TRUE.equals(orders.listing().blockFirst()));
    }
}
