package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingListener;
import io.github.r2dbcrouting.fake.FakeResult;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.internal.routing.FallbackBudget;
import io.github.r2dbcrouting.internal.routing.Policies;
import io.github.r2dbcrouting.internal.routing.RetryBudget;
import io.github.r2dbcrouting.spi.ConnectionObserver;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import io.r2dbc.spi.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;

/** What does one who follows statements and transactions hear, and when, and how often? */
class FollowedUsesTests {

    private final R2dbcNonTransientResourceException lost = new R2dbcNonTransientResourceException("ended", "57P01");
    private final R2dbcNonTransientResourceException broken = new R2dbcNonTransientResourceException("no", "XX000");

    private final FakeCluster cluster = new FakeCluster(2);
    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final List<String> sentWithin = new CopyOnWriteArrayList<>();
    private final RoutedConnection connection = connection(this::following);

    private RoutedConnection connection(@Nullable ConnectionObserver observer) {
        return new RoutedConnection(
                cluster.lender(Policies.NONE, new RetryBudget(() -> 0), new FallbackBudget(() -> 2, 256)),
                cluster.engine,
                null,
                false,
                observer);
    }

    private ConnectionObserver.Use following(ConnectionObserver.Scope scope, Object context) {
        heard.add(scope + " begins");
        return new ConnectionObserver.Use() {
            @Override
            public Context within(Context around) {
                RoutingListener listener = decision -> heard.add("-> " + decision.server());
                return around.put("scope", scope.name()).put(RoutingListener.class, listener);
            }

            @Override
            public void ended(ConnectionObserver.End end, @Nullable Throwable error) {
                heard.add(end + (error == null ? "" : " " + error.getMessage()));
            }
        };
    }

    @BeforeEach
    void start() {
        cluster.start();
        cluster.servers.forEach(server -> brings(server, () -> Flux.just(FakeResult.of(FakeResult.row()))));
    }

    @AfterEach
    void closesOnceMore() {
        List<String> before = List.copyOf(heard);
        Blocking.run(connection.close());
        if (before.stream().anyMatch(line -> line.matches("[A-Z_]+( .*)?") && !line.endsWith("begins"))) {
            assertThat(heard).as("after everything had been told").isEqualTo(before);
        }
        cluster.assertNothingIsLent();
    }

    private void brings(FakeServer server, Supplier<Flux<Result>> results) {
        server.executing = sql -> FakeResult.statement(Flux.deferContextual(context -> {
            sentWithin.add(context.getOrDefault("scope", "nothing"));
            return results.get();
        }));
    }

    private Flux<Result> execute() {
        return Flux.<Result>from(connection.createStatement("SELECT f()").execute())
                .contextWrite(Routing.read());
    }

    private Flux<String> rows() {
        return execute().concatMap(result -> result.map(row -> "row"));
    }

    @Test
    void aStatementEndsWhenItsResultWasRead() {
        assertThat(Blocking.value(execute()
                        .doOnNext(result -> assertThat(heard).containsExactly("STATEMENT begins", "-> db1"))
                        .concatMap(result -> result.map(row -> "row"))
                        .doOnComplete(() -> assertThat(heard).hasSize(3))
                        .collectList()))
                .containsExactly("row");

        assertThat(heard).containsExactly("STATEMENT begins", "-> db1", "COMPLETED");
        assertThat(sentWithin).containsExactly("STATEMENT");
    }

    @Test
    void nothingBeginsBeforeItIsSubscribed() {
        Flux<String> unused = rows();

        assertThat(heard).isEmpty();
    }

    @Test
    void eachStatementOfAConnectionIsFollowedByItself() {
        Blocking.run(rows());
        Blocking.run(rows());

        assertThat(heard)
                .containsExactly("STATEMENT begins", "-> db1", "COMPLETED", "STATEMENT begins", "-> db1", "COMPLETED");
    }

    @Test
    void whatTheSubscriberDoesWithTheResultIsNotSentWithin() {
        List<String> seen = new ArrayList<>();

        Blocking.run(execute()
                .concatMap(result -> result.flatMap(segment -> Mono.deferContextual(context -> {
                    seen.add(context.getOrDefault("scope", "nothing"));
                    return Mono.just("row");
                }))));

        assertThat(seen).containsExactly("nothing");
        assertThat(heard).endsWith("COMPLETED");
    }

    @Test
    void anErrorEndsIt() {
        cluster.servers.forEach(server -> brings(server, () -> Flux.error(broken)));

        assertThatThrownBy(() -> Blocking.run(rows())).isEqualTo(broken);

        assertThat(heard).containsExactly("STATEMENT begins", "-> db1", "FAILED no");
    }

    @Test
    void anErrorInTheResultEndsIt() {
        cluster.servers.forEach(server -> brings(server, () -> Flux.just(FakeResult.of(FakeResult.error(broken)))));

        assertThatThrownBy(() -> Blocking.run(rows())).isEqualTo(broken);

        assertThat(heard).containsExactly("STATEMENT begins", "-> db1", "FAILED no");
    }

    @Test
    void aReadThatMovesOnIsOneAndHearsOfBothDecisions() {
        brings(cluster.servers.get(1), () -> Flux.just(FakeResult.of(FakeResult.error(lost))));

        assertThat(Blocking.value(rows().collectList())).containsExactly("row");

        assertThat(heard).containsExactly("STATEMENT begins", "-> db1", "-> db2", "COMPLETED");
        assertThat(sentWithin).containsExactly("STATEMENT", "STATEMENT");
    }

    @Test
    void aCancelOfTheExecutionEndsIt() {
        cluster.servers.forEach(server -> brings(server, Flux::never));
        Disposable running = rows().subscribe();
        assertThat(heard).containsExactly("STATEMENT begins", "-> db1");

        running.dispose();
        running.dispose();

        assertThat(heard).containsExactly("STATEMENT begins", "-> db1", "CANCELLED");
    }

    @Test
    void aCancelWhileRowsAreReadEndsIt() {
        cluster.servers.forEach(server -> brings(
                server,
                () -> Flux.just(new FakeResult(Flux.just(FakeResult.row()).concatWith(Flux.never())))));

        assertThat(rows().blockFirst()).isEqualTo("row");

        assertThat(heard).containsExactly("STATEMENT begins", "-> db1", "CANCELLED");
    }

    @Test
    void whoeverHasTheOneResultMayCancelTheRest() {
        cluster.servers.forEach(server ->
                brings(server, () -> Flux.just(FakeResult.of(FakeResult.row())).concatWith(Flux.never())));

        Blocking.run(Mono.from(connection.createStatement("SELECT f()").execute())
                .flatMap(result -> Mono.from(result.getRowsUpdated()))
                .contextWrite(Routing.read()));

        // Mono.flatMap is content with the number, which comes before the end
        await().untilAsserted(() -> assertThat(heard).containsExactly("STATEMENT begins", "-> db1", "COMPLETED"));
    }

    @Test
    void aResultThatNobodyReadsEndsItWithTheConnection() {
        Blocking.run(execute());
        assertThat(heard).containsExactly("STATEMENT begins", "-> db1");

        Blocking.run(connection.close());

        assertThat(heard).containsExactly("STATEMENT begins", "-> db1", "COMPLETED");
    }

    @Test
    void closingTheConnectionEndsWhatStillRuns() {
        cluster.servers.forEach(server -> brings(server, Flux::never));
        Disposable running = rows().subscribe();
        await().until(() -> !sentWithin.isEmpty());

        Blocking.run(connection.close().and(Mono.fromRunnable(running::dispose)));

        assertThat(heard).containsExactly("STATEMENT begins", "-> db1", "CANCELLED");
    }

    @Test
    void aTransactionIsOneWithItsStatements() {
        Blocking.run(connection.beginTransaction());
        Blocking.run(rows());
        Blocking.run(rows());
        Blocking.run(connection.commitTransaction());

        assertThat(heard).containsExactly("TRANSACTION begins", "-> db0", "COMPLETED");
        assertThat(sentWithin).containsExactly("TRANSACTION", "TRANSACTION");
    }

    @Test
    void afterATransactionStatementsAreFollowedAgain() {
        Blocking.run(connection.beginTransaction());
        Blocking.run(connection.rollbackTransaction());
        Blocking.run(rows());

        assertThat(heard)
                .containsExactly(
                        "TRANSACTION begins", "-> db0", "ROLLED_BACK", "STATEMENT begins", "-> db1", "COMPLETED");
    }

    @Test
    void aTransactionThatIsLeftOpenEndsWithItsConnection() {
        Blocking.run(connection.beginTransaction());
        assertThat(heard).containsExactly("TRANSACTION begins", "-> db0");

        Blocking.run(connection.close());

        assertThat(heard).containsExactly("TRANSACTION begins", "-> db0", "ROLLED_BACK");
    }

    @Test
    void aTransactionForWhichNoConnectionIsHadFails() {
        cluster.servers.get(0).refusing = broken;

        assertThatThrownBy(() -> Blocking.run(connection.beginTransaction())).isEqualTo(broken);

        assertThat(heard).containsExactly("TRANSACTION begins", "-> db0", "FAILED no");
    }

    @Test
    void aBeginThatIsCancelledEndsIt() {
        // another thread opens the connection, and is not answered
        cluster.engine.latency = Duration.ofMinutes(1);
        Disposable running = Mono.from(connection.beginTransaction()).subscribe();
        assertThat(heard).containsExactly("TRANSACTION begins", "-> db0");

        running.dispose();

        assertThat(heard).containsExactly("TRANSACTION begins", "-> db0", "CANCELLED");
        cluster.engine.latency = Duration.ZERO;
    }

    @Test
    void aSecondBeginFollowsNothing() {
        Blocking.run(connection.beginTransaction());
        Blocking.run(connection.beginTransaction());
        Blocking.run(connection.commitTransaction());

        assertThat(heard).containsExactly("TRANSACTION begins", "-> db0", "COMPLETED");
    }

    @Test
    void whoeverDoesNotWantToFollowHearsNothing() {
        RoutedConnection unfollowed = connection((scope, context) -> null);

        Blocking.run(Flux.from(unfollowed.createStatement("SELECT f()").execute())
                .concatMap(Result::getRowsUpdated)
                .contextWrite(Routing.read()));
        Blocking.run(unfollowed.beginTransaction());
        Blocking.run(unfollowed.commitTransaction());
        Blocking.run(unfollowed.close());

        assertThat(sentWithin).containsExactly("nothing");
    }

    @Test
    void anObserverThatFailsDisturbsNobody() {
        RoutedConnection disturbed = connection((scope, context) -> {
            throw new IllegalStateException("at the beginning");
        });
        Blocking.run(disturbed.beginTransaction());
        Blocking.run(disturbed.close());

        RoutedConnection alsoDisturbed = connection((scope, context) -> new ConnectionObserver.Use() {
            @Override
            public Context within(Context around) {
                throw new IllegalStateException("in between");
            }

            @Override
            public void ended(ConnectionObserver.End end, @Nullable Throwable error) {
                throw new IllegalStateException("at the end");
            }
        });
        Blocking.run(Flux.from(alsoDisturbed.createStatement("SELECT f()").execute())
                .concatMap(Result::getRowsUpdated)
                .contextWrite(Routing.read()));
        Blocking.run(alsoDisturbed.close());
    }
}
