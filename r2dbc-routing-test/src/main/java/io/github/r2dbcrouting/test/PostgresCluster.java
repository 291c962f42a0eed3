package io.github.r2dbcrouting.test;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

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

    private final Hosting hosting;
    private final Credentials credentials;
    private final int initialServers;
    private final List<PostgresServer> servers = new CopyOnWriteArrayList<>();
    private final Thread atExit = new Thread(this::end, "postgres-cluster-at-exit");
    private boolean closed;

    private PostgresCluster(Hosting hosting, Credentials credentials, int initialServers) {
        this.hosting = hosting;
        this.credentials = credentials;
        this.initialServers = initialServers;
    }

    static PostgresCluster start(Hosting hosting, Credentials credentials, int replicas) {
        PostgresCluster cluster = new PostgresCluster(hosting, credentials, 1 + replicas);
        Runtime.getRuntime().addShutdownHook(cluster.atExit);
        try {
            for (int number = 0; number <= replicas; number++) {
                cluster.addServer();
            }
            cluster.begin();
            return cluster;
        } catch (RuntimeException e) {
            cluster.close();
            throw e;
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
     * Returns the server that is the primary now: of several, the one on the highest timeline.
     *
     * @return that server; if no primary runs, the one that was the last
     */
    public PostgresServer currentPrimary() {
        List<PostgresServer> primaries =
                servers.stream().filter(server -> server.role() == Role.PRIMARY).toList();
        return primaries.stream()
                .max(Comparator.comparingInt(PostgresServer::lastTimeline))
                .orElseThrow(() -> new ClusterException("No server is a primary:\n" + this));
    }

    /**
     * Adds a replica of the current primary and waits until it streams.
     *
     * @return the new server, whose number follows the highest one; {@link #reset()} removes it
     */
    public PostgresServer addReplica() {
        PostgresServer added = addServer();
        added.rejoin();
        return added;
    }

    /**
     * Waits until every replica that can has replayed what the {@linkplain #currentPrimary() current primary} has flushed
     * by now. Those that are down, frozen, cut off, paused or follow another server are not waited for.
     *
     * @throws ClusterException if one does not within 30 s; the message says where each stands
     */
    public void awaitReplayed() {
        PostgresServer primary = currentPrimary();
        if (!Replay.within(primary, servers, REPLAY_LIMIT)) {
            throw new ClusterException("The replicas did not catch up within %d s: %s"
                    .formatted(REPLAY_LIMIT.toSeconds(), Replay.picture(primary, servers)));
        }
    }

    /**
     * Undoes every fault and drops what was created in the databases, so that the next test finds what the first one
     * found: all servers run, server 0 is the primary on timeline 1, the others stream from it, added replicas are gone.
     * Idle connections of applications stay, unless roles have changed; those that are inside a transaction are ended.
     * Takes some 10 ms when little has happened and as long as a start after a promotion, which makes a new cluster, with
     * another system identifier, behind the same ports.
     */
    public void reset() {
        while (servers.size() > initialServers) {
            PostgresServer added = servers.remove(servers.size() - 1);
            added.discard();
            added.links().close();
        }
        if (!ClusterReset.repair(this)) {
            servers.forEach(PostgresServer::discard);
            begin();
        }
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
        end();
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            // the JVM is ending, and the hook finds nothing left to do
        }
    }

    /**
     * Names each server with its state, without secrets.
     *
     * @return a line per server
     */
    @Override
    public String toString() {
        return servers.stream().map(Recovery::picture).collect(Collectors.joining("\n"));
    }

    void copy(PostgresServer from, PostgresServer to) {
        hosting.copy(from, to);
    }

    void certify(PostgresServer server, @Nullable Certificate certificate) {
        hosting.certify(server, certificate);
    }

    private synchronized void end() {
        if (!closed) {
            closed = true;
            servers.forEach(PostgresServer::discard);
            servers.forEach(server -> server.links().close());
            hosting.close();
        }
    }

    private PostgresServer addServer() {
        PostgresServer server = new PostgresServer(this, servers.size(), credentials, hosting);
        servers.add(server);
        return server;
    }

    /** Makes the servers, which do not run, a new cluster. */
    private void begin() {
        hosting.seed(servers());
        for (PostgresServer server : servers) {
            server.links().follow(server == primary() ? null : primary());
            server.launch();
        }
        servers.forEach(PostgresServer::awaitReady);
        awaitReplayed();
    }
}
