package io.github.r2dbcrouting.postgresql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommitPatternTests {

    @Test
    void readsWhatItWrote() {
        CommitPattern pattern = CommitPattern.of(List.of(true, false, true), List.of("7", "8", "4294967299", "0/100"));

        assertThat(pattern.text()).isEqualTo("7+8-4294967299+");
        assertThat(CommitPattern.parse(pattern.text())).isEqualTo(pattern);
        assertThat(pattern.transactions()).containsExactly("7", "8", "4294967299");
        assertThat(pattern.statuses()).containsExactly("committed", "aborted", "committed");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "7", "+", "7+8", "7+ 8-", "7+;DROP", "x7+", "123456789012345678901+"})
    void readsNothingElse(String text) {
        assertThatThrownBy(() -> CommitPattern.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void endsEachTransactionAsItWasDrawnAndWaitsForTheDiskOnce() {
        String sql = CommitPattern.statements(List.of(true, false));

        assertThat(sql)
                .startsWith("BEGIN; SET LOCAL synchronous_commit = off; SELECT pg_current_xact_id()::text; COMMIT; "
                        + "BEGIN; SELECT pg_current_xact_id()::text; ROLLBACK; "
                        + "BEGIN; SET LOCAL synchronous_commit = local; SELECT pg_logical_emit_message(true, ")
                .endsWith("; COMMIT");
    }

    @Test
    void drawsAnewEachTime() {
        Set<List<Boolean>> drawn =
                Stream.generate(CommitPattern::draw).limit(100).collect(Collectors.toSet());

        assertThat(drawn).hasSize(100).allMatch(ends -> ends.size() == CommitPattern.TRANSACTIONS);
    }
}
