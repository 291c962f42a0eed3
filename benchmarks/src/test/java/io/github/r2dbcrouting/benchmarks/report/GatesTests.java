package io.github.r2dbcrouting.benchmarks.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.benchmarks.report.Summary.Gate;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class GatesTests {

    private static final Set<String> OURS = Set.of("causal");
    private static final Optional<String> CONTROL = Optional.of("round-robin");

    @Test
    void oneStaleReadOfOursFails() {
        assertThat(check(Runs.router("causal", 1, null))).singleElement().matches(gate -> !gate.passed());
    }

    @Test
    void noStaleReadOfOursPasses() {
        assertThat(check(Runs.router("causal", 0, null))).singleElement().matches(Gate::passed);
    }

    @Test
    void aControlThatIsHardlyStaleFails() {
        assertThat(check(Runs.router("round-robin", 10, null))).singleElement().matches(gate -> !gate.passed());
    }

    @Test
    void aControlThatIsStalePasses() {
        assertThat(check(Runs.router("round-robin", 11, null))).singleElement().matches(Gate::passed);
    }

    @Test
    void staleReadsOfOthersAreNobodysError() {
        assertThat(check(Runs.router("spring", 500, null))).isEmpty();
    }

    @Test
    void theControlIsNotCheckedWhereNobodyReadsBackAtOnce() {
        assertThat(Gates.check(List.of(Runs.router("round-robin", 0, null)), OURS, Optional.empty(), 16))
                .isEmpty();
    }

    @Test
    void positionQueriesAreLimitedByTheNumberOfWriters() {
        assertThat(Gates.positionQueries(1)).isEqualTo(1);
        assertThat(Gates.positionQueries(15)).isEqualTo(1);
        assertThat(Gates.positionQueries(16)).isEqualTo(0.15);
        assertThat(Gates.positionQueries(64)).isEqualTo(0.05);
        assertThat(check(Runs.router("causal", 0, 0.16)))
                .extracting(Gate::passed)
                .containsExactly(true, false);
        assertThat(check(Runs.router("causal", 0, 0.15)))
                .extracting(Gate::passed)
                .containsExactly(true, true);
    }

    private static List<Gate> check(RouterSummary router) {
        return Gates.check(List.of(router), OURS, CONTROL, 16);
    }
}
