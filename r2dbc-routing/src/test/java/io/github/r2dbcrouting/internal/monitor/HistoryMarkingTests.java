package io.github.r2dbcrouting.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.fake.FakeEngine;
import io.github.r2dbcrouting.fake.FakeEngine.Kind;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.test.scheduler.VirtualTimeScheduler;

/** The monitor writes a mark to the history of who was promoted, and searches those of the replicas for it. */
class HistoryMarkingTests {

    private static final MonitorSettings SETTINGS = new MonitorSettings(
            Duration.ofMillis(100), Duration.ofMillis(2), Duration.ofSeconds(1), 3, Duration.ofSeconds(30));

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final FakeEngine engine = new FakeEngine(time);
    private final FakeServer old = new FakeServer("db0", ServerRole.PRIMARY);
    private final FakeServer promoted = new FakeServer("db1", ServerRole.REPLICA);
    private final FakeServer other = new FakeServer("db2", ServerRole.REPLICA);
    private ClusterMonitor monitor;

    @BeforeEach
    void start() {
        engine.marks = true;
        List<MonitoredServer> servers = new ArrayList<>();
        for (FakeServer server : List.of(old, promoted, other)) {
            servers.add(new MonitoredServer(servers.size(), server.name(), List.of(), server));
        }
        monitor = new ClusterMonitor(
                servers, engine, SETTINGS, Safeguards.all(), time, () -> time.now(TimeUnit.NANOSECONDS), event -> {});
        monitor.start();
        pass(200);
    }

    @Test
    void leavesTheFirstBranchAlone() {
        pass(10_000);

        assertThat(engine.count(old, Kind.MARK)).isZero();
        assertThat(engine.count(other, Kind.SEARCH)).isZero();
        assertThat(state(2).position()).isNotNull();
    }

    @Test
    void readsNothingFromAReplicaBeforeItHasTheMarkAndAllAfterwards() {
        promote();
        pass(500);
        assertThat(engine.count(promoted, Kind.MARK)).isEqualTo(1);
        assertThat(engine.count(other, Kind.SEARCH))
                .as("before it has come so far")
                .isZero();
        assertThat(state(2).position()).isNull();
        assertThat(state(2).tooFarBehind()).isTrue();

        catchUp();
        pass(100);
        assertThat(state(2).position()).isEqualTo(other.at());
        assertThat(state(2).tooFarBehind()).isFalse();

        pass(10_000);
        assertThat(engine.count(promoted, Kind.MARK)).isEqualTo(1);
        assertThat(engine.count(other, Kind.SEARCH)).isEqualTo(1);
    }

    @Test
    void refusesAReplicaThatHasComeSoFarElsewhere() {
        promote();
        pass(500);
        other.advance(0x1000);
        pass(100);

        assertThat(state(2).status()).isEqualTo(ServerStatus.REFUSED);
        assertThat(state(2).problem()).contains("went another way");
    }

    @Test
    void asksEachNewConnectionOnce() {
        promote();
        pass(500);
        catchUp();
        pass(100);
        other.refusing = new IllegalStateException("for a moment");
        engine.failing = new IllegalStateException("for a moment");
        pass(150);
        other.refusing = null;
        engine.failing = null;
        pass(2_000);

        assertThat(engine.count(other, Kind.SEARCH)).isEqualTo(2);
        assertThat(engine.count(promoted, Kind.MARK)).isEqualTo(1);
        assertThat(state(2).position()).isEqualTo(other.at());
    }

    @Test
    void writesAnotherMarkForWhoHasForgottenTheTimeOfTheFirst() {
        promote();
        pass(500);
        engine.marksForgotten = true;
        catchUp();
        pass(10);
        assertThat(engine.count(promoted, Kind.MARK)).isEqualTo(2);
        assertThat(state(2).position()).isNull();

        engine.marksForgotten = false;
        catchUp();
        pass(200);
        assertThat(state(2).position()).isEqualTo(other.at());
        assertThat(engine.count(promoted, Kind.MARK)).isEqualTo(2);
    }

    @Test
    void takesReplicasAtTheirWordWhereNothingCanBeMarked() {
        engine.marks = false;
        promote();
        pass(500);

        assertThat(state(2).position()).isEqualTo(other.at());
        assertThat(state(2).tooFarBehind()).isFalse();
    }

    private void promote() {
        old.refusing = new IllegalStateException("is gone");
        old.opened().forEach(connection -> connection.server().role = ServerRole.REPLICA);
        promoted.role = ServerRole.PRIMARY;
        promoted.timeline = 2;
        other.timeline = 2;
    }

    /** Replays all that the promoted server has written. */
    private void catchUp() {
        other.marks.addAll(promoted.marks);
        other.position = promoted.position;
        other.written = promoted.written;
    }

    private void pass(int millis) {
        time.advanceTimeBy(Duration.ofMillis(millis));
    }

    private ServerState state(int server) {
        return monitor.tables().current().servers().get(server);
    }
}
