package io.github.r2dbcrouting.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.StatementText;
import io.github.r2dbcrouting.spi.StatementText.Kind;
import java.util.List;

/** What must hold of any text that is read as PostgreSQL's. */
public final class StatementFuzzing {

    /** So often is a character looked at, at most, in one pass. */
    private static final int LOOKS = 8;

    private static final int MAX_PARAMETERS = 65_536;

    private StatementFuzzing() {}

    public static List<String> statements() {
        return Corpus.read().stream().map(Corpus.Entry::sql).toList();
    }

    public static void readStatement(String sql) {
        StatementText text = StatementReader.read(sql, Corpus.FUNCTIONS);

        assertThat(text.parameters()).isBetween(0, MAX_PARAMETERS);
        assertThat(text.statements()).isBetween(0, sql.length());
        assertThat(text.leavesState() && text.kind() != Kind.WRITE)
                .as("a read that leaves state: %s", sql)
                .isFalse();
        for (boolean backslashEscapes : new boolean[] {false, true}) {
            StatementLexer lexer = new StatementLexer(sql, backslashEscapes);
            StatementClassifier unused = StatementReader.classify(lexer, Corpus.FUNCTIONS);
            assertThat(lexer.steps()).as("steps for %s", sql).isLessThanOrEqualTo(LOOKS * sql.length() + LOOKS);
        }
    }

    public static void readHistory(String file) {
        for (Position end : TimelineHistory.ends("7", file)) {
            assertThat(WalPosition.parse(end.text())).isEqualTo(end);
        }
    }
}
