package io.github.r2dbcrouting.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One PostgreSQL server of a {@link PostgresCluster}: where is it, what state is it in, and what is to happen to it?
 *
 * <p>All methods block until what they say holds, so none may be called on a Reactor thread. They may be called from
 * several threads. Clients connect through a {@link FaultProxy} whose port never changes; the methods of this class
 * reach the server past it.
 *
 * @since 0.1.0
 */
public final class PostgresServer {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final PostgresCluster cluster;
    private final int number;
    private final Credentials credentials;
    private final Postmaster postmaster;
    private final FaultProxy clients;
    private final FaultProxy upstream;
    private volatile @Nullable PostgresServer followed;
    private volatile boolean cutFromServers;
    private volatile @Nullable ControlSessions sessions;

    PostgresServer(PostgresCluster cluster, int number, Credentials credentials, Postmaster postmaster) {
        this.cluster = cluster;
        this.number = number;
        this.credentials = credentials;
        this.postmaster = postmaster;
        this.clients = FaultProxy.to(postmaster::address);
        this.upstream = FaultProxy.to(() -> {
            PostgresServer leader = followed;
            return leader == null ? null : leader.postmaster.address();
        });
    }

    /**
     * Returns the server's number in its cluster.
     *
     * @return 0 for the server that began as the primary, and so on; it never changes
     */
    public int number() {
        return number;
    }

    /**
     * Returns what an R2DBC client needs to connect.
     *
     * @return an URL that leads through the fault proxy and holds the password; it never changes
     */
    public String r2dbcUrl() {
        return credentials.r2dbcUrl(host(), port());
    }

    /**
     * Returns the address that clients connect to.
     *
     * @return an address of the loopback interface
     */
    public String host() {
        return "127.0.0.1";
    }

    /**
     * Returns the port that clients connect to, the fault proxy's.
     *
     * @return the port; it never changes
     */
    public int port() {
        return clients.port();
    }

    /**
     * Returns who logs in: a superuser.
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

    /**
     * Returns the proxy between this server and its clients, for faults that have no method here.
     *
     * @return the proxy that {@link #port()} belongs to
     */
    public FaultProxy proxy() {
        return clients;
    }

    /**
     * Tells whether the server's process lives, frozen or not.
     *
     * @return {@code false} after {@link #stop()} and {@link #kill()}
     */
    public boolean isRunning() {
        return postmaster.isRunning();
    }

    /**
     * Returns what the server is at this moment, or was when it ended.
     *
     * @return whether it takes writes
     */
    public Role role() {
        return Files.exists(postmaster.data().resolve("standby.signal")) ? Role.REPLICA : Role.PRIMARY;
    }

    /**
     * Returns how far the server's history has come.
     *
     * @return the text of an LSN: replayed on a replica, flushed on a primary
     */
    public String position() {
        return query("SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
                + " ELSE pg_current_wal_flush_lsn() END::text");
    }

    /**
     * Runs a statement on the server itself, not through the proxy, and waits for its result.
     *
     * @param sql one statement
     * @return the rows as {@code psql -At} prints them: columns separated by a bar, rows by a line feed, null as nothing
     * @throws io.r2dbc.spi.R2dbcException if the server refuses the statement
     */
    public String query(String sql) {
        return sessions().query(sql);
    }

    /**
     * Runs statements on the server itself, not through the proxy, and waits for their end.
     *
     * @param sql one or more statements, separated by semicolons
     * @throws io.r2dbc.spi.R2dbcException if the server refuses one
     */
    public void execute(String sql) {
        String unused = sessions().query(sql);
        assert unused != null;
    }

    /** Pauses replay: WAL still arrives, but the position stays and no row becomes visible. */
    public void pauseReplay() {
        execute("SELECT pg_wal_replay_pause()");
        Await.until(
                this + " has paused its replay",
                LIMIT,
                () -> query("SELECT pg_get_wal_replay_pause_state()").equals("paused"),
                () -> "");
    }

    /** Ends {@link #pauseReplay()}. */
    public void resumeReplay() {
        execute("SELECT pg_wal_replay_resume()");
    }

    /** Shuts the server down: clients are disconnected, everything is written out. */
    public void stop() {
        closeSessions();
        postmaster.stop();
    }

    /** Crashes the server: all its processes get SIGKILL, nothing is written out. */
    public void kill() {
        postmaster.kill();
        closeSessions();
    }

    /** Starts the server, which is shut down before if it runs, and waits until it accepts connections. */
    public void restart() {
        if (postmaster.isRunning()) {
            stop();
        }
        launch();
        awaitReady();
    }

    /**
     * Cuts the network on one side of the server. Nobody is told, bytes under way are held, and new connections hang.
     *
     * @param side which links are cut
     */
    public void isolate(Side side) {
        if (side.clients()) {
            clients.isolate();
        }
        if (side.upstream()) {
            cutFromServers = true;
            cluster.servers().forEach(PostgresServer::updateUpstream);
        }
    }

    /** Ends {@link #isolate(Side)} on all sides. */
    public void reconnect() {
        clients.reconnect();
        cutFromServers = false;
        cluster.servers().forEach(PostgresServer::updateUpstream);
    }

    /**
     * Delays what passes between the server and its clients.
     *
     * @param oneWay the delay in each direction; {@link Duration#ZERO} removes it
     */
    public void latency(Duration oneWay) {
        clients.latency(oneWay);
    }

    /**
     * Names the server and its state, without secrets.
     *
     * @return one line for people
     */
    @Override
    public String toString() {
        return "server %d (%s, port %d%s)".formatted(number, role(), port(), isRunning() ? "" : ", not running");
    }

    Postmaster postmaster() {
        return postmaster;
    }

    int upstreamPort() {
        return upstream.port();
    }

    void follow(@Nullable PostgresServer leader, boolean standby) {
        followed = leader;
        updateUpstream();
        if (standby) {
            try {
                Files.writeString(postmaster.data().resolve("standby.signal"), "");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    void launch() {
        postmaster.launch();
    }

    void awaitReady() {
        sessions = new ControlSessions(credentials, postmaster.awaitReady());
    }

    /** Ends the server and its proxies; its data is of no more use. */
    void discard() {
        postmaster.discard();
        closeSessions();
        clients.close();
        upstream.close();
    }

    private void updateUpstream() {
        PostgresServer leader = followed;
        if (cutFromServers || (leader != null && leader.cutFromServers)) {
            upstream.isolate();
        } else {
            upstream.reconnect();
        }
    }

    private ControlSessions sessions() {
        ControlSessions current = sessions;
        if (current == null || !postmaster.isRunning()) {
            throw new ClusterException(this + " does not run");
        }
        if (postmaster.isFrozen()) {
            throw new ClusterException(this + " is frozen");
        }
        return current;
    }

    private void closeSessions() {
        ControlSessions current = sessions;
        sessions = null;
        if (current != null) {
            current.close();
        }
    }
}
