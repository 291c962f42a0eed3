package io.github.r2dbcrouting.webflux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.test.PostgresCluster;
import io.github.r2dbcrouting.test.PostgresClusterTest;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import reactor.core.publisher.Mono;

/** Where each step of each scenario runs, under each entry: the table of the documentation, told by the servers. */
@PostgresClusterTest(replicas = 2)
class SpringRoutingIT {

    private final PostgresCluster cluster;
    private SpringFixture fixture;

    SpringRoutingIT(PostgresCluster cluster) {
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

    @TestFactory
    Stream<DynamicContainer> routesAsTheTableSays() {
        return Scenario.ALL.stream()
                .map(scenario -> DynamicContainer.dynamicContainer(
                        scenario.title(),
                        Stream.of(Asked.values())
                                .map(asked ->
                                        DynamicTest.dynamicTest(asked.toString(), () -> routes(scenario, asked)))));
    }

    private void routes(Scenario scenario, Asked asked) {
        String cell = scenario + ", " + asked;
        Steps steps = fixture.steps();
        fixture.decisions().clear();
        Mono<Void> run = scenario.run(steps, fixture.transactions()).contextWrite(asked.entry(fixture.token));

        assertThatCode(() -> Blocking.run(run)).as(cell).doesNotThrowAnyException();

        assertThat(steps.places())
                .as(() -> cell + ": what the servers say, after " + fixture.decisions())
                .isEqualTo(scenario.expected(asked));
        assertThat(steps.written()).as(cell + ": what the primary has").allMatch(fixture::onPrimary);
        assertThat(decided()).as(cell + ": what was decided").isEqualTo(servers(scenario.expected(asked)));
        fixture.assertEverythingIsBack();
    }

    /** No server is asked for anything that does not run there. */
    private Set<Place> decided() {
        return fixture.decisions().stream()
                .map(RouteDecision::role)
                .map(role -> role == ServerRole.REPLICA ? Place.REPLICA : Place.PRIMARY)
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(Place.class)));
    }

    private static Set<Place> servers(List<Place> places) {
        return places.stream()
                .filter(place -> place != Place.REFUSED)
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(Place.class)));
    }
}
