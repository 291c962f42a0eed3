package io.github.r2dbcrouting.chaos;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.Weakened;
import io.github.r2dbcrouting.chaos.fault.Target;
import io.github.r2dbcrouting.internal.clock.JumpingClock;
import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.test.LeakCheck;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresServer;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;

/**
 * A primary, three replicas, and three applications with a router each. The first samples as routers do by default, the
 * others so seldom that they often act on what is no longer true. The third has few users, who now and then do nothing.
 */
final class Site implements AutoCloseable {

    private static final int REPLICAS = 3;
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration SELDOM = Duration.ofSeconds(5);

    private static final int LISTS_AT_A_TIME = 24;
    private static final int REGISTERS_AT_A_TIME = 6;

    private static final int FEW_USERS = 8;
    private static final Duration THEIR_THINK_TIME = Duration.ofMillis(400);

    /** So few that they see again soon what they have seen. */
    private static final int THEIR_LISTS = 3;

    private static final int THEIR_REGISTERS = 2;

    /** More than a crowd comes to in a run. */
    private static final long KEYS_OF_A_CROWD = 1L << 39;

    private final PostgresCluster cluster;
    private final LeakCheck leaks;
    private final JumpingClock clock = new JumpingClock();
    private final List<Application> applications;
    private boolean routersClosed;

    private Site(PostgresCluster cluster, @Nullable Safeguard without) {
        this.cluster = cluster;
        this.leaks =
                LeakCheck.start().watch(cluster).watchThreads("r2dbc-routing").waitAtMost(Duration.ofSeconds(20));
        this.applications = List.of(
                new Application("application 0", router(without).build()),
                new Application(
                        "application 1",
                        router(without).sampling(SELDOM, SELDOM).build()),
                new Application(
                        "application 2",
                        router(without).sampling(SELDOM, SELDOM).build()));
    }

    static Site start(@Nullable Safeguard without) {
        PostgresCluster cluster = PostgresCluster.builder()
                .replicas(REPLICAS)
                // reads in the way of replay are cancelled soon
                .setting("max_standby_streaming_delay", "200ms")
                .start();
        try {
            Store.createTables(cluster.primary());
            cluster.awaitReplayed();
            Site site = new Site(cluster, without);
            var unused = Flux.fromIterable(site.routers())
                    .flatMap(router -> router.ready(START_LIMIT))
                    .then()
                    .block(START_LIMIT);
            return site;
        } catch (RuntimeException | Error failed) {
            cluster.close();
            throw failed;
        }
    }

    private RoutingConnectionFactory.Builder router(@Nullable Safeguard without) {
        RoutingConnectionFactory.Builder builder = RoutingConnectionFactory.builder();
        cluster.servers()
                .forEach(server -> builder.server(
                        Target.name(server), server.r2dbcUrl(), server.number() % 2 == 0 ? "even" : "odd"));
        builder.strictLostWrites(true);
        Weakened.clock(builder, clock.elapsed());
        return without == null ? builder : Weakened.without(builder, without);
    }

    PostgresCluster cluster() {
        return cluster;
    }

    List<Application> applications() {
        return applications;
    }

    List<RoutingConnectionFactory> routers() {
        return applications.stream().map(Application::router).toList();
    }

    /** Users of the first two applications. */
    Crowd many(int users, Duration thinkTime, long firstKey) {
        return new Crowd(
                applications.subList(0, 2),
                users,
                thinkTime,
                new Keys(LISTS_AT_A_TIME, firstKey),
                new Keys(REGISTERS_AT_A_TIME, firstKey));
    }

    /** Users of the third. */
    Crowd few(long firstKey) {
        return new Crowd(
                applications.subList(2, 3),
                FEW_USERS,
                THEIR_THINK_TIME,
                new Keys(THEIR_LISTS, firstKey + KEYS_OF_A_CROWD),
                new Keys(THEIR_REGISTERS, firstKey + KEYS_OF_A_CROWD));
    }

    JumpingClock clock() {
        return clock;
    }

    /** How many connections are open through the proxies. */
    int connections() {
        return cluster.servers().stream()
                .map(PostgresServer::proxy)
                .mapToInt(proxy -> proxy.connections())
                .sum();
    }

    /** Closes the routers and says what is left of them; nothing if all is well. */
    List<String> closeRouters() {
        closeThem();
        try {
            leaks.verify();
            return List.of();
        } catch (AssertionError left) {
            return List.of(String.valueOf(left.getMessage()));
        }
    }

    private void closeThem() {
        if (!routersClosed) {
            routersClosed = true;
            var unused = Flux.fromIterable(routers())
                    .flatMap(RoutingConnectionFactory::close)
                    .then()
                    .block(START_LIMIT);
        }
    }

    @Override
    public void close() {
        try {
            closeThem();
        } finally {
            cluster.close();
        }
    }
}
