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
 * A primary, three replicas, and two applications with a router each. The first samples as routers do by default, the
 * second so seldom that it often acts on what is no longer true.
 */
final class Site implements AutoCloseable {

    private static final int REPLICAS = 3;
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration SELDOM = Duration.ofSeconds(5);

    private final PostgresCluster cluster;
    private final LeakCheck leaks;
    private final JumpingClock clock = new JumpingClock();
    private final List<RoutingConnectionFactory> routers;
    private boolean routersClosed;

    private Site(PostgresCluster cluster, @Nullable Safeguard without) {
        this.cluster = cluster;
        this.leaks =
                LeakCheck.start().watch(cluster).watchThreads("r2dbc-routing").waitAtMost(Duration.ofSeconds(20));
        this.routers = List.of(
                router(without).build(),
                router(without).sampling(SELDOM, SELDOM).build());
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
            var unused = Flux.fromIterable(site.routers)
                    .flatMap(router -> router.ready(START_LIMIT), 2)
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

    List<RoutingConnectionFactory> routers() {
        return routers;
    }

    /** What an application is called. */
    static String application(int index) {
        return "application " + index;
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
            var unused = Flux.fromIterable(routers)
                    .flatMap(RoutingConnectionFactory::close, 2)
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
