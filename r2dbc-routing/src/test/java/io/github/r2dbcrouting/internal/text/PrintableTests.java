package io.github.r2dbcrouting.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PrintableTests {

    @ParameterizedTest
    @ValueSource(strings = {"", "plain ~", "Grüße, Ελληνικά, 日本語", "a…b", "‹⟨here⟩›", "a\u00a0b"})
    void leavesWhatIsPrintedAsItIs(String text) {
        assertThat(Printable.of(text)).isSameAs(text);
    }

    @Test
    void putsEverythingOnOneLine() {
        assertThat(Printable.of("a\r\nb\tc\u000bd\u2028e\u2029f\u0085g")).isEqualTo("a  b c d e f\ufffdg");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"\0", "\u001b", "\u007f", "\u009b", "\u202e", "\u2066", "\u200b", "\ufeff", "\ue000", "\ud83d"})
    void replacesWhatCommandsOrHides(String sign) {
        assertThat(Printable.of("a" + sign + "b")).isEqualTo("a\ufffdb");
    }

    @Test
    void saysThatThereWasMore() {
        assertThat(Printable.of("abc", 3)).isEqualTo("abc");
        assertThat(Printable.of("abcd", 3)).isEqualTo("abc…");
        assertThat(Printable.of("\n".repeat(1_000_000), 2)).isEqualTo("  …");
    }
}
