package io.github.r2dbcrouting.webflux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.pool.PoolMetrics;
import io.r2dbc.spi.ConnectionFactory;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/** Spring over a routing factory over a cluster, with one note that every server has. */
final class SpringFixture implements AutoCloseable {

    final RoutingConnectionFactory factory;
    final AnnotationConfigApplicationContext spring;

    /** What a session has to see, and every replica has. */
    final CausalToken token;

    private final PostgresCluster cluster;
    private final Queue<RouteDecision> decisions = new ConcurrentLinkedQueue<>();
    private final int known;

    SpringFixture(PostgresCluster cluster) {
        this.cluster = cluster;
        for (String statement : Note.SCHEMA) {
            cluster.primary().execute(statement);
        }
        known = Integer.parseInt(
                cluster.primary().query("INSERT INTO stored_note (text) VALUES ('known to all') RETURNING id"));
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder()
                .sampling(Duration.ofMillis(20), Duration.ofMillis(2))
                .listener(decisions::add);
        for (PostgresServer server : cluster.servers()) {
            builder.server("db" + server.number(), server.r2dbcUrl());
        }
        factory = builder.build();
        Blocking.run(factory.ready(Duration.ofSeconds(20)));
        token = Blocking.value(factory.capture());
        awaitReplicasThatCover(CausalSession.resume(token));
        spring = new AnnotationConfigApplicationContext();
        spring.registerBean("routed", ConnectionFactory.class, () -> factory);
        spring.register(SpringConfiguration.class);
        spring.refresh();
    }

    Steps steps() {
        return new Steps(spring, known);
    }

    Transactions transactions() {
        return spring.getBean(Transactions.class);
    }

    Notes notes() {
        return spring.getBean(Notes.class);
    }

    int known() {
        return known;
    }

    Queue<RouteDecision> decisions() {
        return decisions;
    }

    void awaitReplicasThatCover(CausalSession session) {
        await().untilAsserted(() -> assertThat(
                        factory.explain(Routing.read(), session).candidates())
                .filteredOn(candidate -> candidate.refusal() == null)
                .as("replicas that have what the session wrote")
                .hasSize(cluster.servers().size() - 1));
        assertThat(factory.explain(Routing.read(), session).role()).isEqualTo(ServerRole.REPLICA);
    }

    /** Asks the primary itself, past the router. */
    boolean onPrimary(String text) {
        return cluster.primary()
                .query("SELECT count(*) FROM stored_note WHERE text = '" + text + "'")
                .equals("1");
    }

    void assertEverythingIsBack() {
        for (PostgresServer server : cluster.servers()) {
            String name = "db" + server.number();
            PoolMetrics pool = factory.pool(name).getMetrics().orElseThrow();
            await().pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(5))
                    .untilAsserted(() -> assertThat(pool.acquiredSize() + pool.pendingAcquireSize())
                            .as("connections of " + name + " that are lent or waited for")
                            .isZero());
        }
    }

    @Override
    public void close() {
        spring.close();
        Blocking.run(factory.close());
    }
}
