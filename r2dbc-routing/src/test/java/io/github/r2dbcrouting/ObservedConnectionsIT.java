package io.github.r2dbcrouting;

import static io.micrometer.observation.tck.TestObservationRegistryAssert.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.micrometer.RoutingObservations;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import io.micrometer.observation.Observation;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.Result;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Publisher;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What is observed of statements and transactions on real servers; the registry counts starts and stops. */
@PostgresClusterTest(replicas = 1)
class ObservedConnectionsIT {

    private static final String NAME = "r2dbc.routing.connection";

    private final PostgresCluster cluster;
    private final TestObservationRegistry registry = TestObservationRegistry.create();
    private RoutingConnectionFactory factory;

    ObservedConnectionsIT(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void open() {
        factory = Factories.ready(RoutingConnectionFactory.builder()
                .server("db0", cluster.primary().r2dbcUrl())
                .server("db1", cluster.replica(0).r2dbcUrl())
                .observer(RoutingObservations.observer(registry)));
        // ready with its primary, which is not yet to say with its replica
        await().atMost(Duration.ofMinutes(1))
                .until(() -> "true"
                        .equals(query("SELECT pg_is_in_recovery()::text")
                                .contextWrite(Routing.read())
                                .blockLast()));
        registry.clear();
    }

    @AfterEach
    void close() {
        Blocking.run(factory.close());
    }

    private Flux<String> query(String sql) {
        return Flux.usingWhen(
                factory.create(),
                connection -> Flux.from(connection.createStatement(sql).execute())
                        .concatMap(result -> result.map(row -> String.valueOf(row.get(0)))),
                Connection::close);
    }

    @Test
    void aReadAndAWriteTellTheirServers() {
        Blocking.run(query("SELECT 1").contextWrite(Routing.read()));
        Blocking.run(query("SELECT 1"));

        assertThat(registry)
                .hasNumberOfObservationsWithNameEqualTo(NAME, 2)
                .hasAnObservation(observed -> observed.hasContextualNameEqualTo("statement on db1")
                        .hasLowCardinalityKeyValue("r2dbc.routing.role", "replica")
                        .hasLowCardinalityKeyValue("r2dbc.routing.end", "completed"))
                .hasAnObservation(observed -> observed.hasContextualNameEqualTo("statement on db0")
                        .hasLowCardinalityKeyValue("r2dbc.routing.role", "primary")
                        .hasLowCardinalityKeyValue("r2dbc.routing.intent", "write")
                        .hasLowCardinalityKeyValue("r2dbc.routing.end", "completed"));
    }

    @Test
    void anErrorOfTheServerIsRecorded() {
        assertThatThrownBy(() -> Blocking.run(query("SELECT 1 / 0").contextWrite(Routing.read())))
                .isInstanceOf(R2dbcException.class);

        assertThat(registry)
                .hasSingleObservationThat()
                .hasLowCardinalityKeyValue("r2dbc.routing.end", "failed")
                .hasLowCardinalityKeyValue("r2dbc.routing.server", "db1")
                .hasError()
                .hasBeenStopped();
    }

    @Test
    void aCancelEndsItAtOnce() {
        Disposable running =
                query("SELECT pg_sleep(600)").contextWrite(Routing.read()).subscribe();
        await().until(() -> cluster.replica(0)
                .query("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
                .equals("1"));
        assertThat(registry).hasSingleObservationThat().isNotStopped();

        running.dispose();

        assertThat(registry)
                .hasSingleObservationThat()
                .hasLowCardinalityKeyValue("r2dbc.routing.end", "cancelled")
                .doesNotHaveError()
                .hasBeenStopped();
        cluster.replica(0)
                .execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    }

    @Test
    void aTransactionIsOneAndItsEndTellsHowItEnded() {
        Blocking.run(transaction(connection -> connection.commitTransaction()));
        Blocking.run(transaction(connection -> connection.rollbackTransaction()));
        Blocking.run(transaction(connection -> Mono.empty()));

        assertThat(registry)
                .hasHandledContextsThatSatisfy(contexts -> assertThat(contexts)
                        .extracting(ObservedConnectionsIT::end)
                        .containsExactlyInAnyOrder("completed", "rolled_back", "rolled_back"));
    }

    private static String end(Observation.Context context) {
        return Objects.requireNonNull(context.getLowCardinalityKeyValue("r2dbc.routing.end"))
                .getValue();
    }

    private Flux<Long> transaction(Function<Connection, Publisher<Void>> ending) {
        return Flux.usingWhen(
                factory.create(),
                connection -> Mono.from(connection.beginTransaction())
                        .thenMany(
                                Flux.from(connection.createStatement("SELECT 1").execute()))
                        .concatMap(Result::getRowsUpdated)
                        .concatWith(Mono.defer(
                                () -> Mono.from(ending.apply(connection)).then(Mono.empty()))),
                Connection::close);
    }

    @Test
    void aStatementThatFindsNobodyFails() {
        cluster.primary().kill();
        await().until(() -> factory.table().primary().isEmpty());

        assertThatThrownBy(() -> Blocking.run(query("SELECT 1"))).isInstanceOf(NoEligibleServerException.class);

        assertThat(registry)
                .hasSingleObservationThat()
                .hasLowCardinalityKeyValue("r2dbc.routing.server", "none")
                .hasLowCardinalityKeyValue("r2dbc.routing.end", "failed")
                .hasError()
                .hasBeenStopped();
    }
}
