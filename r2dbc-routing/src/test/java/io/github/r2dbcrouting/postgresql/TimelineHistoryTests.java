package io.github.r2dbcrouting.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TimelineHistoryTests {

    @Test
    void readsWhereEachEarlierTimelineWasLeft() {
        String file = "1\t0/3000148\tno recovery target specified\n\n2\t1/aB\tafter LSN 1/AA\n2147483647  0/1";

        assertThat(TimelineHistory.ends("7", file))
                .containsExactly(
                        WalPosition.of("7", 1, "0/3000148"),
                        WalPosition.of("7", 2, "1/AB"),
                        WalPosition.of("7", Integer.MAX_VALUE, "0/1"));
    }

    @Test
    void readsLinesThatEndAsOnWindows() {
        assertThat(TimelineHistory.ends("7", "1\t0/10\treason\r\n  2\t0/20\r\n"))
                .containsExactly(WalPosition.of("7", 1, "0/10"), WalPosition.of("7", 2, "0/20"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "# 1\t0/10",
                "1",
                "1\t10",
                "1\t0/10reason",
                "1\t0/123456789",
                "0\t0/10",
                "-1\t0/10",
                "2147483648\t0/10",
                "99999999999\t0/10",
                "one\t0/10"
            })
    void passesOverWhatHasAnotherForm(String line) {
        assertThat(TimelineHistory.ends("7", line + "\n3\t0/30\n")).containsExactly(WalPosition.of("7", 3, "0/30"));
    }
}
