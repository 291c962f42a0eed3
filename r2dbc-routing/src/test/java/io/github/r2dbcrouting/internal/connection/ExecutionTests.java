package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.fake.FakeEngine;
import io.github.r2dbcrouting.fake.FakeResult;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.internal.monitor.ClusterMonitor;
import io.github.r2dbcrouting.internal.monitor.MonitorSettings;
import io.github.r2dbcrouting.internal.monitor.MonitoredServer;
import io.github.r2dbcrouting.internal.routing.Ejections;
import io.github.r2dbcrouting.internal.routing.FallbackBudget;
import io.github.r2dbcrouting.internal.routing.RetryBudget;
import io.github.r2dbcrouting.internal.routing.Router;
import io.github.r2dbcrouting.internal.safeguard.Safeguards;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import io.r2dbc.spi.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Publisher;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.test.scheduler.VirtualTimeScheduler;

class ExecutionTests {

    private final R2dbcException lost = new R2dbcNonTransientResourceException("ended", "57P01");
    private final R2dbcException refused = new R2dbcNonTransientResourceException("read-only", "25006");

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final FakeEngine engine = new FakeEngine(time);
    private final List<FakeServer> servers = List.of(
            new FakeServer("db0", ServerRole.PRIMARY),
            new FakeServer("db1", ServerRole.REPLICA),
            new FakeServer("db2", ServerRole.REPLICA));
    private final ClusterMonitor monitor = new ClusterMonitor(
            servers.stream()
                    .map(server -> new MonitoredServer(servers.indexOf(server), server.name(), List.of(), server))
                    .toList(),
            engine,
            new MonitorSettings(
                    Duration.ofMillis(100), Duration.ofMillis(2), Duration.ofSeconds(1), 3, Duration.ofSeconds(30)),
            Safeguards.all(),
            time,
            () -> time.now(TimeUnit.NANOSECONDS),
            event -> {});
    private final List<ServerPool> pools = servers.stream()
            .map(server -> new ServerPool(
                    server.name(),
                    server,
                    engine,
                    monitor,
                    Safeguards.all(),
                    Duration.ofSeconds(5),
                    configuration -> {}))
            .toList();
    private final Ejections ejections = new Ejections(() -> 0);
    private final RetryBudget budget = new RetryBudget(() -> 0);
    private final List<String> ranOn = new ArrayList<>();

    @BeforeEach
    void start() {
        monitor.start();
        time.advanceTimeBy(Duration.ofSeconds(1));
        assertThat(monitor.tables().current().replicas()).hasSize(2);
        for (FakeServer server : servers) {
            brings(server, () -> Flux.just(FakeResult.of(FakeResult.row())));
        }
    }

    @Test
    void movesOnWhenTheErrorIsInTheResult() {
        brings(servers.get(1), () -> Flux.just(FakeResult.of(FakeResult.error(lost))));

        assertThat(read(result -> result.map(row -> "row"))).containsExactly("row");

        assertThat(ranOn).containsExactly("db1", "db2");
        assertNothingIsLent();
    }

    @Test
    void movesOnWhenTheExecutionFails() {
        brings(servers.get(1), () -> Flux.error(lost));

        assertThat(read(result -> result.map(row -> "row"))).containsExactly("row");

        assertThat(ranOn).containsExactly("db1", "db2");
        assertNothingIsLent();
    }

    @Test
    void movesOnWhenBothFail() {
        brings(
                servers.get(1),
                () -> Flux.<Result>just(FakeResult.of(FakeResult.error(lost))).concatWith(Flux.error(lost)));

        assertThat(read(result -> result.map(row -> "row"))).containsExactly("row");

        assertThat(ranOn).containsExactly("db1", "db2");
        assertNothingIsLent();
    }

    @Test
    void showsNoErrorSegmentBeforeItMovesOn() {
        brings(servers.get(1), () -> Flux.just(FakeResult.of(FakeResult.error(lost))));
        List<Result.Segment> shown = new ArrayList<>();

        assertThat(read(result -> result.filter(segment -> segment instanceof Result.RowSegment)
                        .flatMap(segment -> {
                            shown.add(segment);
                            return Flux.just("segment");
                        })))
                .containsExactly("segment");

        assertThat(shown).hasSize(1).allMatch(segment -> segment instanceof Result.RowSegment);
        assertNothingIsLent();
    }

    @Test
    void staysOnceARowWasSeen() {
        brings(servers.get(1), () -> Flux.just(FakeResult.of(FakeResult.row(), FakeResult.error(lost))));

        assertThatThrownBy(() -> read(result -> result.map(row -> "row"))).isSameAs(lost);

        assertThat(ranOn).containsExactly("db1");
        assertNothingIsLent();
    }

    @Test
    void movesOnceOnly() {
        brings(servers.get(1), () -> Flux.error(lost));
        brings(servers.get(2), () -> Flux.error(lost));

        assertThatThrownBy(() -> read(result -> result.map(row -> "row"))).isSameAs(lost);

        assertThat(ranOn).containsExactly("db1", "db2");
        assertNothingIsLent();
    }

    @Test
    void staysWhereTheBudgetIsSpent() {
        while (budget.take()) {
            assertThat(ranOn).isEmpty();
        }
        brings(servers.get(1), () -> Flux.error(lost));

        assertThatThrownBy(() -> read(result -> result.map(row -> "row"))).isSameAs(lost);

        assertThat(ranOn).containsExactly("db1");
    }

    @Test
    void runsOnThePrimaryWhatAReplicaRefuses() {
        brings(servers.get(1), () -> Flux.just(FakeResult.of(FakeResult.error(refused))));

        assertThat(read(result -> result.map(row -> "row"))).containsExactly("row");

        assertThat(ranOn).containsExactly("db1", "db0");
        assertThat(read(result -> result.map(row -> "row"))).containsExactly("row");
        assertThat(ranOn).containsExactly("db1", "db0", "db0");
        assertNothingIsLent();
    }

    @Test
    void repeatsNothingOnThePrimary() {
        brings(servers.get(0), () -> Flux.error(lost));

        assertThatThrownBy(() -> run(result -> result.map(row -> "row"), Routing.write()))
                .isSameAs(lost);

        assertThat(ranOn).containsExactly("db0");
        assertNothingIsLent();
    }

    @Test
    void ejectsAReplicaThatKeepsFailing() {
        brings(servers.get(1), () -> Flux.error(lost));

        for (int round = 0; round < Ejections.FAILURES; round++) {
            assertThat(read(result -> result.map(row -> "row"))).containsExactly("row");
        }

        assertThat(ejections.ejected(1)).isTrue();
        ranOn.clear();
        assertThat(read(result -> result.map(row -> "row"))).containsExactly("row");
        assertThat(ranOn).containsExactly("db2");
    }

    @Test
    void givesBothConnectionsBackWhenItIsCancelledOnItsSecondServer() {
        brings(servers.get(1), () -> Flux.error(lost));
        brings(servers.get(2), () -> Flux.never());
        Disposable running =
                flux(result -> result.map(row -> "row"), Routing.read()).subscribe();
        await().untilAsserted(() -> assertThat(ranOn).containsExactly("db1", "db2"));

        running.dispose();

        assertNothingIsLent();
    }

    private void brings(FakeServer server, Supplier<Flux<Result>> results) {
        server.executing = sql -> FakeResult.statement(Flux.defer(() -> {
            ranOn.add(server.name());
            return results.get();
        }));
    }

    private List<String> read(Function<Result, Publisher<String>> consumption) {
        return run(consumption, Routing.read());
    }

    private List<String> run(Function<Result, Publisher<String>> consumption, Routing entry) {
        return Blocking.value(flux(consumption, entry).collectList());
    }

    private Flux<String> flux(Function<Result, Publisher<String>> consumption, Routing entry) {
        Lender lender = new Lender(
                new Router(server -> 0, bound -> 0, Safeguards.all(), ejections, () -> 0, Duration.ZERO),
                monitor.tables(),
                pools,
                null,
                Safeguards.all(),
                new Retries(1, budget),
                Fixture.PATIENCE,
                new FallbackBudget(() -> 2, 256),
                monitor::now,
                false);
        return Flux.usingWhen(
                        Mono.fromSupplier(() -> new RoutedConnection(lender, engine, null, false)),
                        connection -> Flux.from(
                                        connection.createStatement("SELECT f()").execute())
                                .concatMap(consumption),
                        RoutedConnection::close)
                .contextWrite(entry);
    }

    private void assertNothingIsLent() {
        for (ServerPool pool : pools) {
            await().untilAsserted(() -> assertThat(pool.inFlight()).isZero());
        }
    }
}
