package io.github.r2dbcrouting.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.RouteDecision.Candidate;
import io.github.r2dbcrouting.RouteDecision.Reason;
import io.github.r2dbcrouting.RouteDecision.Refusal;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is chosen of which servers, and why not the others: the cases are in {@code decisions.txt}. */
class DecisionVectorsTests {

    private static final int DRAWS = 3_000;

    static Stream<DecisionVector> vectors() {
        return DecisionVector.all();
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void choosesWhatTheVectorSays(DecisionVector vector) {
        Router router = vector.router();
        Ask ask = vector.ask();
        Map<String, Integer> drawn = new TreeMap<>();
        Route route = router.choose(vector.table(), ask, vector.avoid());
        for (int draw = 0; draw < (vector.byWeight() ? DRAWS : 200); draw++) {
            route = router.choose(vector.table(), ask, vector.avoid());
            drawn.merge(route.server() == null ? "nobody" : route.server().name(), 1, Integer::sum);
        }

        assertThat(drawn.keySet()).isEqualTo(vector.servers().keySet());
        if (vector.byWeight()) {
            vector.servers()
                    .forEach((server, percent) -> assertThat(drawn.get(server) * 100.0 / DRAWS)
                            .as("share of %s", server)
                            .isCloseTo(percent, within(5.0)));
        }
        assertThat(route.reason()).isEqualTo(Reason.valueOf(vector.reason()));
        RouteDecision decision = router.explain(route, ask, vector.avoid());
        Map<String, String> refusals = new TreeMap<>();
        for (Candidate candidate : decision.candidates()) {
            Refusal refusal = candidate.refusal();
            refusals.put(candidate.server(), refusal == null ? "eligible" : refusal.name());
        }
        assertThat(refusals).containsAllEntriesOf(vector.refusals());
        if (!vector.byWeight()) {
            // whoever can be drawn is told to be eligible
            vector.servers().keySet().stream()
                    .filter(server -> !server.equals("nobody"))
                    .forEach(server -> assertThat(refusals)
                            .as("%s", decision)
                            .satisfies(all -> assertThat(all.get(server)).isIn("eligible", "EJECTED")));
        }
    }

    @Test
    void areManyEnough() {
        assertThat(vectors()).hasSizeGreaterThanOrEqualTo(80);
    }
}
