package io.github.r2dbcrouting.benchmarks.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LagTests {

    @Test
    void eachKindIsRead() {
        assertThat(Lag.parse("none")).isEqualTo(Lag.NONE);
        assertThat(Lag.parse("paused").kind()).isEqualTo(Lag.Kind.PAUSED);
        assertThat(Lag.parse("killed").kind()).isEqualTo(Lag.Kind.KILLED);
        assertThat(Lag.parse("delay=200")).isEqualTo(new Lag(Lag.Kind.DELAY, Duration.ofMillis(200), Duration.ZERO));
        assertThat(Lag.parse("spikes=500/2000"))
                .isEqualTo(new Lag(Lag.Kind.SPIKES, Duration.ofMillis(500), Duration.ofSeconds(2)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "delay",
                "delay=",
                "delay=0",
                "delay=-1",
                "delay=1s",
                "spikes=500",
                "spikes=500/500",
                "paused=1"
            })
    void otherTextsAreRefused(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Lag.parse(text))
                .withMessageContaining("delay=<ms>")
                .withMessageContaining("'" + text + "'");
    }
}
