package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.fake.FakeEngine;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.internal.monitor.ClusterMonitor;
import io.github.r2dbcrouting.internal.monitor.MonitorSettings;
import io.github.r2dbcrouting.internal.monitor.MonitoredServer;
import io.github.r2dbcrouting.internal.routing.Ejections;
import io.github.r2dbcrouting.internal.routing.FallbackBudget;
import io.github.r2dbcrouting.internal.routing.Policies;
import io.github.r2dbcrouting.internal.routing.RetryBudget;
import io.github.r2dbcrouting.internal.routing.Router;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.spi.LoadBalancer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import reactor.test.scheduler.VirtualTimeScheduler;

/** A primary, db0, and its replicas, without databases, with their monitor and their pools; time is virtual. */
final class FakeCluster {

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    final FakeEngine engine = new FakeEngine(time);
    final List<FakeServer> servers = new ArrayList<>();
    final ClusterMonitor monitor;
    final List<ServerPool> pools;
    final Ejections ejections = new Ejections(() -> 0);

    /** With servers that are labelled by their names. */
    FakeCluster(int replicas) {
        servers.add(new FakeServer("db0", ServerRole.PRIMARY));
        for (int replica = 1; replica <= replicas; replica++) {
            servers.add(new FakeServer("db" + replica, ServerRole.REPLICA));
        }
        monitor = new ClusterMonitor(
                servers.stream()
                        .map(server -> new MonitoredServer(
                                servers.indexOf(server), server.name(), List.of(server.name()), server))
                        .toList(),
                engine,
                new MonitorSettings(
                        Duration.ofMillis(100), Duration.ofMillis(2), Duration.ofSeconds(1), 3, Duration.ofSeconds(30)),
                Safeguards.all(),
                time,
                () -> time.now(TimeUnit.NANOSECONDS),
                event -> {});
        pools = servers.stream()
                .map(server -> new ServerPool(
                        server.name(),
                        server,
                        engine,
                        monitor,
                        Safeguards.all(),
                        Duration.ofSeconds(5),
                        configuration -> {}))
                .toList();
    }

    /** Starts the monitor, and lets it see every server. */
    void start() {
        monitor.start();
        passes();
        assertThat(monitor.tables().current().replicas()).hasSize(servers.size() - 1);
    }

    /** Lets some time pass, in which the monitor sees what has changed. */
    void passes() {
        time.advanceTimeBy(Duration.ofSeconds(1));
    }

    /** One that draws the first of several equals. */
    Lender lender(Policies policies, RetryBudget retries, FallbackBudget fallbacks) {
        return lender(policies, retries, fallbacks, false);
    }

    /** One that tells sessions of losses by errors. */
    Lender strictLender() {
        return lender(Policies.NONE, new RetryBudget(() -> 0), new FallbackBudget(() -> 2, 256), true);
    }

    private Lender lender(Policies policies, RetryBudget retries, FallbackBudget fallbacks, boolean strict) {
        return new Lender(
                new Router(
                        server -> 0,
                        bound -> 0,
                        Safeguards.all(),
                        ejections,
                        () -> 0,
                        Duration.ZERO,
                        new Router.Preferences(policies, false, LoadBalancer.powerOfTwoChoices())),
                monitor.tables(),
                pools,
                null,
                Safeguards.all(),
                new Retries(1, retries),
                Fixture.PATIENCE,
                fallbacks,
                monitor::now,
                strict);
    }

    void assertNothingIsLent() {
        for (ServerPool pool : pools) {
            await().untilAsserted(() -> assertThat(pool.inFlight()).isZero());
        }
    }
}
