package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.fake.FakeResult;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.internal.routing.FallbackBudget;
import io.github.r2dbcrouting.internal.routing.Policies;
import io.github.r2dbcrouting.internal.routing.RetryBudget;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Statement;
import io.r2dbc.spi.ValidationDepth;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Publisher;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Is a connection drained before it is lent again where what was sent on it may go on, and only there? */
class CancelledStatementTests {

    private static final String AT_ONCE = "SELECT 1";
    private static final String SEVERAL = "SELECT 1; SELECT 2";
    private static final String WITH_ITS_RESULT = "SELECT $1";

    private final FakeCluster cluster = new FakeCluster(1);
    private final FakeServer primary = cluster.servers.get(0);
    private final FakeServer replica = cluster.servers.get(1);
    private final AtomicBoolean awaited = new AtomicBoolean();

    @BeforeEach
    void start() {
        cluster.start();
    }

    @ParameterizedTest
    @ValueSource(strings = {AT_ONCE, SEVERAL, WITH_ITS_RESULT})
    void isDrainedIfThereWasNoResult(String sql) {
        brings(primary, silence());

        cancel(rows(sql));

        assertDrainedAndKept(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {AT_ONCE, SEVERAL, WITH_ITS_RESULT})
    void isDrainedIfTheResultHadBroughtNothing(String sql) {
        brings(primary, Flux.just(new FakeResult(silence())));

        cancel(rows(sql));

        assertDrainedAndKept(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {AT_ONCE, WITH_ITS_RESULT})
    void isDrainedIfTheNumberOfRowsWasNotKnown(String sql) {
        brings(primary, Flux.just(new FakeResult(silence())));

        cancel(each(sql, Result::getRowsUpdated));

        assertDrainedAndKept(1);
    }

    @Test
    void isDrainedIfAnotherResultWasToFollow() {
        brings(primary, Flux.just(FakeResult.of(FakeResult.row()), new FakeResult(Flux.never())));

        Blocking.run(rows(SEVERAL).take(1));

        assertDrainedAndKept(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {AT_ONCE, WITH_ITS_RESULT})
    void isDrainedOnAReplicaForASession(String sql) {
        brings(replica, Flux.just(new FakeResult(silence())));

        cancel(rows(sql).contextWrite(Routing.read()).contextWrite(Routing.session(CausalSession.create())));

        assertDrainedAndKept(1);
    }

    @Test
    void isDrainedIfAValidationWasCancelled() {
        brings(primary, Flux.just(FakeResult.of(FakeResult.row())));
        Blocking.run(rows(AT_ONCE));
        primary.opened()
                .forEach(connection ->
                        connection.answering = this.<Void>silence().then());

        cancel(onAConnection(connection -> connection.validate(ValidationDepth.REMOTE)));

        assertDrainedAndKept(1);
    }

    @Test
    void isClosedIfItCannotBeDrained() {
        brings(primary, silence());
        cluster.engine.draining = Mono.error(new R2dbcNonTransientResourceException("lost its way", "08P01"));

        cancel(rows(AT_ONCE));

        assertThat(cluster.engine.drains).hasValue(1);
        assertThat(closes()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {AT_ONCE, SEVERAL, WITH_ITS_RESULT})
    void isNotDrainedAfterAStatementThatCompleted(String sql) {
        brings(primary, Flux.just(FakeResult.of(FakeResult.row())));

        Blocking.run(rows(sql));

        assertDrainedAndKept(0);
    }

    @ParameterizedTest
    @ValueSource(strings = {AT_ONCE, WITH_ITS_RESULT})
    void isNotDrainedAfterTheOnlyResultWasTaken(String sql) {
        brings(primary, Flux.concat(Flux.just(FakeResult.of(FakeResult.row())), Flux.never()));

        Blocking.run(onAConnection(
                connection -> Mono.from(execute(connection, sql)).flatMapMany(result -> result.map(row -> "row"))));

        assertDrainedAndKept(0);
    }

    @ParameterizedTest
    @ValueSource(strings = {AT_ONCE, WITH_ITS_RESULT})
    void isNotDrainedAfterTheFirstRowWasTaken(String sql) {
        Flux<Result.Segment> endless = Flux.just(FakeResult.row()).concatWith(Flux.never());
        brings(primary, Flux.just(new FakeResult(endless)));

        Blocking.run(rows(sql).take(1));

        assertDrainedAndKept(0);
    }

    @Test
    void isNotDrainedAfterAnErrorOfTheServer() {
        brings(primary, Flux.error(new R2dbcNonTransientResourceException("no such table", "42P01")));

        Blocking.run(rows(AT_ONCE).onErrorComplete());

        assertDrainedAndKept(0);
    }

    private static void brings(FakeServer server, Flux<Result> results) {
        server.executing = sql -> FakeResult.statement(results);
    }

    private Flux<String> rows(String sql) {
        return each(sql, result -> result.map(row -> "row"));
    }

    private <T> Flux<T> each(String sql, Function<Result, Publisher<T>> consumption) {
        return onAConnection(connection -> Flux.from(execute(connection, sql)).concatMap(consumption));
    }

    private static Publisher<? extends Result> execute(RoutedConnection connection, String sql) {
        Statement statement = connection.createStatement(sql);
        return (sql.contains("$1") ? statement.bind(0, 1) : statement).execute();
    }

    private <T> Flux<T> onAConnection(Function<RoutedConnection, Publisher<T>> work) {
        Lender lender = cluster.lender(Policies.NONE, new RetryBudget(() -> 0), new FallbackBudget(() -> 2, 256));
        return Flux.usingWhen(
                Mono.fromSupplier(() -> new RoutedConnection(lender, cluster.engine, null, false, null)),
                work,
                RoutedConnection::close);
    }

    /** Says nothing, and notes that somebody waits for it to. */
    private <T> Flux<T> silence() {
        return Flux.<T>never().doOnSubscribe(subscription -> awaited.set(true));
    }

    private void cancel(Flux<?> running) {
        Disposable subscription = running.subscribe();
        await().untilTrue(awaited);
        subscription.dispose();
        cluster.assertNothingIsLent();
    }

    private void assertDrainedAndKept(int drains) {
        cluster.assertNothingIsLent();
        assertThat(cluster.engine.drains).hasValue(drains);
        assertThat(closes()).isZero();
    }

    private long closes() {
        return cluster.servers.stream()
                .flatMap(server -> server.opened().stream())
                .mapToInt(connection -> connection.closes())
                .sum();
    }
}
