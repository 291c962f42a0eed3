package io.github.r2dbcrouting.benchmarks.load;

import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import io.r2dbc.spi.ConnectionFactoryOptions;
import io.r2dbc.spi.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Which servers are put under load? */
final class Cluster implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /**
     * One server.
     *
     * @param name what it is called in reports
     * @param url where it is, past any proxy
     * @param primary whether it was the primary at the start
     * @param address what it says of its own address, which rows that are read from it carry
     */
    record Server(String name, String url, boolean primary, String address) {

        /** Without the password that the URL may have. */
        @Override
        public String toString() {
            return name;
        }
    }

    private final List<Server> servers;
    private final @Nullable PostgresCluster embedded;
    private final String version;

    private Cluster(List<Server> servers, @Nullable PostgresCluster embedded, String version) {
        this.servers = List.copyOf(servers);
        this.embedded = embedded;
        this.version = version;
    }

    /**
     * Starts servers for this run.
     *
     * @param replicas how many beside the primary
     * @param fsync whether they wait for the disk
     * @return the cluster, with {@code pg_stat_statements} on the primary
     */
    static Cluster start(int replicas, boolean fsync) {
        PostgresCluster cluster = PostgresCluster.builder()
                .replicas(replicas)
                .fsync(fsync)
                .setting("max_connections", "600")
                .setting("shared_preload_libraries", "pg_stat_statements")
                .setting("pg_stat_statements.track", "all")
                .start();
        try {
            cluster.primary().execute("CREATE EXTENSION pg_stat_statements");
            return at(cluster.servers().stream().map(Cluster::directUrl).toList(), cluster);
        } catch (RuntimeException | Error failed) {
            cluster.close();
            throw failed;
        }
    }

    /**
     * Takes servers that run already.
     *
     * @param urls where they are
     * @return the cluster, whose primary is the one that is not in recovery
     */
    static Cluster at(List<String> urls) {
        return at(urls, null);
    }

    private static Cluster at(List<String> urls, @Nullable PostgresCluster embedded) {
        List<Server> found = new ArrayList<>();
        String version = "";
        for (String url : urls) {
            List<String> said = ask(
                    url,
                    "SELECT pg_is_in_recovery()::text || ' ' || " + Statements.ADDRESS
                            + " || ' ' || current_setting('server_version')");
            String[] words = said.get(0).split(" ", 3);
            found.add(new Server("db" + found.size(), url, words[0].equals("false"), words[1]));
            version = words[2];
        }
        long primaries = found.stream().filter(Server::primary).count();
        if (primaries != 1) {
            throw new IllegalArgumentException("expected exactly one of the servers to be a primary, but " + primaries
                    + " of " + found.size() + " are");
        }
        return new Cluster(found, embedded, version);
    }

    /** Past the fault proxy: its way through the client's own process would cost more than what is measured. */
    static String directUrl(PostgresServer server) {
        return "r2dbc:postgresql://" + server.user() + ":" + server.password() + "@127.0.0.1:"
                + server.query("SELECT current_setting('port')") + "/" + server.database();
    }

    List<Server> servers() {
        return servers;
    }

    Server primary() {
        return servers.stream().filter(Server::primary).findFirst().orElseThrow();
    }

    List<Server> replicas() {
        return servers.stream().filter(server -> !server.primary()).toList();
    }

    @Nullable
    PostgresCluster embedded() {
        return embedded;
    }

    /** Returns PostgreSQL's version. */
    String version() {
        return version;
    }

    /** Returns the names of the servers by what they say of their addresses. */
    Map<String, String> names() {
        Map<String, String> names = new TreeMap<>();
        servers.forEach(server -> names.put(server.address(), server.name()));
        return names;
    }

    /** Waits until the replicas have what is on the primary now. */
    void awaitReplayed() {
        String position =
                ask(primary().url(), "SELECT pg_current_wal_insert_lsn()::text").get(0);
        long end = System.nanoTime() + PATIENCE.toNanos();
        for (Server replica : replicas()) {
            while (ask(replica.url(), "SELECT (pg_last_wal_replay_lsn() >= '" + position + "'::pg_lsn)::text")
                    .get(0)
                    .equals("false")) {
                if (System.nanoTime() - end > 0) {
                    throw new IllegalStateException(
                            replica + " has not replayed " + position + " within " + PATIENCE.toSeconds() + " s");
                }
                java.util.concurrent.locks.LockSupport.parkNanos(10_000_000);
            }
        }
    }

    void execute(String sql) {
        var unused = run(
                primary().url(),
                connection -> Flux.from(connection.createStatement(sql).execute())
                        .concatMap(Result::getRowsUpdated)
                        .map(String::valueOf));
    }

    /** Asks a server over a connection of its own, and blocks until it has answered. */
    static List<String> ask(String url, String sql) {
        return run(
                url,
                connection -> Flux.from(connection.createStatement(sql).execute())
                        .concatMap(result -> result.map(
                                (row, metadata) -> Objects.requireNonNullElse(row.get(0, String.class), ""))));
    }

    private static List<String> run(String url, java.util.function.Function<Connection, Flux<String>> work) {
        return Objects.requireNonNull(Flux.usingWhen(
                        Mono.from(ConnectionFactories.get(ConnectionFactoryOptions.parse(url))
                                .create()),
                        work,
                        Connection::close)
                .collectList()
                .block(PATIENCE));
    }

    @Override
    public void close() {
        if (embedded != null) {
            embedded.close();
        }
    }
}
