package io.github.r2dbcrouting.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class PeakEwmaTests {

    private final PeakEwma latency = new PeakEwma();

    @Test
    void knowsNothingAtFirst() {
        assertThat(latency.nanos()).isZero();
    }

    @Test
    void believesAPeakAtOnce() {
        latency.add(1_000, 0);
        latency.add(50_000, 1);

        assertThat(latency.nanos()).isEqualTo(50_000);
    }

    @Test
    void forgetsAPeakSlowly() {
        latency.add(50_000, 0);

        latency.add(1_000, PeakEwma.DECAY.toNanos() / 1_000);
        assertThat(latency.nanos()).isCloseTo(50_000, within(100.0));

        latency.add(1_000, PeakEwma.DECAY.toNanos() / 1_000 + PeakEwma.DECAY.toNanos());
        assertThat(latency.nanos()).isCloseTo(1_000 + 49_000 / Math.E, within(100.0));

        latency.add(1_000, 20 * PeakEwma.DECAY.toNanos());
        assertThat(latency.nanos()).isCloseTo(1_000, within(1.0));
    }

    @Test
    void takesTimesThatComeOutOfOrder() {
        latency.add(50_000, 1_000);
        latency.add(1_000, 0);

        assertThat(latency.nanos()).isEqualTo(50_000);
    }

    @Test
    void measuresFromAnyBeginningOfTime() {
        latency.add(50_000, Long.MAX_VALUE - 5);
        latency.add(1_000, Long.MIN_VALUE + PeakEwma.DECAY.toNanos());

        assertThat(latency.nanos()).isBetween(18_000.0, 20_000.0);
    }
}
