package io.github.r2dbcrouting.micrometer;

import static io.micrometer.observation.tck.TestObservationRegistryAssert.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.RouteDecision.Reason;
import io.github.r2dbcrouting.RoutingListener;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.spi.ConnectionObserver;
import io.github.r2dbcrouting.spi.ConnectionObserver.End;
import io.github.r2dbcrouting.spi.ConnectionObserver.Scope;
import io.micrometer.common.KeyValue;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.contextpropagation.ObservationThreadLocalAccessor;
import io.micrometer.observation.tck.TestObservationRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import reactor.util.context.Context;

class RoutingObservationsTests {

    private static final String NAME = "r2dbc.routing.connection";

    private final TestObservationRegistry registry = TestObservationRegistry.create();
    private final ConnectionObserver observer = RoutingObservations.observer(registry);

    private static RouteDecision decision(@Nullable String server, Duration waited) {
        return new RouteDecision(
                server,
                server == null ? ServerRole.UNKNOWN : ServerRole.REPLICA,
                server == null ? Reason.NO_SERVER : Reason.COVERS_TOKEN,
                Intent.READ,
                Freshness.causal(),
                List.of(),
                waited,
                server == null ? null : "reporting");
    }

    private ConnectionObserver.Use begins(Context context) {
        return Objects.requireNonNull(observer.begins(Scope.STATEMENT, context));
    }

    private static void decide(Context within, RouteDecision decision) {
        within.get(RoutingListener.class).onDecision(decision);
    }

    private Observation around() {
        return Observation.start("request", registry);
    }

    private static Context with(Observation observation) {
        return Context.of(ObservationThreadLocalAccessor.KEY, observation);
    }

    @Test
    void saysWhereItRanAndWhy() {
        ConnectionObserver.Use use = begins(Context.empty());
        decide(use.within(Context.empty()), decision("db1", Duration.ZERO));
        use.ended(End.COMPLETED, null);

        assertThat(registry)
                .hasSingleObservationThat()
                .hasNameEqualTo(NAME)
                .hasContextualNameEqualTo("statement on db1")
                .hasLowCardinalityKeyValue("r2dbc.routing.server", "db1")
                .hasLowCardinalityKeyValue("r2dbc.routing.role", "replica")
                .hasLowCardinalityKeyValue("r2dbc.routing.scope", "statement")
                .hasLowCardinalityKeyValue("r2dbc.routing.intent", "read")
                .hasLowCardinalityKeyValue("r2dbc.routing.freshness", "causal")
                .hasLowCardinalityKeyValue("r2dbc.routing.reason", "covers_token")
                .hasLowCardinalityKeyValue("r2dbc.routing.policy", "reporting")
                .hasLowCardinalityKeyValue("r2dbc.routing.end", "completed")
                .hasBeenStarted()
                .hasBeenStopped()
                .doesNotHaveError()
                .doesNotHaveParentObservation();
    }

    @Test
    void hasTheDocumentedKeysAtItsStartAndAtItsEndAndNoOther() {
        ConnectionObserver.Use use = begins(Context.empty());
        List<String> documented = Arrays.stream(RoutingObservation.Key.values())
                .map(RoutingObservation.Key::asString)
                .toList();

        assertThat(registry).hasSingleObservationThat().satisfies(context -> {
            assertThat(context.getLowCardinalityKeyValues())
                    .extracting(KeyValue::getKey)
                    .hasSameElementsAs(documented);
            assertThat(context.getHighCardinalityKeyValues()).isEmpty();
        });

        use.ended(End.CANCELLED, null);

        assertThat(registry)
                .hasSingleObservationThat()
                .hasContextualNameEqualTo("statement")
                .hasLowCardinalityKeyValue("r2dbc.routing.server", "none")
                .hasLowCardinalityKeyValue("r2dbc.routing.end", "cancelled")
                .satisfies(context -> assertThat(context.getLowCardinalityKeyValues())
                        .extracting(KeyValue::getKey)
                        .hasSameElementsAs(documented))
                .hasBeenStopped();
    }

    @Test
    void recordsTheError() {
        IllegalStateException error = new IllegalStateException("no server");
        ConnectionObserver.Use use = begins(Context.empty());

        decide(use.within(Context.empty()), decision(null, Duration.ZERO));
        use.ended(End.FAILED, error);

        assertThat(registry)
                .hasSingleObservationThat()
                .hasError(error)
                .hasLowCardinalityKeyValue("r2dbc.routing.reason", "no_server")
                .hasLowCardinalityKeyValue("r2dbc.routing.end", "failed")
                .hasBeenStopped();
    }

    @Test
    void isTheChildOfWhatIsObservedInTheContextAndTheParentOfWhatIsSent() {
        Observation around = around();
        Context context = with(around);
        ConnectionObserver.Use use = begins(context);

        Observation sent = use.within(context).get(ObservationThreadLocalAccessor.KEY);
        use.ended(End.COMPLETED, null);

        assertThat(sent).isNotSameAs(around);
        assertThat(registry)
                .hasObservationWithNameEqualTo(NAME)
                .that()
                .hasParentObservationEqualTo(around)
                .isSameAs(sent.getContext());
        around.stop();
    }

    @Test
    void isTheChildOfTheCurrentObservationIfThereIsNoneInTheContext() {
        Observation around = around();
        Observation.Scope scope = around.openScope();
        begins(Context.empty()).ended(End.COMPLETED, null);
        scope.close();

        assertThat(registry).hasObservationWithNameEqualTo(NAME).that().hasParentObservationEqualTo(around);
        around.stop();
    }

    @Test
    void isNotPutInThePlaceOfANearerOne() {
        Context context = with(around());
        ConnectionObserver.Use use = begins(context);
        Observation nearer = around();

        Observation parent = use.within(with(nearer)).get(ObservationThreadLocalAccessor.KEY);

        assertThat(parent).isSameAs(nearer);
        use.ended(End.COMPLETED, null);
    }

    @Test
    void letsWhoeverListensInTheContextHearEveryDecision() {
        List<RouteDecision> heard = new ArrayList<>();
        RoutingListener listener = heard::add;
        ConnectionObserver.Use use = begins(Context.empty());
        RouteDecision decision = decision("db1", Duration.ZERO);

        decide(use.within(Context.of(RoutingListener.class, listener)), decision);
        use.ended(End.COMPLETED, null);

        assertThat(heard).containsExactly(decision);
        assertThat(registry).hasSingleObservationThat().hasLowCardinalityKeyValue("r2dbc.routing.server", "db1");
    }

    @Test
    void tellsOfWaitingAndOfMovingOn() {
        ConnectionObserver.Use use = begins(Context.empty());
        Context within = use.within(Context.empty());

        decide(within, decision(null, Duration.ZERO));
        decide(within, decision("db1", Duration.ofMillis(7)));
        assertThat(registry).hasSingleObservationThat().hasEvent("waited").doesNotHaveEvent("moved");

        decide(within, decision("db2", Duration.ZERO));
        use.ended(End.COMPLETED, null);

        assertThat(registry)
                .hasSingleObservationThat()
                .hasEvent("moved")
                .hasLowCardinalityKeyValue("r2dbc.routing.server", "db2");
    }

    @Test
    void tellsOfNeitherWhereNothingHappened() {
        ConnectionObserver.Use use = begins(Context.empty());
        decide(use.within(Context.empty()), decision("db1", Duration.ZERO));
        use.ended(End.COMPLETED, null);

        assertThat(registry)
                .hasSingleObservationThat()
                .doesNotHaveEvent("waited")
                .doesNotHaveEvent("moved");
    }

    @Test
    void doesNothingWhereNobodyListens() {
        assertThat(RoutingObservations.observer(ObservationRegistry.create()).begins(Scope.STATEMENT, Context.empty()))
                .as("a registry without handlers")
                .isNull();
        assertThat(RoutingObservations.observer(ObservationRegistry.NOOP).begins(Scope.STATEMENT, Context.empty()))
                .as("no registry")
                .isNull();
    }

    @Test
    void doesNothingWhereItIsRefused() {
        registry.observationConfig().observationPredicate((name, context) -> !name.equals(NAME));

        assertThat(observer.begins(Scope.TRANSACTION, Context.empty())).isNull();

        assertThat(registry).doesNotHaveAnyObservation();
    }

    @Test
    void isNamedByAnotherConvention() {
        ConnectionObserver other = RoutingObservations.observer(registry, new DefaultRoutedConnectionConvention() {
            @Override
            public String getName() {
                return "db.use";
            }
        });

        Objects.requireNonNull(other.begins(Scope.TRANSACTION, Context.empty())).ended(End.ROLLED_BACK, null);

        assertThat(registry)
                .hasSingleObservationThat()
                .hasNameEqualTo("db.use")
                .hasLowCardinalityKeyValue("r2dbc.routing.scope", "transaction")
                .hasLowCardinalityKeyValue("r2dbc.routing.end", "rolled_back");
    }
}
