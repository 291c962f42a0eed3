package io.github.r2dbcrouting.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Which servers are there? A real PostgreSQL primary with streaming replicas, run as processes of the test's own JVM.
 *
 * <p>All methods block, so none may be called on a Reactor thread. The servers end when the cluster is closed or the JVM
 * ends, however it ends.
 *
 * @since 0.1.0
 */
public final class PostgresCluster implements AutoCloseable {

    private static final Duration REPLAY_LIMIT = Duration.ofSeconds(30);

    private final Binaries binaries;
    private final Template template;
    private final Credentials credentials;
    private final ServerConfig config;
    private final RunFolder folder = RunFolder.create();
    private final List<PostgresServer> servers = new CopyOnWriteArrayList<>();
    private final Thread atExit = new Thread(this::discard, "postgres-cluster-at-exit");
    private boolean closed;

    private PostgresCluster(Binaries binaries, Template template, Credentials credentials, ServerConfig config) {
        this.binaries = binaries;
        this.template = template;
        this.credentials = credentials;
        this.config = config;
    }

    static PostgresCluster start(
            int replicas, Binaries binaries, Template template, Credentials credentials, ServerConfig config) {
        PostgresCluster cluster = new PostgresCluster(binaries, template, credentials, config);
        Runtime.getRuntime().addShutdownHook(cluster.atExit);
        try {
            for (int number = 0; number <= replicas; number++) {
                cluster.addServer();
            }
            cluster.startFromTemplate();
            return cluster;
        } catch (RuntimeException | IOException e) {
            cluster.close();
            throw e instanceof RuntimeException unchecked
                    ? unchecked
                    : new UncheckedIOException("Could not prepare the servers", (IOException) e);
        }
    }

    /**
     * Begins to describe a cluster.
     *
     * @return a builder whose defaults are a primary without replicas
     */
    public static PostgresClusterBuilder builder() {
        return new PostgresClusterBuilder();
    }

    /**
     * Returns the server that began as the primary.
     *
     * @return server 0, whatever it is now
     */
    public PostgresServer primary() {
        return server(0);
    }

    /**
     * Returns a server that began as a replica.
     *
     * @param index 0 for server 1, and so on
     * @return that server, whatever it is now
     */
    public PostgresServer replica(int index) {
        return server(index + 1);
    }

    /**
     * Returns a server by its number, which never changes.
     *
     * @param number 0 for the one that began as the primary
     * @return that server, whatever it is now
     */
    public PostgresServer server(int number) {
        return servers.get(number);
    }

    /**
     * Returns all servers.
     *
     * @return a copy, in the order of their numbers
     */
    public List<PostgresServer> servers() {
        return List.copyOf(servers);
    }

    /**
     * Returns the servers that are replicas at this moment, or were when they ended.
     *
     * @return a copy, in the order of their numbers
     */
    public List<PostgresServer> replicas() {
        return servers.stream().filter(server -> server.role() == Role.REPLICA).toList();
    }

    /**
     * Waits until every replica that can has replayed what the primary has flushed by now.
     *
     * @throws ClusterException if one does not within 30 s; the message says where each stands
     */
    public void awaitReplayed() {
        Replay.await(this, REPLAY_LIMIT);
    }

    /**
     * Returns the superuser that clients log in as.
     *
     * @return the role's name
     */
    public String user() {
        return credentials.user();
    }

    /**
     * Returns the password of {@link #user()}.
     *
     * @return the password, in plain text
     */
    public String password() {
        return credentials.password();
    }

    /**
     * Returns the database that clients connect to.
     *
     * @return the database's name
     */
    public String database() {
        return credentials.database();
    }

    /** Ends all servers and deletes their data. Closing twice does nothing more. */
    @Override
    public void close() {
        discard();
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            // the JVM is ending, and the hook finds nothing left to do
        }
    }

    private synchronized void discard() {
        if (!closed) {
            closed = true;
            servers.forEach(PostgresServer::discard);
            folder.close();
        }
    }

    private void addServer() throws IOException {
        int number = servers.size();
        Path home = Files.createDirectory(folder.path().resolve("server" + number));
        servers.add(new PostgresServer(this, number, credentials, new Postmaster(binaries, home)));
    }

    private void startFromTemplate() throws IOException {
        Path seed = primary().postmaster().data();
        template.instantiate(seed);
        for (PostgresServer server : servers) {
            Path data = server.postmaster().data();
            if (server != primary()) {
                FileTree.copy(seed, data, file -> true);
            }
            config.write(data, server.number(), server.upstreamPort());
        }
        for (PostgresServer server : servers) {
            boolean replica = server != primary();
            server.follow(replica ? primary() : null, replica);
            server.launch();
        }
        servers.forEach(PostgresServer::awaitReady);
        awaitReplayed();
    }
}
