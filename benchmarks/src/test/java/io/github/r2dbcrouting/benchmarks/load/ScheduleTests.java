package io.github.r2dbcrouting.benchmarks.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScheduleTests {

    @Test
    void requestsAreMeantToStartAtEvenDistances() {
        Schedule schedule = new Schedule(1_000);

        assertThat(schedule.startOf(0)).isZero();
        assertThat(schedule.startOf(1)).isEqualTo(1_000_000);
        assertThat(schedule.startOf(250)).isEqualTo(250_000_000);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.5, 3, 1_000, 7_777.7})
    void whatStartsWithinATimeIsWhatStartsBeforeItsEnd(double rate) {
        Schedule schedule = new Schedule(rate);

        for (long nanos : new long[] {1, 1_000_000, 250_000_000, 1_000_000_000}) {
            long count = schedule.within(nanos);

            assertThat(schedule.startOf(count - 1)).isLessThan(nanos);
            assertThat(schedule.startOf(count)).isGreaterThanOrEqualTo(nanos);
        }
    }

    @Test
    void nothingStartsInNoTime() {
        assertThat(new Schedule(1_000).within(0)).isZero();
    }

    @Test
    void thereIsNoScheduleWithoutARate() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Schedule(0));
        assertThatIllegalArgumentException().isThrownBy(() -> new Schedule(Double.NaN));
    }
}
