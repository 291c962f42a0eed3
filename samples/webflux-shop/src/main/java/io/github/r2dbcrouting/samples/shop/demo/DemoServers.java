package io.github.r2dbcrouting.samples.shop.demo;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresServer;
import io.github.r2dbcrouting.test.Role;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which servers does the shop run on, and what is done to them? A primary, two replicas for the shop and one for reports.
 *
 * <p>All verbs block until what they say holds, so none may be called on a Reactor thread. One at a time is carried out.
 */
public final class DemoServers implements AutoCloseable {

    private static final List<String> TAGS = List.of("shop", "shop", "shop", "reporting");

    private static final String RECEIVED = "greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())";

    private final PostgresCluster cluster;
    private final Set<PostgresServer> leftBehind = new HashSet<>();
    private volatile Map<String, Fault> faults;

    private DemoServers(PostgresCluster cluster) {
        this.cluster = cluster;
        Map<String, Fault> none = new LinkedHashMap<>();
        cluster.servers().forEach(server -> none.put(name(server), Fault.NONE));
        this.faults = none;
    }

    /**
     * Starts the servers.
     *
     * @return the servers, all of them up
     */
    public static DemoServers start() {
        return new DemoServers(PostgresCluster.builder().replicas(3).start());
    }

    /**
     * Returns what an application needs to find them.
     *
     * @return properties of the starter's, with passwords
     */
    public Map<String, Object> properties() {
        Map<String, Object> properties = new LinkedHashMap<>();
        for (PostgresServer server : cluster.servers()) {
            String prefix = "r2dbc.routing.servers." + name(server);
            properties.put(prefix + ".url", server.r2dbcUrl());
            properties.put(prefix + ".tags", TAGS.get(server.number()));
        }
        return properties;
    }

    /**
     * Returns the servers themselves.
     *
     * @return the cluster, for faults that have no verb here
     */
    public PostgresCluster cluster() {
        return cluster;
    }

    /** What was done to each, by name; it does not ask the servers. */
    Map<String, Fault> faults() {
        return faults;
    }

    /** Lets a replica receive, but apply nothing. */
    synchronized void pause(String name) {
        PostgresServer replica = runningReplica(name);
        replica.pauseReplay();
        now(replica, fault(name).paused(true));
    }

    /** Lets a replica apply each commit only when it is that old; 0 for at once. */
    synchronized void delay(String name, int millis) {
        PostgresServer replica = runningReplica(name);
        replica.applyDelay(Duration.ofMillis(millis));
        now(replica, fault(name).delayed(millis));
    }

    /** Crashes a server. */
    synchronized void kill(String name) {
        PostgresServer server = server(name);
        server.kill();
        now(server, Fault.KILLED);
    }

    /**
     * Makes a replica the primary, as a failover manager would: the old one is shut down if it still runs, and the other
     * replicas follow the new one. What the old one had acknowledged and nobody had received is lost if it was killed.
     */
    synchronized void promote(String name) {
        PostgresServer chosen = runningReplica(name);
        PostgresServer old = cluster.currentPrimary();
        clear(chosen);
        if (old.isRunning()) {
            old.stop();
            now(old, Fault.KILLED);
        }
        String parting = chosen.query("SELECT " + RECEIVED + "::text");
        chosen.promote();
        for (PostgresServer other : cluster.servers()) {
            if (!other.isRunning()) {
                leftBehind.add(other);
            } else if (other != chosen) {
                follow(other, chosen, parting);
            }
        }
    }

    /** Undoes what was done to a server. One that was down during a promotion comes back as a copy of the new primary. */
    synchronized void restore(String name) {
        PostgresServer server = server(name);
        if (server.isRunning()) {
            clear(server);
        } else {
            if (leftBehind.remove(server)) {
                server.rejoin();
            } else {
                server.restart();
            }
            now(server, Fault.NONE);
        }
    }

    /** Undoes everything: server 0 is the primary again, the others are its replicas, and the database is empty. */
    synchronized void reset() {
        cluster.reset();
        leftBehind.clear();
        cluster.servers().forEach(server -> now(server, Fault.NONE));
    }

    /** Ends all servers and deletes what they have written. */
    @Override
    public void close() {
        cluster.close();
    }

    /** One that has received more than the new primary would wait for it in vain, and becomes a copy of it instead. */
    private void follow(PostgresServer other, PostgresServer leader, String parting) {
        clear(other);
        if (other.query("SELECT " + RECEIVED + " <= '" + parting + "'::pg_lsn").equals("true")) {
            other.follow(leader);
        } else {
            other.rejoin();
        }
    }

    private void clear(PostgresServer server) {
        Fault fault = fault(name(server));
        if (fault.paused() && server.role() == Role.REPLICA) {
            server.resumeReplay();
        }
        if (fault.delayMillis() > 0) {
            server.applyDelay(Duration.ZERO);
        }
        now(server, Fault.NONE);
    }

    private void now(PostgresServer server, Fault fault) {
        Map<String, Fault> all = new LinkedHashMap<>(faults);
        all.put(name(server), fault);
        faults = all;
    }

    private Fault fault(String name) {
        return faults.getOrDefault(name, Fault.NONE);
    }

    private PostgresServer runningReplica(String name) {
        PostgresServer server = server(name);
        if (!server.isRunning()) {
            throw new IllegalStateException(name + " does not run");
        }
        if (server.role() != Role.REPLICA) {
            throw new IllegalStateException(name + " is no replica");
        }
        return server;
    }

    private PostgresServer server(String name) {
        return cluster.servers().stream()
                .filter(server -> name(server).equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no server of this name"));
    }

    /** What it calls itself, too, so that the servers' own word and the router's can be compared. */
    private static String name(PostgresServer server) {
        return "server" + server.number();
    }
}
