package io.github.r2dbcrouting.internal.clock;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ElapsedTimeTests {

    private static final long SECOND = 1_000_000_000;

    private long monotonic;
    private long wallMillis = 1_000_000;
    private final ElapsedTime time = new ElapsedTime(() -> monotonic, () -> wallMillis);

    @Test
    void countsASuspensionThatTheMonotonicClockSleptThrough() {
        long before = time.getAsLong();

        wallMillis += 60_000;

        assertThat(time.getAsLong() - before).isEqualTo(60 * SECOND);
        assertThat(time.getAsLong() - before).isEqualTo(60 * SECOND);
    }

    @Test
    void neverRunsBackWhenTheWallClockIsSetBack() {
        long before = time.getAsLong();
        wallMillis -= 3_600_000;
        monotonic += SECOND;
        wallMillis += 1_000;

        assertThat(time.getAsLong() - before).isEqualTo(SECOND);
        wallMillis += 10_000;
        assertThat(time.getAsLong() - before).isEqualTo(11 * SECOND);
    }

    @Test
    void followsTheMonotonicClockWhileBothAgree() {
        long before = time.getAsLong();
        for (int i = 0; i < 1_000; i++) {
            monotonic += 1_500_000;
            wallMillis += i % 2 + 1;
            assertThat(time.getAsLong() - before).isEqualTo(monotonic);
        }
    }
}
