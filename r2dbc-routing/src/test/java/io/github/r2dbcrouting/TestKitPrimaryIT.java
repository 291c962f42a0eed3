package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.r2dbc.spi.ConnectionFactory;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The SPI's own tests through the router, by somebody who never heard of replicas. */
@PostgresClusterTest(replicas = 1)
class TestKitPrimaryIT extends TestKitOnPostgres {

    private final Set<ServerRole> served = ConcurrentHashMap.newKeySet();
    private RoutingConnectionFactory factory;

    TestKitPrimaryIT(PostgresCluster cluster) {
        super(cluster);
    }

    @BeforeAll
    void open() {
        factory = Factories.ready(Factories.over(cluster()).listener(decision -> served.add(decision.role())));
    }

    @AfterAll
    void close() {
        Blocking.run(factory.close());
        assertThat(served).containsExactly(ServerRole.PRIMARY);
    }

    @Override
    public ConnectionFactory getConnectionFactory() {
        return factory;
    }
}
