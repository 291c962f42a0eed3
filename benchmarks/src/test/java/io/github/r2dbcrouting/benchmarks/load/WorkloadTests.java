package io.github.r2dbcrouting.benchmarks.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.r2dbcrouting.benchmarks.load.Plan.Task;
import io.github.r2dbcrouting.benchmarks.load.Workload.Step;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class WorkloadTests {

    @Test
    void stepsAreAsFrequentAsTheNameSays() {
        assertThat(steps(Workload.SELECT_1)).containsOnly(Map.entry(Step.SELECT_1, 100));
        assertThat(steps(Workload.READ_ONLY)).containsOnly(Map.entry(Step.READ, 100));
        assertThat(steps(Workload.READ_90)).containsOnly(Map.entry(Step.READ, 90), Map.entry(Step.WRITE, 10));
        assertThat(steps(Workload.READ_50)).containsOnly(Map.entry(Step.READ, 50), Map.entry(Step.WRITE, 50));
        assertThat(steps(Workload.READ_BACK)).containsOnly(Map.entry(Step.WRITE_AND_READ_BACK, 100));
        assertThat(steps(Workload.LISTING))
                .containsOnly(Map.entry(Step.WRITE, 10), Map.entry(Step.LIST, 80), Map.entry(Step.REPORT, 10));
    }

    private static Map<Step, Integer> steps(Workload workload) {
        Map<Step, Integer> counts = new EnumMap<>(Step.class);
        for (int percent = 0; percent < 100; percent++) {
            counts.merge(workload.step(percent), 1, Integer::sum);
        }
        return counts;
    }

    @ParameterizedTest
    @EnumSource
    void namesAreReadBack(Workload workload) {
        assertThat(Workload.of(workload.toString())).isSameAs(workload);
        assertThat(Task.parse(workload.toString())).isEqualTo(new Task(workload, Duration.ZERO));
    }

    @Test
    void aThinkTimeStandsBehindAColon() {
        Task task = Task.parse("read-back:5");

        assertThat(task).isEqualTo(new Task(Workload.READ_BACK, Duration.ofMillis(5)));
        assertThat(task.name()).isEqualTo("read-back:5");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "reads", "READ_90", "read-back:", "read-back:-1", "read-back:x", "read-90:5"})
    void otherTextsAreRefused(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> Task.parse(text));
    }
}
