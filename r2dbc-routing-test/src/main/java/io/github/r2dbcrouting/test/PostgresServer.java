package io.github.r2dbcrouting.test;

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

    private final PostgresCluster cluster;
    private final int number;
    private final Credentials credentials;
    private final ServerLinks links;
    private final ServerProcess process;
    private volatile @Nullable ControlSessions sessions;
    private volatile int lastTimeline = 1;
    private volatile boolean recertified;

    PostgresServer(PostgresCluster cluster, int number, Credentials credentials, Hosting hosting) {
        this.cluster = cluster;
        this.number = number;
        this.credentials = credentials;
        this.links = new ServerLinks(this);
        this.process = hosting.place(number, links.upstreamPort());
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
        return links.clients().port();
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
     * @return the proxy, which listens on {@link #port()}
     */
    public FaultProxy proxy() {
        return links.clients();
    }

    /**
     * Tells whether the server's process lives, frozen or not.
     *
     * @return {@code false} after {@link #stop()} and {@link #kill()}
     */
    public boolean isRunning() {
        return process.isRunning();
    }

    /**
     * Returns what the server is at this moment, or was when it ended.
     *
     * @return whether it takes writes
     */
    public Role role() {
        return process.role();
    }

    /**
     * Returns how far the server's history has come.
     *
     * @return the text of an LSN: replayed on a replica, flushed on a primary
     */
    public String position() {
        return Recovery.position(this);
    }

    /**
     * Returns the timeline that the server writes, or as a replica follows.
     *
     * @return 1 until the first promotion
     */
    public int timeline() {
        lastTimeline = Recovery.timeline(this);
        return lastTimeline;
    }

    /**
     * Runs a statement on the server itself, not through the proxy, and waits for its result. If a replica cancels it for
     * the sake of its replay, it is sent again, up to 20 times in all.
     *
     * @param sql one statement
     * @return the rows as {@code psql -At} arranges them: columns separated by a bar, rows by a line feed, null as nothing
     * @throws io.r2dbc.spi.R2dbcException if the server refuses the statement
     * @throws ClusterException if the server does not run, or is frozen
     */
    public String query(String sql) {
        return sessions().query(sql);
    }

    /**
     * Runs statements on the server itself, not through the proxy, and waits for their end. If a replica cancels them for
     * the sake of its replay, all are sent again, up to 20 times in all.
     *
     * @param sql one or more statements, separated by semicolons; together they are one transaction
     * @throws io.r2dbc.spi.R2dbcException if the server refuses one
     * @throws ClusterException if the server does not run, or is frozen
     */
    public void execute(String sql) {
        sessions().execute(sql);
    }

    /** Makes the server read its configuration again, and waits until it has. */
    public void reload() {
        Recovery.reload(this);
    }

    /**
     * Gives the server another certificate than the cluster's, for the connections that are opened from now on.
     *
     * @param certificateChain the certificate, then those of its issuers that clients do not have, as PEM
     * @param privateKey its private key, without a password, as PEM
     * @throws IllegalStateException unless the cluster was made with {@link PostgresClusterBuilder#tls}
     */
    public void certificate(String certificateChain, String privateKey) {
        certify(new Certificate(certificateChain, privateKey));
    }

    /** Pauses replay: WAL still arrives, but the position stays and no row becomes visible. */
    public void pauseReplay() {
        Recovery.pause(this);
    }

    /** Ends {@link #pauseReplay()}. */
    public void resumeReplay() {
        execute("SELECT pg_wal_replay_resume()");
    }

    /**
     * Makes a replica apply each commit only when it has reached this age ({@code recovery_min_apply_delay}).
     *
     * @param age in whole milliseconds; {@link Duration#ZERO} applies commits at once again
     */
    public void applyDelay(Duration age) {
        Recovery.applyDelay(this, age);
    }

    /** Stops all processes of the server where they are: connections stay open, nothing answers. */
    public void freeze() {
        process.freeze();
    }

    /** Ends {@link #freeze()}. */
    public void thaw() {
        process.thaw();
    }

    /** Shuts the server down: clients are disconnected, everything is written out. */
    public void stop() {
        closeSessions();
        process.stop();
    }

    /** Crashes the server: all its processes get SIGKILL, nothing is written out. */
    public void kill() {
        process.kill();
        closeSessions();
    }

    /**
     * Crashes one backend with SIGKILL. The server then ends all others and recovers, while its postmaster, and with it
     * {@code pg_postmaster_start_time()}, stays. Returns when it accepts connections again.
     *
     * @param pid what {@code pg_backend_pid()} says in the backend
     */
    public void killBackend(int pid) {
        process.killBackend(pid);
        Recovery.awaitAnswer(this);
    }

    /** Crashes some backend, as {@link #killBackend(int)} does. */
    public void killBackend() {
        killBackend(Integer.parseInt(query("SELECT pg_backend_pid()")));
    }

    /** Starts the server, which is shut down before if it runs, and waits until it accepts connections. */
    public void restart() {
        if (isRunning()) {
            stop();
        }
        launch();
        awaitReady();
    }

    /**
     * Makes a replica a primary on a timeline of its own and waits until it takes writes. Nobody else is told: the old
     * primary goes on, and other replicas go on following it until they {@link #follow} this one.
     */
    public void promote() {
        Recovery.promote(this);
        int promoted = timeline();
        assert promoted > 1;
        links.follow(null);
    }

    /**
     * Makes a replica follow another server and waits until it streams from there, unless it is cut off.
     *
     * @param leader whom to follow; its history must hold all that this server has replayed
     * @throws ClusterException if it does not, so that only {@link #rejoin()} helps
     */
    public void follow(PostgresServer leader) {
        if (leader == this || role() == Role.PRIMARY) {
            throw new IllegalStateException(this + " cannot follow " + leader);
        }
        links.follow(leader);
        Recovery.awaitStreaming(this);
    }

    /**
     * Brings the server back as a streaming replica of the {@linkplain PostgresCluster#currentPrimary() current primary},
     * with a fresh copy of its data; its own is lost. Number and port stay, and so do those who follow it.
     */
    public void rejoin() {
        PostgresServer leader = cluster.currentPrimary();
        if (leader == this) {
            throw new IllegalStateException(this + " is the current primary; there is nobody to follow");
        }
        discard();
        cluster.copy(leader, this);
        links.follow(leader);
        launch();
        awaitReady();
        Recovery.awaitStreaming(this);
    }

    /**
     * Cuts the network on one side of the server. Nobody is told, bytes under way are held, and new connections hang.
     *
     * @param side which links are cut
     */
    public void isolate(Side side) {
        links.isolate(side, cluster.servers());
    }

    /** Ends {@link #isolate(Side)} on all sides. */
    public void reconnect() {
        links.reconnect(cluster.servers());
    }

    /**
     * Delays what passes between the server and its clients.
     *
     * @param oneWay the delay in each direction; {@link Duration#ZERO} removes it
     */
    public void latency(Duration oneWay) {
        links.clients().latency(oneWay);
    }

    /** Names the server and its state, without secrets. */
    @Override
    public String toString() {
        return "server %d (%s, port %d%s)".formatted(number, role(), port(), isRunning() ? "" : ", not running");
    }

    /** Undoes {@link #certificate}. */
    void firstCertificate() {
        if (recertified) {
            certify(null);
        }
    }

    private void certify(@Nullable Certificate certificate) {
        cluster.certify(this, certificate);
        recertified = certificate != null;
        reload();
    }

    ServerProcess process() {
        return process;
    }

    ServerLinks links() {
        return links;
    }

    void launch() {
        process.launch();
    }

    void awaitReady() {
        sessions = new ControlSessions(credentials, process.awaitReady(), () -> role() == Role.REPLICA);
    }

    int lastTimeline() {
        return isRunning() && !process.isFrozen() ? timeline() : lastTimeline;
    }

    /** Ends the server; its data is of no more use. */
    void discard() {
        process.discard();
        closeSessions();
    }

    ControlSessions sessions() {
        ControlSessions current = sessions;
        if (current == null || !isRunning()) {
            throw new ClusterException(this + " does not run");
        }
        if (process.isFrozen()) {
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
