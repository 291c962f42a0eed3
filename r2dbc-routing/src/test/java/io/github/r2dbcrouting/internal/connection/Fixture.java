package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.WhenBehind;
import io.github.r2dbcrouting.fake.FakeConnection;
import io.github.r2dbcrouting.fake.FakeEngine;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.internal.monitor.ClusterMonitor;
import io.github.r2dbcrouting.internal.monitor.MonitorSettings;
import io.github.r2dbcrouting.internal.monitor.MonitoredServer;
import io.github.r2dbcrouting.internal.routing.Ejections;
import io.github.r2dbcrouting.internal.routing.FallbackBudget;
import io.github.r2dbcrouting.internal.routing.RetryBudget;
import io.github.r2dbcrouting.internal.routing.Router;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.github.r2dbcrouting.internal.table.TableRef;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import reactor.test.scheduler.VirtualTimeScheduler;

/** A primary without a database, its pool and its monitor; the monitor's time is virtual. */
final class Fixture {

    static final Patience PATIENCE = new Patience(
            Duration.ofSeconds(5),
            Duration.ofSeconds(2),
            WhenBehind.WAIT_THEN_PRIMARY,
            Duration.ofMillis(100),
            Duration.ofSeconds(5));

    final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    final FakeEngine engine = new FakeEngine(time);
    final FakeServer server = new FakeServer("db0", ServerRole.PRIMARY);
    final ClusterMonitor monitor = new ClusterMonitor(
            List.of(new MonitoredServer(0, "db0", List.of(), server)),
            engine,
            new MonitorSettings(
                    Duration.ofMillis(100), Duration.ofMillis(2), Duration.ofSeconds(1), 3, Duration.ofSeconds(30)),
            Safeguards.all(),
            time,
            () -> time.now(TimeUnit.NANOSECONDS),
            event -> {});
    final ServerPool pool = new ServerPool(
            "db0", server, engine, monitor, Safeguards.all(), Duration.ofSeconds(5), configuration -> {});

    ServerState state() {
        return new ServerState(
                0,
                "db0",
                List.of(),
                server.role,
                ServerStatus.UP,
                server.at(),
                server.identity(),
                time.now(TimeUnit.NANOSECONDS),
                false,
                null);
    }

    /** A lease of a connection that is in no pool: giving it back closes {@code pooled}. */
    Lease lease(FakeConnection driver, FakeConnection pooled) {
        return new Lease(
                pool,
                pool.generation(),
                state(),
                pooled,
                new PhysicalConnection(driver, server.introduction(), monitor.now(), 0, new OpenConnections()));
    }

    /** One that routes everything to this server. */
    Lender lender() {
        return lender(monitor.tables(), false);
    }

    Lender lender(TableRef tables, boolean strictLostWrites) {
        return new Lender(
                new Router(
                        server -> 0,
                        bound -> 0,
                        Safeguards.all(),
                        new Ejections(() -> 0),
                        () -> 0,
                        Duration.ZERO,
                        Router.Preferences.NONE),
                tables,
                List.of(pool),
                null,
                Safeguards.all(),
                new Retries(1, new RetryBudget(() -> 0)),
                Fixture.PATIENCE,
                new FallbackBudget(() -> 2, 256),
                monitor::now,
                strictLostWrites);
    }
}
