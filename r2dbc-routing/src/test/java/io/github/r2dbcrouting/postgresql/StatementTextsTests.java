package io.github.r2dbcrouting.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.spi.StatementText;
import io.github.r2dbcrouting.spi.StatementText.Kind;
import java.util.List;
import org.junit.jupiter.api.Test;

class StatementTextsTests {

    private final StatementTexts texts = new StatementTexts(Functions.builtIn());

    @Test
    void takesABoundedAmountOfMemoryHoweverManyTextsThereAre() {
        String filler = "x".repeat(1_000);
        int most = 0;
        for (int i = 0; i < 30_000; i++) {
            assertThat(texts.read("SELECT '" + filler + i + "'").kind()).isEqualTo(Kind.READ);
            most = Math.max(most, texts.characters());
        }

        assertThat(most).isBetween(StatementTexts.MAX_CHARACTERS, 2 * StatementTexts.MAX_CHARACTERS);
    }

    @Test
    void keepsNoTextThatIsVeryLong() {
        String sql = "SELECT '" + "x".repeat(StatementTexts.MAX_CACHED_LENGTH) + "'";

        StatementText first = texts.read(sql);

        assertThat(texts.read(sql)).isEqualTo(first).isNotSameAs(first);
        assertThat(texts.characters()).isZero();
    }

    @Test
    void keepsWhatIsAskedForWhileOthersComeAndGo() {
        StatementText first = texts.read("SELECT 1");
        StatementText other = texts.read("SELECT 2");
        String filler = "x".repeat(1_000);
        for (int i = 0; i < 30_000; i++) {
            assertThat(texts.read("SELECT '" + filler + i + "'")).isNotNull();
            if (i % 100 == 0) {
                assertThat(texts.read("SELECT 1")).isSameAs(first);
            }
        }

        assertThat(texts.read("SELECT 2")).isEqualTo(other).isNotSameAs(other);
    }

    @Test
    void remembersWhatAReplicaRefusedWhenTheTextItselfIsForgotten() {
        String sql = "SELECT lower('shadowed')";
        texts.learnWrite(sql);
        StatementText learned = texts.read(sql);
        String filler = "x".repeat(1_000);
        for (int i = 0; i < 30_000; i++) {
            assertThat(texts.read("SELECT '" + filler + i + "'")).isNotNull();
        }

        assertThat(texts.read(sql)).isEqualTo(learned).isNotSameAs(learned);
        assertThat(learned.kind()).isEqualTo(Kind.WRITE);
    }

    @Test
    void remembersABoundedNumberOfRefusedTexts() {
        int many = 100_000;
        for (int i = 0; i < many; i++) {
            texts.learnWrite("SELECT " + i);
        }

        assertThat(texts.learned()).isBetween(StatementTexts.MAX_LEARNED, 2 * StatementTexts.MAX_LEARNED);
        assertThat(texts.read("SELECT " + (many - 1)).kind()).isEqualTo(Kind.WRITE);
        assertThat(texts.read("SELECT 0").kind()).isEqualTo(Kind.READ);
    }

    @Test
    void readsATextAnewOnceTheFunctionsAreOthers() {
        String sql = "SELECT total(1), lower('x')";
        assertThat(texts.read(sql).kind()).isEqualTo(Kind.UNKNOWN);

        texts.know(Functions.builtIn().with(List.of(reading("public", "total"))));
        StatementText read = texts.read(sql);
        texts.know(Functions.builtIn().with(List.of(reading("public", "total"))));

        assertThat(read.kind()).isEqualTo(Kind.READ);
        assertThat(texts.read(sql)).as("nothing has changed").isSameAs(read);
        texts.know(Functions.builtIn().with(List.of(new Functions.Catalogued("public", "total", false, false))));
        assertThat(texts.read(sql).kind()).isEqualTo(Kind.UNKNOWN);
    }

    @Test
    void remembersARefusalWhateverTheFunctions() {
        texts.know(Functions.builtIn().with(List.of(reading("public", "total"))));
        texts.learnWrite("SELECT total(1)");

        texts.know(Functions.builtIn());
        texts.know(Functions.builtIn().with(List.of(reading("public", "total"))));

        assertThat(texts.read("SELECT total(1)").kind()).isEqualTo(Kind.WRITE);
    }

    private static Functions.Catalogued reading(String schema, String name) {
        return new Functions.Catalogued(schema, name, true, false);
    }

    @Test
    void remembersThatAVeryLongTextWasRefused() {
        String sql = "SELECT '" + "x".repeat(StatementTexts.MAX_CACHED_LENGTH) + "'";

        texts.learnWrite(sql);

        assertThat(texts.read(sql).kind()).isEqualTo(Kind.WRITE);
        assertThat(texts.read(sql + " ").kind()).isEqualTo(Kind.READ);
    }
}
