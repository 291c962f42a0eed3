package io.github.r2dbcrouting.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.fake.FakeEngine;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.test.scheduler.VirtualTimeScheduler;

/** When are the functions of the database looked up? */
class CatalogueRefreshTests {

    private static final Duration PERIOD = Duration.ofMinutes(1);

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final FakeEngine engine = new FakeEngine(time);
    private final FakeServer server = new FakeServer("db0", ServerRole.REPLICA);
    private final ClusterMonitor monitor = new ClusterMonitor(
            List.of(new MonitoredServer(0, "db0", List.of(), server)),
            engine,
            new MonitorSettings(
                    Duration.ofMillis(100), Duration.ofMillis(2), Duration.ofSeconds(1), 3, Duration.ofSeconds(30)),
            Safeguards.all(),
            time,
            () -> time.now(TimeUnit.NANOSECONDS),
            event -> {});

    @Test
    void looksThemUpAsSoonAsThereIsAPrimaryAndThenOnceInAPeriod() {
        monitor.start();
        monitor.learnFunctionsEvery(PERIOD);
        time.advanceTimeBy(Duration.ofSeconds(5));
        assertThat(engine.lookUps).hasValue(0);

        server.role = ServerRole.PRIMARY;
        time.advanceTimeBy(Duration.ofSeconds(1));

        assertThat(engine.lookUps).hasValue(1);
        time.advanceTimeBy(PERIOD.multipliedBy(3));
        assertThat(engine.lookUps).hasValue(4);
    }

    @Test
    void goesOnAfterALookUpThatFailsAndAfterOneWithoutAnAnswer() {
        server.role = ServerRole.PRIMARY;
        monitor.start();
        engine.looking = Mono.error(new IllegalStateException("refused"));
        monitor.learnFunctionsEvery(PERIOD);
        time.advanceTimeBy(Duration.ofSeconds(1));
        assertThat(engine.lookUps).hasValue(1);

        engine.looking = Mono.never();
        time.advanceTimeBy(PERIOD);
        assertThat(engine.lookUps).hasValue(2);
        time.advanceTimeBy(PERIOD.plusSeconds(2));

        assertThat(engine.lookUps).hasValue(3);
    }

    @Test
    void looksNothingUpUnlessItIsAskedTo() {
        server.role = ServerRole.PRIMARY;
        monitor.start();

        time.advanceTimeBy(PERIOD);

        assertThat(engine.lookUps).hasValue(0);
    }
}
