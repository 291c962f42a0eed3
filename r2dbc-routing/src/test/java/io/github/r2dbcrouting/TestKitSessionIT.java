package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.spi.ConnectionFactory;
import java.lang.reflect.Proxy;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.springframework.jdbc.core.JdbcOperations;
import reactor.util.context.Context;

/**
 * The SPI's own tests through the router under a session, so that its reads go to a replica where it has what the kit
 * wrote, over JDBC past the session or through it.
 */
@PostgresClusterTest(replicas = 1)
class TestKitSessionIT extends TestKitOnPostgres {

    /** What a backend did last; connections stay in the pool, so it is still there after the test. */
    private static final String READS_OF_THE_KIT =
            "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^SELECT (test_value|col1)'";

    private final Set<String> readsSeen = new HashSet<>();
    private RoutingConnectionFactory factory;
    private CausalSession session = CausalSession.create();

    TestKitSessionIT(PostgresCluster cluster) {
        super(cluster);
    }

    @BeforeAll
    void open() {
        factory = Factories.ready(Factories.over(cluster()));
    }

    @BeforeEach
    void beginSession() {
        session = CausalSession.create();
        session.observe(Blocking.value(factory.capture()));
    }

    @AfterEach
    void askTheReplicaWhatItServed() {
        PostgresServer replica = cluster().replica(0);
        readsSeen.add(replica.query(READS_OF_THE_KIT));
    }

    @AfterAll
    void close() {
        Blocking.run(factory.close());
        assertThat(readsSeen).as("reads found on the replica after a test").anyMatch(count -> !count.equals("0"));
    }

    @Override
    public ConnectionFactory getConnectionFactory() {
        Function<Context, Context> entry = Routing.session(session);
        return UnderContext.all(factory, entry);
    }

    /** The kit writes over JDBC: the session must see that, too. */
    @Override
    public JdbcOperations getJdbcOperations() {
        JdbcOperations jdbc = super.getJdbcOperations();
        return (JdbcOperations) Proxy.newProxyInstance(
                JdbcOperations.class.getClassLoader(),
                new Class<?>[] {JdbcOperations.class},
                (proxy, method, arguments) -> {
                    Object answer = UnderContext.call(jdbc, method, arguments);
                    session.observe(Blocking.value(factory.capture()));
                    return answer;
                });
    }
}
