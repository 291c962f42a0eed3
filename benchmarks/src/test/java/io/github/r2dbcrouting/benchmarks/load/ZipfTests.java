package io.github.r2dbcrouting.benchmarks.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class ZipfTests {

    @Test
    void theFirstKeyIsAsFrequentAsItsRankSays() {
        Zipf zipf = new Zipf(3, 1);

        // 1 + 1/2 + 1/3 = 11/6
        assertThat(zipf.key(0)).isZero();
        assertThat(zipf.key(6.0 / 11 - 1e-9)).isZero();
        assertThat(zipf.key(6.0 / 11 + 1e-9)).isEqualTo(1);
        assertThat(zipf.key(9.0 / 11 + 1e-9)).isEqualTo(2);
    }

    @Test
    void everyDrawIsOneOfTheKeys() {
        Zipf zipf = new Zipf(7, 0.9);

        assertThat(zipf.key(Math.nextDown(1.0))).isEqualTo(6);
        assertThat(zipf.key(1.0)).isEqualTo(6);
    }

    @Test
    void withoutSkewAllKeysAreAlike() {
        Zipf zipf = new Zipf(10, 0);
        Random random = new Random(1);
        int[] drawn = new int[10];

        for (int i = 0; i < 100_000; i++) {
            drawn[zipf.key(random.nextDouble())]++;
        }

        for (int count : drawn) {
            assertThat(count).isCloseTo(10_000, within(500));
        }
    }

    @Test
    void noKeysAndNegativeSkewsAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Zipf(0, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new Zipf(1, -1));
        assertThatIllegalArgumentException().isThrownBy(() -> new Zipf(1, Double.NaN));
    }
}
