package io.github.r2dbcrouting.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class PeakEwmaTests {

    private static final long DECAY = PeakEwma.DECAY.toNanos();

    private final PeakEwma latency = new PeakEwma();

    @Test
    void knowsNothingAtFirst() {
        assertThat(latency.nanos(1_000)).isZero();
    }

    @Test
    void believesAPeakAtOnce() {
        latency.add(1_000, 0);
        latency.add(50_000, 1);

        assertThat(latency.nanos(1)).isEqualTo(50_000);
    }

    @Test
    void forgetsAPeakSlowly() {
        latency.add(50_000, 0);

        latency.add(1_000, DECAY / 1_000);
        assertThat(latency.nanos(DECAY / 1_000)).isCloseTo(50_000, within(100.0));

        latency.add(1_000, DECAY / 1_000 + DECAY);
        assertThat(latency.nanos(DECAY / 1_000 + DECAY)).isCloseTo(1_000 + 49_000 / Math.E, within(100.0));

        latency.add(1_000, 20 * DECAY);
        assertThat(latency.nanos(20 * DECAY)).isCloseTo(1_000, within(1.0));
    }

    @Test
    void forgetsAPeakInSilenceButNotThatThereWasAnAnswer() {
        latency.add(50_000, 0);

        assertThat(latency.nanos(DECAY)).isCloseTo(50_000 / Math.E, within(1.0));
        assertThat(latency.nanos(1_000 * DECAY)).isEqualTo(1);
        // what is quicker than what is left of the peak is still no peak
        latency.add(20_000, DECAY);
        assertThat(latency.nanos(DECAY)).isEqualTo(20_000);
    }

    @Test
    void takesTimesThatComeOutOfOrder() {
        latency.add(50_000, 1_000);
        latency.add(1_000, 0);

        assertThat(latency.nanos(1_000)).isEqualTo(50_000, within(1.0));
    }

    @Test
    void measuresFromAnyBeginningOfTime() {
        latency.add(50_000, Long.MAX_VALUE - 5);
        latency.add(1_000, Long.MIN_VALUE + DECAY);

        assertThat(latency.nanos(Long.MIN_VALUE + DECAY)).isBetween(18_000.0, 20_000.0);
    }
}
