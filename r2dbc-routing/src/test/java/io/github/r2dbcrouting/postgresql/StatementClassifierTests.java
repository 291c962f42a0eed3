package io.github.r2dbcrouting.postgresql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.r2dbcrouting.spi.StatementText;
import io.github.r2dbcrouting.spi.StatementText.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class StatementClassifierTests {

    static List<Corpus.Entry> corpus() {
        return Corpus.read();
    }

    @ParameterizedTest
    @MethodSource("corpus")
    void tellsWhatTheTextTells(Corpus.Entry entry) {
        StatementText text = StatementReader.read(entry.sql(), Corpus.FUNCTIONS);

        assertThat(text.kind()).isEqualTo(entry.kind());
        assertThat(text.leavesState()).isEqualTo(entry.leavesState());
    }

    @Test
    void hasACorpusOfStatementsWithoutRepetitions() {
        assertThat(corpus()).hasSizeGreaterThanOrEqualTo(320);
        assertThat(corpus()).extracting(Corpus.Entry::sql).doesNotHaveDuplicates();
    }

    @Test
    void readsAnyTokensWithoutFailing() {
        List<String> tokens = new ArrayList<>(List.of("(", ")", ",", ";", ".", "'a'", "\"b\"", "$1", "1", "U&\"c\""));
        Corpus.read().forEach(entry -> tokens.addAll(List.of(entry.sql().split("\\s+"))));
        Random random = new Random(5);

        for (int round = 0; round < 50_000; round++) {
            StringBuilder sql = new StringBuilder();
            for (int left = random.nextInt(40); left > 0; left--) {
                sql.append(tokens.get(random.nextInt(tokens.size()))).append(random.nextBoolean() ? " " : "");
            }
            StatementText text = StatementReader.read(sql.toString());

            assertThat(text.leavesState() && text.kind() != Kind.WRITE).isFalse();
        }
    }

    @Test
    void knowsNothingOfWhatIsInTooManyParentheses() {
        assertThat(StatementReader.read("SELECT " + "(".repeat(90) + "1" + ")".repeat(90))
                        .kind())
                .isEqualTo(Kind.READ);
        assertThat(StatementReader.read("SELECT " + "(".repeat(200) + "1" + ")".repeat(200))
                        .kind())
                .isEqualTo(Kind.UNKNOWN);
        assertThat(StatementReader.read("SELECT " + "(".repeat(200) + "nextval('s')" + ")".repeat(200))
                        .kind())
                .isEqualTo(Kind.WRITE);
    }

    @Test
    void takesTheApplicationsWordForItsFunctions() {
        PostgresEngine engine = new PostgresEngine(Set.of("Total", "billing.due"));

        assertThat(engine.read("SELECT TOTAL(1)").kind()).isEqualTo(Kind.READ);
        assertThat(engine.read("SELECT billing.due(1)").kind()).isEqualTo(Kind.READ);
        assertThat(engine.read("SELECT billing.total(1)").kind()).isEqualTo(Kind.UNKNOWN);
        assertThat(engine.read("SELECT due(1)").kind()).isEqualTo(Kind.UNKNOWN);
        assertThat(engine.read("SELECT total(nextval('s'))").kind()).isEqualTo(Kind.WRITE);
    }

    @Test
    void refusesNamesThatAreNone() {
        for (String name : List.of("total()", "", "a.b.c", "\"Total\"", "a b")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new PostgresEngine(Set.of(name)))
                    .withMessageContaining("billing.total");
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new PostgresEngine(Set.of("nextval")))
                .withMessageContaining("needs the primary");
    }

    @Test
    void learnsWhatAReplicaRefused() {
        PostgresEngine engine = new PostgresEngine();
        String sql = "SELECT lower('shadowed')";
        assertThat(engine.read(sql).kind()).isEqualTo(Kind.READ);

        engine.learnWrite(sql);
        assertThat(engine.read(sql).kind()).isEqualTo(Kind.WRITE);
        for (int i = 0; i < 100_000; i++) {
            assertThat(engine.read("SELECT " + i).kind()).isEqualTo(Kind.READ);
        }

        assertThat(engine.read(sql).kind()).isEqualTo(Kind.WRITE);
    }
}
