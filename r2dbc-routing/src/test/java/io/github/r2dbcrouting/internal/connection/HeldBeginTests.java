package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.fake.FakeConnection;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.Option;
import io.r2dbc.spi.R2dbcTransientResourceException;
import io.r2dbc.spi.TransactionDefinition;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;

class HeldBeginTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final R2dbcTransientResourceException failure = new R2dbcTransientResourceException("expected");
    private final List<String> sent = new ArrayList<>();
    private final TestPublisher<Void> answer = TestPublisher.create();
    private final TestPublisher<Integer> rows = TestPublisher.create();
    private final AtomicInteger sending = new AtomicInteger();
    private final HeldBegin begin = new HeldBegin(
            answer.mono().doOnSubscribe(s -> sent.add("BEGIN")),
            IsolationLevel.REPEATABLE_READ,
            sending::incrementAndGet);
    private final Fixture fixture = new Fixture();
    private final FakeConnection pooled = new FakeConnection(fixture.server);
    private final Lease lease = fixture.lease(new FakeConnection(fixture.server), pooled);

    private Flux<Integer> statement(String name) {
        return rows.flux().doOnSubscribe(s -> sent.add(name));
    }

    private Flux<Integer> inTransaction(String name) {
        lease.hold(begin);
        return new InUse<>(lease, statement(name));
    }

    @Test
    void sendsNothingUntilAStatementIsSubscribed() {
        Flux<Integer> statement = inTransaction("INSERT");

        assertThat(sent).isEmpty();
        assertThat(sending).hasValue(0);
        assertThat(begin.knownToDriver()).isFalse();
        assertThat(begin.unsettled()).isFalse();
        assertThat(statement).isNotNull();
    }

    @Test
    void goesAheadOfTheFirstStatementInTheSameFlight() {
        StepVerifier.create(inTransaction("INSERT"))
                .then(() -> assertThat(sent).containsExactly("BEGIN", "INSERT"))
                .then(() -> assertThat(begin.unsettled()).isTrue())
                .then(answer::complete)
                .then(() -> assertThat(begin.knownToDriver()).isTrue())
                .then(() -> rows.next(1).complete())
                .expectNext(1)
                .expectComplete()
                .verify(LIMIT);

        assertThat(sending).hasValue(1);
    }

    @Test
    void isSentInTheContextOfTheStatement() {
        List<String> heard = new ArrayList<>();
        lease.hold(new HeldBegin(
                Mono.deferContextual(context -> {
                    heard.add(context.get("who"));
                    return Mono.empty();
                }),
                null,
                () -> {}));

        StepVerifier.create(new InUse<>(lease, Mono.just(1)).contextWrite(context -> context.put("who", "caller")))
                .expectNext(1)
                .expectComplete()
                .verify(LIMIT);

        assertThat(heard).containsExactly("caller");
    }

    @Test
    void isSentOnceForStatementsThatAreSentTogether() {
        StepVerifier.create(Flux.merge(inTransaction("INSERT"), inTransaction("UPDATE")))
                .then(() -> assertThat(sent).containsExactly("BEGIN", "INSERT", "UPDATE"))
                .then(answer::complete)
                .then(() -> rows.next(1).complete())
                .expectNext(1, 1)
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void isNotSentAgainOnceTheTransactionHasBegun() {
        StepVerifier.create(begin.begun())
                .then(answer::complete)
                .expectComplete()
                .verify(LIMIT);

        StepVerifier.create(inTransaction("INSERT"))
                .then(() -> rows.next(1).complete())
                .expectNext(1)
                .expectComplete()
                .verify(LIMIT);

        assertThat(sent).containsExactly("BEGIN", "INSERT");
    }

    @Test
    void showsNothingOfAStatementBeforeTheTransactionHasBegun() {
        List<Integer> shown = new ArrayList<>();
        var unused = inTransaction("INSERT").subscribe(shown::add);

        rows.next(1);
        assertThat(shown).isEmpty();
        answer.complete();

        assertThat(shown).containsExactly(1);
    }

    @Test
    void failsTheStatementWithTheErrorOfTheBegin() {
        StepVerifier.create(inTransaction("INSERT"))
                .then(() -> rows.next(1))
                .then(() -> answer.error(failure))
                .expectErrorSatisfies(error -> assertThat(error).isSameAs(failure))
                .verify(LIMIT);

        rows.assertCancelled();
    }

    @Test
    void failsEveryStatementAfterABeginThatFailedAndSendsNone() {
        StepVerifier.create(begin.begun())
                .then(() -> answer.error(failure))
                .expectError()
                .verify(LIMIT);

        StepVerifier.create(inTransaction("INSERT"))
                .expectErrorSatisfies(error -> assertThat(error).isSameAs(failure))
                .verify(LIMIT);

        assertThat(sent).containsExactly("BEGIN");
    }

    @Test
    void outlivesTheCancelOfTheStatementThatSentIt() {
        Disposable first = inTransaction("INSERT").subscribe();

        first.dispose();

        rows.assertCancelled();
        answer.assertNotCancelled();
        assertThat(begin.unsettled()).isTrue();
    }

    @Test
    void isDrainedBeforeTheConnectionIsLentAgainIfItsStatementWasCancelled() {
        inTransaction("INSERT").subscribe().dispose();

        Blocking.run(lease.release());

        assertThat(fixture.engine.drains).hasValue(1);
    }

    @Test
    void isDrainedBeforeTheConnectionIsLentAgainIfItFailed() {
        var unused = inTransaction("INSERT").onErrorComplete().subscribe();
        answer.error(failure);

        Blocking.run(lease.release());

        assertThat(fixture.engine.drains).hasValue(1);
    }

    @Test
    void needsNoDrainIfNothingWasSent() {
        lease.hold(begin);

        Blocking.run(lease.release());

        assertThat(fixture.engine.drains).hasValue(0);
        assertThat(pooled.closes()).isEqualTo(1);
        assertThat(sent).isEmpty();
    }

    @Test
    void isLeftToThoseWhoSendSomething() {
        lease.hold(begin);

        StepVerifier.create(new InUse<>(lease, Mono.just(1), () -> {}, Ending.UNWATCHED, false))
                .expectNext(1)
                .expectComplete()
                .verify(LIMIT);

        assertThat(sent).isEmpty();
    }

    @Test
    void neverReachesTheServerOnceItWasDropped() {
        assertThat(begin.drop()).isTrue();

        StepVerifier.create(begin.begun()).expectComplete().verify(LIMIT);
        assertThat(sent).isEmpty();
        assertThat(begin.drop()).isFalse();
    }

    @Test
    void cannotBeDroppedOnceItWasSent() {
        var unused = inTransaction("INSERT").subscribe();

        assertThat(begin.drop()).isFalse();
    }

    private record Level(IsolationLevel level) implements TransactionDefinition {
        @Override
        @SuppressWarnings("unchecked")
        public <T> T getAttribute(Option<T> option) {
            return option.equals(ISOLATION_LEVEL) ? (T) level : null;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"})
    void mayHoldTheLevelsThatEveryServerKnows(String level) {
        assertThat(HeldBegin.mayHold(new Level(IsolationLevel.valueOf(level)))).isTrue();
    }

    @Test
    void mayNotHoldALevelThatAServerMayRefuse() {
        assertThat(HeldBegin.mayHold(new Level(IsolationLevel.valueOf("SNAPSHOT"))))
                .isFalse();
        assertThat(HeldBegin.mayHold(null)).isTrue();
    }
}
