package io.github.r2dbcrouting.internal.clock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SurroundingsTests {

    private static final int DRAWS = 30_000;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 64, 127})
    void drawsEachNumberBelowTheBoundAboutAsOften(int bound) {
        int[] drawn = new int[bound];
        for (int i = 0; i < DRAWS * bound; i++) {
            drawn[Surroundings.CHANCE.applyAsInt(bound)]++;
        }

        // ten standard deviations
        double deviation = Math.sqrt(DRAWS);
        for (int times : drawn) {
            assertThat((double) times).isCloseTo(DRAWS, within(10 * deviation));
        }
    }

    @Test
    void drawsFromTheWholeOfTheGreatestBound() {
        int least = Integer.MAX_VALUE;
        int greatest = 0;
        for (int i = 0; i < DRAWS; i++) {
            int drawn = Surroundings.CHANCE.applyAsInt(Integer.MAX_VALUE);
            assertThat(drawn).isBetween(0, Integer.MAX_VALUE - 1);
            least = Math.min(least, drawn);
            greatest = Math.max(greatest, drawn);
        }

        assertThat(least).isLessThan(Integer.MAX_VALUE / 100);
        assertThat(greatest).isGreaterThan(Integer.MAX_VALUE / 100 * 99);
    }
}
