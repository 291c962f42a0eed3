package io.github.r2dbcrouting.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.Lag;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class CatchUpTests {

    private final CatchUp catchUp = new CatchUp();

    @Test
    void takesAReplicaThatNeverLackedAnythingForQuick() {
        catchUp.sampled(10, Lag.NEVER, false);
        catchUp.sampled(20, Lag.NEVER, true);

        assertThat(catchUp.estimate()).isZero();
    }

    @Test
    void believesAtOnceThatItTakesLonger() {
        catchUp.sampled(110, 10, true);
        assertThat(catchUp.estimate()).isEqualTo(nanos(100));

        catchUp.sampled(310, 10, true);

        assertThat(catchUp.estimate()).isEqualTo(nanos(300));
    }

    @Test
    void believesByHalvesThatItIsQuickerAgain() {
        catchUp.sampled(1_600, 0, true);
        catchUp.sampled(1_601, Lag.NEVER, true);
        assertThat(catchUp.estimate()).as("that took so long").isEqualTo(nanos(1_600));

        for (int write = 0; write < 4; write++) {
            catchUp.sampled(2_000 + write, Lag.NEVER, true);
        }

        assertThat(catchUp.estimate()).isEqualTo(nanos(100));
    }

    @Test
    void doesNotForgetWhileNothingIsWritten() {
        catchUp.sampled(1_600, 0, true);
        catchUp.sampled(1_601, Lag.NEVER, true);

        for (int probe = 0; probe < 100; probe++) {
            catchUp.sampled(2_000 + probe, Lag.NEVER, false);
        }

        assertThat(catchUp.estimate()).isEqualTo(nanos(1_600));
    }

    @Test
    void staysAtHowLongAReplicaTakesThatAppliesEverythingLate() {
        for (int write = 0; write < 20; write++) {
            long written = write * 1_000L;
            catchUp.sampled(written + 300, written, true);
            catchUp.sampled(written + 301, Lag.NEVER, true);
        }

        assertThat(catchUp.estimate()).isEqualTo(nanos(300));
    }

    private static Duration nanos(long nanos) {
        return Duration.ofNanos(nanos);
    }
}
