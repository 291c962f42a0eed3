package io.github.r2dbcrouting.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.RoutingEvent;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.fake.FakeEngine;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.internal.monitor.MonitoredServer.Service;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import reactor.test.scheduler.VirtualTimeScheduler;

/** Servers come, go and change under the monitor. */
class ReconfigurationTests {

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final FakeEngine engine = new FakeEngine(time);
    private final FakeServer primary = new FakeServer("db0", ServerRole.PRIMARY);
    private final FakeServer one = new FakeServer("db1", ServerRole.REPLICA);
    private final FakeServer other = new FakeServer("db2", ServerRole.REPLICA);
    private final List<RoutingEvent> events = new ArrayList<>();
    private final ClusterMonitor monitor = new ClusterMonitor(
            List.of(server(0, primary, Service.IN_USE), server(1, one, Service.IN_USE)),
            engine,
            new MonitorSettings(
                    Duration.ofMillis(100), Duration.ofMillis(2), Duration.ofSeconds(1), 3, Duration.ofSeconds(30)),
            Safeguards.all(),
            time,
            () -> time.now(TimeUnit.NANOSECONDS),
            events::add);

    private static MonitoredServer server(int index, FakeServer server, Service service, String... tags) {
        return new MonitoredServer(index, server.name(), List.of(tags), server, 1, service);
    }

    private void start() {
        monitor.start();
        time.advanceTimeBy(Duration.ofMillis(200));
        events.clear();
    }

    private void change(MonitoredServer server) {
        assertThat(Blocking.value(monitor.reconfigure(servers -> servers.replace(server))))
                .isTrue();
    }

    private ServerState state(int index) {
        return monitor.tables().current().servers().get(index);
    }

    @Test
    void asksAServerThatIsAddedAtOnce() {
        start();

        Blocking.run(monitor.reconfigure(servers -> servers.add(server(2, other, Service.IN_USE, "eu"))));

        assertThat(other.opened()).hasSize(1);
        assertThat(monitor.tables().current().replicas())
                .extracting(ServerState::name)
                .containsExactly("db1", "db2");
        assertThat(state(2).tags()).containsExactly("eu");
        assertThat(events).contains(new RoutingEvent.ServerAdded("db2"));
    }

    @Test
    void neitherAsksNorListsAServerThatIsRemoved() {
        start();

        change(server(1, one, Service.REMOVED));
        engine.forget();
        time.advanceTimeBy(Duration.ofSeconds(5));

        assertThat(one.stillOpen()).isZero();
        assertThat(engine.count(one, FakeEngine.Kind.OBSERVE)).isZero();
        assertThat(state(1).status()).isEqualTo(ServerStatus.REMOVED);
        assertThat(monitor.tables().current().replicas()).isEmpty();
        assertThat(monitor.tables().current().toString()).doesNotContain("db1");
        assertThat(monitor.tables().current().complete()).isTrue();
        assertThat(events).containsOnlyOnce(new RoutingEvent.ServerRemoved("db1"));
    }

    @Test
    void keepsOneThatIsRemovedWhileItIsConnectedToOutOfEverything() {
        one.opening =
                reactor.core.publisher.Mono.delay(Duration.ofMillis(300), time).then();
        start();

        change(server(1, one, Service.REMOVED));
        time.advanceTimeBy(Duration.ofSeconds(2));

        assertThat(one.stillOpen()).isZero();
        assertThat(state(1).status()).isEqualTo(ServerStatus.REMOVED);
    }

    @Test
    void knowsWhatAServerSaidBeforeItWasTaggedAnew() {
        start();

        change(server(1, one, Service.IN_USE, "near"));

        assertThat(state(1).tags()).containsExactly("near");
        assertThat(state(1).readable()).isTrue();
        assertThat(one.opened()).hasSize(1);
        assertThat(events).containsExactly(new RoutingEvent.ServerReconfigured("db1", List.of("near"), 1));
    }

    @Test
    void asksADisabledReplicaAndReadsNothingFromIt() {
        start();

        change(server(1, one, Service.DISABLED));
        one.position = 0x1000;
        time.advanceTimeBy(Duration.ofSeconds(1));

        assertThat(state(1).status()).isEqualTo(ServerStatus.DISABLED);
        assertThat(state(1).readable()).isFalse();
        assertThat(one.stillOpen()).isEqualTo(1);

        change(server(1, one, Service.IN_USE));
        assertThat(state(1).readable()).isTrue();
    }

    @Test
    void letsADisabledPrimaryLead() {
        start();

        change(server(0, primary, Service.DISABLED));

        assertThat(monitor.tables().current().primary()).map(ServerState::name).contains("db0");
    }

    @Test
    void followsTheSamePrimaryUnderAnotherIndexOnTheSameLine() {
        start();
        var line = monitor.tables().current().lineage();

        Blocking.run(monitor.reconfigure(servers -> {
            servers.replace(server(0, primary, Service.REMOVED));
            servers.add(server(2, primary, Service.IN_USE));
        }));
        time.advanceTimeBy(Duration.ofMillis(200));

        assertThat(monitor.tables().current().primary()).map(ServerState::index).contains(2);
        assertThat(monitor.tables().current().lineage()).isEqualTo(line);
        assertThat(state(1).readable()).isTrue();
    }

    @Test
    void staysWithTheClusterWhateverIsAdded() {
        FakeServer foreign = new FakeServer("foreign", ServerRole.PRIMARY);
        foreign.cluster = "8";
        foreign.timeline = 9;
        start();

        Blocking.run(monitor.reconfigure(servers -> servers.add(server(2, foreign, Service.IN_USE))));
        Blocking.run(monitor.reconfigure(servers -> servers.replace(server(1, one, Service.REMOVED))));
        time.advanceTimeBy(Duration.ofSeconds(1));

        assertThat(monitor.tables().current().cluster()).isEqualTo("7");
        assertThat(state(2).status()).isEqualTo(ServerStatus.REFUSED);
        assertThat(monitor.tables().current().primary()).map(ServerState::name).contains("db0");
    }

    @Test
    void publishesNothingBeforeTheFirstUse() {
        change(server(1, one, Service.REMOVED));

        assertThat(monitor.tables().current().version()).isZero();
        start();
        assertThat(one.opened()).isEmpty();
    }

    @Test
    void handsOnWhatAChangeFailsWith() {
        start();

        assertThatThrownBy(() -> Blocking.run(monitor.reconfigure(servers -> {
                    throw new IllegalArgumentException("no such server");
                })))
                .hasMessageContaining("no such server");
    }

    @Test
    void asksThePrimaryAndWithoutOneAReplica() {
        start();
        assertThat(asked()).isEqualTo("db0");

        change(server(0, primary, Service.REMOVED));
        assertThat(asked()).isEqualTo("db1");

        change(server(1, one, Service.DISABLED));
        assertThat(asked()).isEqualTo("db1");
    }

    private String asked() {
        return Blocking.value(monitor.ask(
                connection -> reactor.core.publisher.Mono.just(((io.github.r2dbcrouting.fake.FakeConnection) connection)
                        .server()
                        .name())));
    }
}
