package io.github.r2dbcrouting.chaos.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ScheduleTests {

    @Test
    void isTheSameForTheSameSeed() {
        assertThat(strikes(new Schedule(Faults.all(), 5)))
                .isEqualTo(strikes(new Schedule(Faults.all(), 5)))
                .isNotEqualTo(strikes(new Schedule(Faults.all(), 6)));
    }

    @Test
    void bringsEachKindBeforeAnyComesAgain() {
        Schedule schedule = new Schedule(Faults.all(), 1);
        int kinds = Faults.all().size();

        assertThat(Stream.generate(schedule::next).limit(kinds).map(Schedule.Strike::fault))
                .doesNotHaveDuplicates();
    }

    @Test
    void hasAtLeastTwelveKindsWithNamesOfTheirOwn() {
        assertThat(Faults.all()).extracting(Fault::name).doesNotHaveDuplicates().hasSizeGreaterThanOrEqualTo(12);
    }

    @Test
    void findsFaultsByPartsOfTheirNames() {
        assertThat(Faults.named(List.of("back in time")))
                .extracting(Fault::name)
                .containsExactly("replica killed, back in time", "backend of a replica killed, back in time");
        assertThatThrownBy(() -> Faults.named(List.of("earthquake")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("replay paused");
    }

    private static List<String> strikes(Schedule schedule) {
        return Stream.generate(schedule::next)
                .limit(100)
                .map(strike -> strike.fault().name() + strike.seed() + strike.before())
                .toList();
    }
}
