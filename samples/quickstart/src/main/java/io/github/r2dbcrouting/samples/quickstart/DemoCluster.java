package io.github.r2dbcrouting.samples.quickstart;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresServer;
import java.time.Duration;
import java.util.List;

/**
 * What does the demo run against? A primary, a replica that keeps up and one that is made to lag, and the router over
 * them.
 */
final class DemoCluster implements AutoCloseable {

    /** So long that whoever asks the lagging replica after a redirect sees nothing of the write. */
    static final Duration LAG = Duration.ofMillis(300);

    private static final Duration READY_LIMIT = Duration.ofSeconds(10);

    private final PostgresCluster postgres;
    private final RoutingConnectionFactory router;
    private final List<Server> servers;

    /**
     * One server.
     *
     * @param name what the router calls it
     * @param description what it is here for
     * @param ownName what it says when it is asked who it is
     */
    record Server(String name, String description, String ownName) {}

    private DemoCluster(PostgresCluster postgres) {
        this.postgres = postgres;
        postgres.primary().execute(Profiles.TABLE);
        postgres.awaitReplayed();
        postgres.replica(1).applyDelay(LAG);

        this.router = RoutingConnectionFactory.builder()
                .server("db0", postgres.primary().r2dbcUrl())
                .server("db1", postgres.replica(0).r2dbcUrl())
                .server("db2", postgres.replica(1).r2dbcUrl())
                .build();
        this.servers = List.of(
                new Server("db0", "primary", ownName(postgres.primary())),
                new Server("db1", "replica", ownName(postgres.replica(0))),
                new Server("db2", "replica, " + LAG.toMillis() + " ms late", ownName(postgres.replica(1))));
    }

    /** Starts the servers, and returns when the router knows them. */
    static DemoCluster start() {
        PostgresCluster postgres = PostgresCluster.builder().replicas(2).start();
        try {
            DemoCluster cluster = new DemoCluster(postgres);
            cluster.router.ready(READY_LIMIT).block();
            return cluster;
        } catch (RuntimeException failure) {
            postgres.close();
            throw failure;
        }
    }

    RoutingConnectionFactory router() {
        return router;
    }

    /** The servers, the primary first. */
    List<Server> servers() {
        return servers;
    }

    @Override
    public void close() {
        try {
            router.close().block(READY_LIMIT);
        } finally {
            postgres.close();
        }
    }

    private static String ownName(PostgresServer server) {
        return server.query("SELECT current_setting('cluster_name')");
    }
}
