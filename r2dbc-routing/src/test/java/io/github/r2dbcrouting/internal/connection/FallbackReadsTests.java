package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.NoEligibleServerException;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.WhenBehind;
import io.github.r2dbcrouting.fake.FakeResult;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.internal.routing.FallbackBudget;
import io.github.r2dbcrouting.internal.routing.Policies;
import io.github.r2dbcrouting.internal.routing.RetryBudget;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.r2dbc.spi.Option;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.TransactionDefinition;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/** When does a read that fell back to the primary make room for the next? */
class FallbackReadsTests {

    private final FakeCluster cluster = new FakeCluster(1);
    private final FallbackBudget budget = new FallbackBudget(() -> 1, 0);
    private final RoutedConnection connection = new RoutedConnection(
            cluster.lender(Policies.NONE, new RetryBudget(() -> 0), budget), cluster.engine, null, false, null);
    private final CausalSession session = CausalSession.create();

    @BeforeEach
    void behind() {
        cluster.start();
        // the primary has it, the replica has not
        cluster.servers.get(0).position = 0x3000;
        cluster.passes();
        session.observe(CausalToken.of(List.of(new WalPosition("7", 1, 0x2000))));
        brings(Flux.just(FakeResult.of(FakeResult.row())));
    }

    @AfterEach
    void nothingIsLeft() {
        Blocking.run(connection.close());
        await().untilAsserted(() -> assertThat(budget.inUse()).isZero());
        cluster.assertNothingIsLent();
        assertThat(cluster.monitor.tables().watch().size()).isZero();
    }

    @Test
    void makesRoomWhenItsResultWasRead() {
        assertThat(Blocking.value(execute()
                        .doOnNext(result -> assertThat(budget.inUse()).isEqualTo(1))
                        .concatMap(result -> result.map(row -> "row"))
                        .collectList()
                        .contextWrite(context(WhenBehind.PRIMARY))))
                .containsExactly("row");

        assertThat(budget.inUse()).isZero();
    }

    @Test
    void makesRoomWhenItFails() {
        brings(Flux.error(new R2dbcNonTransientResourceException("broken", "XX000")));

        assertThatThrownBy(() -> Blocking.run(
                        execute().concatMap(Result::getRowsUpdated).contextWrite(context(WhenBehind.PRIMARY))))
                .hasMessageContaining("broken");

        assertThat(budget.inUse()).isZero();
    }

    @Test
    void makesRoomOnlyOnceTheConnectionIsBackIfItIsCancelled() {
        brings(Flux.never());
        Disposable read = execute()
                .concatMap(Result::getRowsUpdated)
                .contextWrite(context(WhenBehind.PRIMARY))
                .subscribe(ignored -> {}, error -> {});
        await().until(() -> budget.inUse() == 1);

        read.dispose();

        assertThat(budget.inUse()).as("the server may still be reading").isEqualTo(1);
        Blocking.run(connection.close());
        await().untilAsserted(() -> assertThat(budget.inUse()).isZero());
    }

    @Test
    void makesRoomWithTheConnectionIfItsResultIsNotConsumed() {
        Blocking.run(execute().contextWrite(context(WhenBehind.PRIMARY)));

        Blocking.run(connection.close());

        await().untilAsserted(() -> assertThat(budget.inUse()).isZero());
    }

    @Test
    void makesRoomOnlyOnceItHasEndedIfTheConnectionIsClosedBefore() {
        Sinks.Empty<Result> ending = Sinks.empty();
        brings(ending.asMono().flux());
        var unused = execute().contextWrite(context(WhenBehind.PRIMARY)).subscribe(ignored -> {}, error -> {});
        await().until(() -> budget.inUse() == 1);
        var closing = connection.close().toFuture();
        assertThat(budget.inUse()).isEqualTo(1);

        ending.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);

        await().untilAsserted(() -> assertThat(closing).isCompleted());
        assertThat(budget.inUse()).isZero();
    }

    @Test
    void keepsItsPlaceUntilItsTransactionIsOver() {
        Blocking.run(Mono.from(connection.beginTransaction(readOnly())).contextWrite(context(WhenBehind.PRIMARY)));
        Blocking.run(execute().concatMap(Result::getRowsUpdated).contextWrite(context(WhenBehind.PRIMARY)));
        assertThat(budget.inUse()).isEqualTo(1);

        Blocking.run(connection.commitTransaction());

        assertThat(budget.inUse()).isZero();
    }

    @Test
    void takesNoPlaceWhereItNeedsNone() {
        for (Routing entry : List.of(
                Routing.write(),
                Routing.read().freshness(Freshness.latest()),
                Routing.read().freshness(Freshness.any()))) {
            Blocking.run(execute()
                    .doOnNext(result -> assertThat(budget.inUse()).isZero())
                    .concatMap(Result::getRowsUpdated)
                    .contextWrite(entry)
                    .contextWrite(Routing.session(session)));
        }
    }

    @Test
    void asksForNoPlaceWhereItMustFailAtOnce() {
        assertThatThrownBy(() -> Blocking.run(execute().contextWrite(context(WhenBehind.FAIL))))
                .isInstanceOf(NoEligibleServerException.class)
                .hasMessageContaining("at once")
                .hasMessageContaining("0 of 1 reads that replicas should serve are with the primary");
    }

    private void brings(Flux<Result> results) {
        for (FakeServer server : cluster.servers) {
            server.executing = sql -> FakeResult.statement(results);
        }
    }

    private Flux<? extends Result> execute() {
        return Flux.from(connection.createStatement("SELECT f()").execute());
    }

    private ContextView context(WhenBehind whenBehind) {
        return Routing.session(session)
                .apply(Routing.read().whenBehind(whenBehind).apply(Context.empty()));
    }

    private static TransactionDefinition readOnly() {
        return new TransactionDefinition() {
            @Override
            public <T> T getAttribute(Option<T> option) {
                return option.equals(TransactionDefinition.READ_ONLY) ? option.cast(true) : null;
            }
        };
    }
}
