package io.github.r2dbcrouting.chaos.fault;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.internal.clock.JumpingClock;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresServer;
import io.github.r2dbcrouting.test.history.Switch;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;

/**
 * To whom can something happen?
 *
 * @param cluster the servers
 * @param routers the applications' routers
 * @param clock the applications' wall clock
 * @param random decides whom it strikes, and for how long
 * @param witness hears what a takeover has cost
 * @param few the users of the application that has few
 */
public record Target(
        PostgresCluster cluster,
        List<RoutingConnectionFactory> routers,
        JumpingClock clock,
        Random random,
        Witness witness,
        Users few) {

    private static final Duration FOLLOW_LIMIT = Duration.ofSeconds(20);

    /** Who can do nothing for a while? */
    public interface Users {
        /** From now on nobody begins anything. */
        void rest();

        /** All go on at once. */
        void wake();
    }

    /** Who writes down what a takeover has cost? */
    public interface Witness {
        /**
         * Says that another server is about to take over.
         *
         * @param promoted which one
         * @return to be told the rest
         */
        Switch switched(PostgresServer promoted);

        /**
         * Compares what was left with what goes on, while both run and nobody writes to the former.
         *
         * @param change the takeover
         * @param left the server whose branch was left
         * @param goesOn the one that is the primary now
         */
        void compare(Switch change, PostgresServer left, PostgresServer goesOn);
    }

    /**
     * Returns what applications call a server.
     *
     * @param server the server
     * @return the name
     */
    public static String name(PostgresServer server) {
        return "db" + server.number();
    }

    PostgresServer primary() {
        return cluster.currentPrimary();
    }

    PostgresServer anyReplica() {
        return any(cluster.replicas());
    }

    PostgresServer anyServer() {
        return any(cluster.servers());
    }

    <T> T any(List<T> all) {
        return all.get(random.nextInt(all.size()));
    }

    Duration between(int leastMillis, int mostMillis) {
        return Duration.ofMillis(leastMillis + random.nextInt(mostMillis - leastMillis + 1));
    }

    void pause(int leastMillis, int mostMillis) throws InterruptedException {
        Thread.sleep(between(leastMillis, mostMillis).toMillis());
    }

    /** Waits until every router follows a server as the primary. */
    void awaitFollowed(PostgresServer server) throws InterruptedException {
        String name = name(server);
        await(
                "all routers follow " + name,
                () -> routers.stream()
                        .allMatch(router -> router.table()
                                .primary()
                                .map(ServerState::name)
                                .filter(name::equals)
                                .isPresent()));
    }

    /** Waits until every router has all servers again. */
    void awaitAllUp() throws InterruptedException {
        await(
                "all servers are up",
                () -> routers.stream()
                        .allMatch(router -> router.table().servers().stream()
                                .filter(server -> server.status() != ServerStatus.REMOVED)
                                .allMatch(server -> server.status() == ServerStatus.UP)));
    }

    private void await(String what, BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + FOLLOW_LIMIT.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                throw new IllegalStateException("not within " + FOLLOW_LIMIT.toSeconds() + " s: " + what + "\n"
                        + routers.get(0).table() + "\n" + routers.get(1).table());
            }
            Thread.sleep(5);
        }
    }
}
