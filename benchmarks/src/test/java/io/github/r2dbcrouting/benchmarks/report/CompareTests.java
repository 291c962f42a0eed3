package io.github.r2dbcrouting.benchmarks.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CompareTests {

    @Test
    void ratiosAreOfTheSecondToTheFirst() {
        Summary before = Runs.summary(Runs.router("causal", 0, null), Runs.router("spring", 0, null));
        Summary after =
                Summary.parse(before.toJson().replace("1234.5", "2469.0").replace("100.0", "50.0"));

        String table = Compare.table(before, after);

        assertThat(table.lines().skip(1))
                .hasSize(2)
                .allSatisfy(line -> assertThat(line).containsPattern("2\\.000 +1\\.000 +0\\.500 +1\\.000"));
    }

    @Test
    void onlyWhatIsInBothIsCompared() {
        Summary before = Runs.summary(Runs.router("causal", 0, null));
        Summary after = Runs.summary(Runs.router("spring", 0, null));

        assertThat(Compare.table(before, after)).contains("no router and workload in common");
    }
}
