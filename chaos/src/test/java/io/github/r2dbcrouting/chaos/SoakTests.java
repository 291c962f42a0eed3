package io.github.r2dbcrouting.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SoakTests {

    private static final double HALF_AN_HOUR = 0.5;

    @Test
    void takesNoiseForFlat() {
        Random random = new Random(1);

        assertThat(trend(minute -> 40 + random.nextGaussian()).grows(HALF_AN_HOUR))
                .isFalse();
    }

    @Test
    void findsASlowGrowthWithinNoise() {
        Random random = new Random(1);

        Soak.Trend trend = trend(minute -> 40 + 0.2 * minute + random.nextGaussian());

        assertThat(trend.perHour()).isBetween(9.0, 15.0);
        assertThat(trend.grows(HALF_AN_HOUR)).isTrue();
    }

    @Test
    void ignoresWhatFillsAtTheBeginning() {
        assertThat(trend(minute -> minute < 6 ? 10 + 5 * minute : 40).grows(HALF_AN_HOUR))
                .isFalse();
    }

    @Test
    void ignoresWhatShrinks() {
        assertThat(trend(minute -> 40 - minute).grows(HALF_AN_HOUR)).isFalse();
    }

    private static Soak.Trend trend(IntToDoubleFunction heap) {
        List<Soak.Look> looks = IntStream.range(0, 31)
                .mapToObj(minute -> new Soak.Look(minute, heap.applyAsDouble(minute), 1, 1, 1))
                .toList();
        return Soak.trend(looks, Soak.Look::heapMegabytes);
    }
}
