package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.fake.FakeResult;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.internal.routing.Ejections;
import io.github.r2dbcrouting.internal.routing.FallbackBudget;
import io.github.r2dbcrouting.internal.routing.Policies;
import io.github.r2dbcrouting.internal.routing.RetryBudget;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import io.r2dbc.spi.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Publisher;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

class ExecutionTests {

    private final R2dbcException lost = new R2dbcNonTransientResourceException("ended", "57P01");
    private final R2dbcException refused = new R2dbcNonTransientResourceException("read-only", "25006");

    private final FakeCluster cluster = new FakeCluster(2);
    private final List<FakeServer> servers = cluster.servers;
    private final RetryBudget budget = new RetryBudget(() -> 0);
    private final List<String> ranOn = new ArrayList<>();

    @BeforeEach
    void start() {
        cluster.start();
        for (FakeServer server : servers) {
            brings(server, () -> Flux.just(FakeResult.of(FakeResult.row())));
        }
    }

    @Test
    void movesOnWhenTheErrorIsInTheResult() {
        brings(servers.get(1), () -> Flux.just(FakeResult.of(FakeResult.error(lost))));

        assertThat(read(result -> result.map(row -> "row"))).containsExactly("row");

        assertThat(ranOn).containsExactly("db1", "db2");
        cluster.assertNothingIsLent();
    }

    @Test
    void movesOnWhenTheExecutionFails() {
        brings(servers.get(1), () -> Flux.error(lost));

        assertThat(read(result -> result.map(row -> "row"))).containsExactly("row");

        assertThat(ranOn).containsExactly("db1", "db2");
        cluster.assertNothingIsLent();
    }

    @Test
    void movesOnWhenBothFail() {
        brings(
                servers.get(1),
                () -> Flux.<Result>just(FakeResult.of(FakeResult.error(lost))).concatWith(Flux.error(lost)));

        assertThat(read(result -> result.map(row -> "row"))).containsExactly("row");

        assertThat(ranOn).containsExactly("db1", "db2");
        cluster.assertNothingIsLent();
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
        cluster.assertNothingIsLent();
    }

    @Test
    void staysOnceARowWasSeen() {
        brings(servers.get(1), () -> Flux.just(FakeResult.of(FakeResult.row(), FakeResult.error(lost))));

        assertThatThrownBy(() -> read(result -> result.map(row -> "row"))).isSameAs(lost);

        assertThat(ranOn).containsExactly("db1");
        cluster.assertNothingIsLent();
    }

    @Test
    void movesOnceOnly() {
        brings(servers.get(1), () -> Flux.error(lost));
        brings(servers.get(2), () -> Flux.error(lost));

        assertThatThrownBy(() -> read(result -> result.map(row -> "row"))).isSameAs(lost);

        assertThat(ranOn).containsExactly("db1", "db2");
        cluster.assertNothingIsLent();
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
        cluster.assertNothingIsLent();
    }

    @Test
    void repeatsNothingOnThePrimary() {
        brings(servers.get(0), () -> Flux.error(lost));

        assertThatThrownBy(() -> run(result -> result.map(row -> "row"), Routing.write()))
                .isSameAs(lost);

        assertThat(ranOn).containsExactly("db0");
        cluster.assertNothingIsLent();
    }

    @Test
    void ejectsAReplicaThatKeepsFailing() {
        brings(servers.get(1), () -> Flux.error(lost));

        for (int round = 0; round < Ejections.FAILURES; round++) {
            assertThat(read(result -> result.map(row -> "row"))).containsExactly("row");
        }

        assertThat(cluster.ejections.ejected(1)).isTrue();
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

        cluster.assertNothingIsLent();
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
        Lender lender = cluster.lender(Policies.NONE, budget, new FallbackBudget(() -> 2, 256));
        return Flux.usingWhen(
                        Mono.fromSupplier(() -> new RoutedConnection(lender, cluster.engine, null, false, null)),
                        connection -> Flux.from(
                                        connection.createStatement("SELECT f()").execute())
                                .concatMap(consumption),
                        RoutedConnection::close)
                .contextWrite(entry);
    }
}
