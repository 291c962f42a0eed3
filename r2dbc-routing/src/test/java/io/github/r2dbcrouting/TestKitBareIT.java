package io.github.r2dbcrouting;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.ConnectionFactory;

/** The SPI's own tests on the driver alone: what the router is held to. */
@PostgresClusterTest(replicas = 1)
class TestKitBareIT extends TestKitOnPostgres {

    private final ConnectionFactory driver;

    TestKitBareIT(PostgresCluster cluster) {
        super(cluster);
        driver = ConnectionFactories.get(cluster.primary().r2dbcUrl());
    }

    @Override
    public ConnectionFactory getConnectionFactory() {
        return driver;
    }
}
