package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.r2dbcrouting.RoutingConnectionFactoryProvider.Setting;
import io.r2dbc.spi.ConnectionFactoryOptions;
import io.r2dbc.spi.Option;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OptionTypeTests {

    private static final Option<Duration> PAUSE = Option.valueOf("pauseForTests");

    @ParameterizedTest
    @CsvSource({"100ms,100", "2s,2000", "5m,300000", "1h,3600000", "PT0.1S,100", "0ms,0", "' 7ms ',7"})
    void readsDurations(String text, long millis) {
        assertThat(OptionType.DURATION.read(text)).isEqualTo(Duration.ofMillis(millis));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "5", "ms", "-5ms", "5 ms", "5d", "1.5s", "0x5ms", "9999999999999h", "P", "soon"})
    void readsNothingElseAsADuration(String text) {
        assertThat(OptionType.DURATION.read(text)).isNull();
    }

    @Test
    void readsConstantsInAnyCase() {
        OptionType<ServerStatus> type = OptionType.oneOf(ServerStatus.class);

        assertThat(type.read("up")).isEqualTo(ServerStatus.UP);
        assertThat(type.read("Up")).isEqualTo(ServerStatus.UP);
        assertThat(type.read(ServerStatus.DOWN)).isEqualTo(ServerStatus.DOWN);
        assertThat(type.read("upwards")).isNull();
        assertThat(type.expected()).startsWith("one of ").contains("up", "down");
    }

    @Test
    void readsFlagsStrictly() {
        assertThat(OptionType.FLAG.read("true")).isTrue();
        assertThat(OptionType.FLAG.read("FALSE")).isFalse();
        assertThat(OptionType.FLAG.read(true)).isTrue();
        assertThat(OptionType.FLAG.read("yes")).isNull();
        assertThat(OptionType.FLAG.read("1")).isNull();
    }

    @Test
    void readsObjectsOfItsOwnTypeOnly() {
        assertThat(OptionType.DURATION.read(Duration.ofSeconds(1))).isEqualTo(Duration.ofSeconds(1));
        assertThat(OptionType.DURATION.read(5)).isNull();
        assertThat(OptionType.COUNT.read(5)).isEqualTo(5);
        assertThat(OptionType.COUNT.read(5L)).isNull();
    }

    @Test
    void callsTheBuilderForASettingThatWasGiven() {
        List<Duration> called = new ArrayList<>();
        Setting setting = Setting.of("pause", PAUSE, OptionType.DURATION, (builder, pause) -> called.add(pause));
        ConnectionFactoryOptions options = ConnectionFactoryOptions.builder()
                .option(Option.<Object>valueOf(PAUSE.name()), "3s")
                .build();

        setting.call().accept(RoutingConnectionFactory.builder(), new GivenOptions(options));
        setting.call()
                .accept(
                        RoutingConnectionFactory.builder(),
                        new GivenOptions(ConnectionFactoryOptions.builder().build()));

        assertThat(setting.options()).containsExactly(PAUSE);
        assertThat(called).containsExactly(Duration.ofSeconds(3));
    }

    @Test
    void showsNoTextThatHoldsThePassword() {
        ConnectionFactoryOptions options = ConnectionFactoryOptions.builder()
                .option(ConnectionFactoryOptions.PASSWORD, "hunter2")
                .option(Option.<Object>valueOf(PAUSE.name()), "my-hunter2")
                .build();

        assertThatIllegalArgumentException()
                .isThrownBy(() -> new GivenOptions(options).get(PAUSE, OptionType.DURATION))
                .withMessageContaining("'<hidden>'")
                .withMessageContaining("pauseForTests")
                .withMessageNotContaining("hunter2");
        assertThat(new GivenOptions(options).shown("soon")).isEqualTo("soon");
        assertThat(new GivenOptions(options).shown("x".repeat(81))).isEqualTo("<hidden>");
    }

    @Test
    void suggestsTheNameThatWasMeant() {
        List<String> known = List.of("maxWait", "retries", "ssl");

        assertThat(OptionNames.nearest("maxwait", known)).isEqualTo("maxWait");
        assertThat(OptionNames.nearest("retrys", known)).isEqualTo("retries");
        assertThat(OptionNames.nearest("tls", known)).isNull();
        assertThat(OptionNames.nearest("", known)).isNull();
    }
}
