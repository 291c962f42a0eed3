package io.github.r2dbcrouting.webflux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.github.r2dbcrouting.test.PostgresServer;
import io.r2dbc.spi.R2dbcException;
import java.time.Duration;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.r2dbc.connection.R2dbcTransactionManager;
import org.springframework.transaction.reactive.TransactionalOperator;
import org.springframework.transaction.support.DefaultTransactionDefinition;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;

/** What surprises people who come from JPA, or wire things in another order. */
@PostgresClusterTest(replicas = 2)
class SpringDetailsIT {

    private final PostgresCluster cluster;
    private SpringFixture fixture;

    SpringDetailsIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void open() {
        fixture = new SpringFixture(cluster);
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    @Test
    void opensNoTransactionForARepositoryMethodThatIsAnnotated() {
        Mono<String> annotated =
                fixture.notes().findAnnotatedById(fixture.known()).single().map(Note::isolation);

        assertThat(Blocking.value(annotated)).isEqualTo("read committed");
    }

    @Test
    void opensOneForAServiceMethodThatIsAnnotated() {
        Notes notes = fixture.notes();
        StringBuilder isolation = new StringBuilder();

        Blocking.run(fixture.transactions()
                .readOnlyRepeatable(
                        notes.findById(fixture.known()).doOnNext(note -> isolation.append(note.isolation()))));

        assertThat(isolation).hasToString("repeatable read");
    }

    @Test
    void choosesTheServerByWhatIsSaidAroundTheTransactionAndNotInIt() {
        Steps around = fixture.steps();
        Steps inside = fixture.steps();

        Blocking.run(fixture.transactions().readOnly(around.read()).contextWrite(Routing.read()));
        Blocking.run(fixture.transactions().readOnly(inside.read().contextWrite(Routing.read())));

        assertThat(around.places()).containsExactly(Place.REPLICA);
        assertThat(inside.places()).containsExactly(Place.PRIMARY);
    }

    @Test
    void readsWhatASessionWroteThatWasOnlyNamedInsideTheTransaction() {
        cluster.replica(0).pauseReplay();
        cluster.replica(1).pauseReplay();
        Function<Context, Context> entry = Routing.session(CausalSession.resume(fixture.token));
        Steps steps = fixture.steps();

        Blocking.run(fixture.transactions().readWrite(steps.write().contextWrite(entry)));

        Mono<Long> found = fixture.notes().findByText(steps.written().get(0)).count();
        assertThat(Blocking.value(found.contextWrite(Routing.read()).contextWrite(entry)))
                .isOne();
    }

    @Test
    void letsPostgresEnforceReadOnlyAsWell() {
        R2dbcTransactionManager enforcing = new R2dbcTransactionManager(fixture.factory);
        enforcing.setEnforceReadOnly(true);
        DefaultTransactionDefinition definition = new DefaultTransactionDefinition();
        definition.setReadOnly(true);
        TransactionalOperator operator = TransactionalOperator.create(enforcing, definition);
        Steps plain = fixture.steps();
        Steps inSession = fixture.steps();

        Blocking.run(plain.recorded(operator.transactional(plain.read().then(plain.write()))));
        Blocking.run(inSession
                .recorded(operator.transactional(inSession.read().then(inSession.write())))
                .contextWrite(Asked.SESSION.entry(fixture.token)));

        assertThat(plain.places()).containsExactly(Place.PRIMARY, Place.REFUSED);
        assertThat(inSession.places()).containsExactly(Place.REPLICA, Place.REFUSED);
        fixture.assertEverythingIsBack();
    }

    @Test
    void translatesARefusedWrite() {
        Mono<Void> refused = fixture.transactions()
                .readOnly(fixture.notes().save(Note.of("too late")))
                .contextWrite(Asked.SESSION.entry(fixture.token));

        assertThatThrownBy(() -> Blocking.run(refused))
                .isInstanceOf(DataAccessResourceFailureException.class)
                .cause()
                .isInstanceOfSatisfying(
                        R2dbcException.class,
                        error -> assertThat(error.getSqlState()).isEqualTo("25006"));
        fixture.assertEverythingIsBack();
    }

    @Test
    void givesConnectionsBackWhenAReaderHasEnough() {
        Notes notes = fixture.notes();

        for (Asked asked : Asked.values()) {
            for (int i = 0; i < 20; i++) {
                Blocking.run(notes.findAll().take(1).contextWrite(asked.entry(fixture.token)));
                Blocking.run(notes.findAll().next().contextWrite(asked.entry(fixture.token)));
            }
        }

        fixture.assertEverythingIsBack();
    }

    /** Spring closes the connection of a transaction only once that has begun. */
    @Test
    void givesConnectionsBackWhenATransactionIsCancelledAtAnyMoment() {
        Transactions transactions = fixture.transactions();
        for (Asked asked : Asked.values()) {
            Blocking.run(transactions.readOnly(fixture.steps().read()).contextWrite(asked.entry(fixture.token)));
        }
        for (PostgresServer server : cluster.servers()) {
            server.latency(Duration.ofMillis(5));
        }

        for (Asked asked : Asked.values()) {
            for (int millis = 0; millis <= 40; millis += 2) {
                Mono<Void> cancelled =
                        transactions.readOnly(fixture.steps().read()).timeout(Duration.ofMillis(millis), Mono.empty());
                Blocking.run(cancelled.contextWrite(asked.entry(fixture.token)));
            }
        }

        fixture.assertEverythingIsBack();
    }
}
