package io.github.r2dbcrouting.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.spi.StatementText;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StatementReaderTests {

    @Test
    void countsParametersUpToTheHighestMarker() {
        assertThat(read("SELECT $2, $1, $2").parameters()).isEqualTo(2);
        assertThat(read("SELECT $10").parameters()).isEqualTo(10);
        assertThat(read("SELECT a[$1], $2::int, ($3), -$4").parameters()).isEqualTo(4);
    }

    @Test
    void countsNoParametersWhereThereIsNoMarker() {
        assertThat(read("SELECT 1").parameters()).isZero();
        assertThat(read("SELECT $").parameters()).isZero();
        assertThat(read("SELECT $ 1").parameters()).isZero();
        assertThat(read("").parameters()).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT '$9'",
                "SELECT 'it''s $9'",
                "SELECT 'a\\', 'b$9'",
                "SELECT E'it\\'s $9'",
                "SELECT e'\\\\\\'$9'",
                "SELECT E'it''s $9'",
                "SELECT E'a'\n'b\\'$9'",
                "SELECT U&'\\0061$9'",
                "SELECT B'0$9'",
                "SELECT $$ $9 $$",
                "SELECT $tag$ $9 $$ $9 $other$ $9 $tag$",
                "SELECT $täg$ $9 $täg$",
                "SELECT $_1$ $9 $_1$",
                "SELECT \"$9\"",
                "SELECT \"a\"\"$9\"",
                "SELECT U&\"$9\"",
                "SELECT 1 -- $9",
                "SELECT 1 -- $9\r\n",
                "SELECT /* $9 */ 1",
                "SELECT /* /* $9 */ $9 */ 1",
                "SELECT /*/ $9 */ 1",
                "SELECT a$9",
                "SELECT _$9 FROM é$9",
                "SELECT t1$9 FROM x$y$9"
            })
    void readsNoMarkerInsideOfAStringAnIdentifierOrAComment(String sql) {
        assertThat(read(sql).parameters()).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT 'x' || $1",
                "SELECT 'it''s' || $1",
                "SELECT 'a\\' || $1",
                "SELECT E'a\\'' || $1",
                "SELECT E'a\\\\' || $1",
                "SELECT U&'\\' || $1",
                "SELECT $$ ' $$ || $1",
                "SELECT $tag$ $ta $tag $tag$ || $1",
                "SELECT \"a'\" || $1",
                "SELECT \"a\"\"'\" || $1",
                "SELECT 1 -- '\n || $1",
                "SELECT 1 -- '\r || $1",
                "SELECT 1 --\n || $1",
                "SELECT /* ' */ $1",
                "SELECT /* /* */ ' */ $1",
                "SELECT 1 / 2 * $1 - 3 - - 4",
                "SELECT a.b$c, $1",
                "SELECT a $1",
                "SELECT 1$1"
            })
    void readsTheMarkerBehindAStringAnIdentifierOrAComment(String sql) {
        assertThat(read(sql).parameters()).isEqualTo(1);
    }

    @Test
    void keepsAMarkerBeyondTheProtocolsLimitFromOverflowing() {
        assertThat(read("SELECT $99999999999999999999").parameters()).isGreaterThan(65_535);
        assertThat(read("SELECT $65535").parameters()).isEqualTo(65_535);
    }

    @Test
    void countsStatements() {
        assertThat(read("SELECT 1").statements()).isEqualTo(1);
        assertThat(read("SELECT 1;").statements()).isEqualTo(1);
        assertThat(read(" ; ;SELECT 1; -- ;\n ; SELECT 2 ;").statements()).isEqualTo(2);
        assertThat(read("SELECT ';' || \";\" || $a$;$a$ /*;*/ || E'\\';'").statements())
                .isEqualTo(1);
    }

    @Test
    void countsNoStatementInATextOfSeparatorsAndCommentsOnly() {
        assertThat(read("").statements()).isZero();
        assertThat(read(" ; -- x\n ; /* y */ ; ").statements()).isZero();
        assertThat(read("-- x\rSELECT 1; SELECT 2").statements()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT 'x",
                "SELECT E'x\\",
                "SELECT E'x\\'",
                "SELECT \"x",
                "SELECT $$x",
                "SELECT $a$x$b$",
                "SELECT $a",
                "SELECT /* x",
                "SELECT /* /* x */",
                "SELECT /*/",
                "SELECT 1 --",
                "SELECT $",
                "SELECT E",
                "SELECT '"
            })
    void readsAnUnterminatedTextToItsEnd(String sql) {
        assertThat(read(sql).statements()).isEqualTo(1);
        assertThat(read(sql).parameters()).isZero();
    }

    @Test
    void tellsStatementsThatChangeRows() {
        for (String verb : List.of("insert", "UPDATE", "Delete", "MERGE")) {
            assertThat(read(verb + " x").changesRows()).as(verb).isTrue();
            assertThat(read("WITH a AS (" + verb + " x) SELECT").changesRows())
                    .as(verb)
                    .isTrue();
        }
    }

    @Test
    void doesNotTakeTheVerbOfAStringOrALongerWordForAChange() {
        assertThat(read("SELECT 'insert', \"update\", /* delete */ deleted, inserts, merge_ -- merge")
                        .changesRows())
                .isFalse();
    }

    @Test
    void tellsAReturningClause() {
        assertThat(read("INSERT INTO x VALUES (1) Returning id").returnsRows()).isTrue();
        assertThat(read("INSERT INTO x VALUES ('RETURNING') -- RETURNING").returnsRows())
                .isFalse();
        assertThat(read("INSERT INTO returning_x VALUES (1)").returnsRows()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SET synchronous_commit = off",
                "SET LOCAL SYNCHRONOUS_COMMIT TO local",
                "SET \"synchronous_commit\" = off",
                "DO $$ BEGIN SET synchronous_commit = off; END $$",
                "SELECT set_config($1, $2, false)",
                "SELECT pg_catalog.\"set_config\"('a', 'b', true)",
                "/* synchronous_commit */ SELECT 1"
            })
    void noticesEveryMentionOfTheDurabilityOfCommits(String sql) {
        assertThat(read(sql).touchesDurability()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"SELECT 1", "SET synchronous_commi", "SELECT synchronous, commit, set, config", "SHOW fsync", ""
            })
    void noticesNothingWhereDurabilityIsNotMentioned(String sql) {
        assertThat(read(sql).touchesDurability()).isFalse();
    }

    @Test
    void agreesWithTextsWhosePartsAreKnown() {
        Random random = new Random(20_240_501);

        for (int round = 0; round < 20_000; round++) {
            StringBuilder sql = new StringBuilder();
            int parameters = 0;
            int statements = 0;
            boolean inStatement = false;
            for (int part = random.nextInt(12); part > 0; part--) {
                int kind = random.nextInt(OPAQUE.size() + 4);
                boolean counts = true;
                if (kind == 0) {
                    sql.append(';');
                    inStatement = false;
                    counts = false;
                } else if (kind == 1) {
                    int marker = 1 + random.nextInt(40);
                    parameters = Math.max(parameters, marker);
                    sql.append('$').append(marker);
                } else if (kind < 4) {
                    sql.append(COMMENTS.get(random.nextInt(COMMENTS.size())));
                    counts = false;
                } else {
                    sql.append(OPAQUE.get(kind - 4));
                }
                if (counts && !inStatement) {
                    statements++;
                    inStatement = true;
                }
                sql.append(random.nextBoolean() ? " " : "\n\t");
            }

            StatementText text = read(sql.toString());
            assertThat(text.parameters()).as("%s", sql).isEqualTo(parameters);
            assertThat(text.statements()).as("%s", sql).isEqualTo(statements);
            assertThat(text.changesRows()).as("%s", sql).isFalse();
        }
    }

    private static final List<String> COMMENTS = List.of(
            "-- $50 ; ' \" $$ /*\n",
            "/* $50 ; ' \" $$ -- */",
            "/* /* $50 */ ; */",
            "/***/",
            "--\r",
            "/* -- */",
            "/*/**/*/");

    private static final List<String> OPAQUE = List.of(
            "SELECT",
            "x$51",
            "'$52;'",
            "'\\'",
            "E'\\'$53;' ||",
            "e'\\\\' ||",
            "E'\\'''' ||",
            "$$ $54;' $$",
            "$a$ $$ $55; $b$ $a$",
            "\"$56;'\"",
            "\"\"\"\"",
            "U&'$57'",
            "1.5e10",
            "a.b",
            "/",
            "-",
            "::",
            "$",
            "é$58",
            "x'$59'");

    @Test
    void readsAnyTextWithoutFailing() {
        List<String> fragments = List.of(
                "'",
                "\"",
                "$",
                "$1",
                "$a$",
                "$$",
                "/*",
                "*/",
                "/",
                "*",
                "--",
                "-",
                "\n",
                "\r",
                "\\",
                ";",
                "E'",
                "e",
                "insert",
                "returning",
                " ",
                "é",
                "\ud83d",
                "\udc00",
                "\0",
                "\u2003",
                "9",
                "_",
                "set_config",
                "U&'");
        Random random = new Random(7);

        for (int round = 0; round < 50_000; round++) {
            StringBuilder sql = new StringBuilder();
            for (int left = random.nextInt(30); left > 0; left--) {
                sql.append(fragments.get(random.nextInt(fragments.size())));
            }

            StatementText text = read(sql.toString());

            assertThat(text.parameters()).isBetween(0, 65_536);
            assertThat(text.statements()).isBetween(0, sql.length());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'",
                "''",
                "\"",
                "$",
                "$a",
                "$a$",
                "$$",
                "$a$b",
                "$a$ $b$ ",
                "$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "/*",
                "/*/",
                "*/",
                "/**/",
                "--",
                "-",
                "\n",
                " ",
                "\\",
                "\\'",
                "'\\",
                ";",
                "E'",
                "E'\\",
                "U&'",
                "U&\"",
                "U&\"a\" UESCAPE ",
                "$1",
                "$9999999999",
                "(",
                ")",
                "f(",
                "a.",
                ".",
                "1e",
                "a",
                "Aa",
                "synchronous_commi",
                "'a'\n",
                "'a' -- x\n",
                "E'a'\n",
                "E'a' ",
                "WITH a AS (",
                "SELECT (",
                "CASE WHEN "
            })
    void looksAtEachCharacterOfALongTextAFewTimes(String fragment) {
        for (int length : List.of(1_000, 100_000)) {
            for (String end : List.of("", "'", "\"", "$a$", "*/", "\n(")) {
                String sql = fragment.repeat(length / fragment.length()) + end;
                for (boolean backslashEscapes : List.of(true, false)) {
                    StatementLexer lexer = new StatementLexer(sql, backslashEscapes);

                    assertThat(StatementReader.classify(lexer, Functions.builtIn()))
                            .isNotNull();

                    assertThat(lexer.steps()).isBetween(sql.length() / 2, 8 * sql.length());
                }
            }
        }
    }

    @Test
    void looksForTheEndOfADollarQuoteThatHasNoneOnlyOnce() {
        StringBuilder sql = new StringBuilder("SELECT ");
        for (int i = 0; i < 10_000; i++) {
            sql.append("$t").append(i).append("$ ");
        }
        StatementLexer lexer = new StatementLexer(sql.toString(), false);

        assertThat(StatementReader.classify(lexer, Functions.builtIn())).isNotNull();

        assertThat(lexer.steps()).isBetween(sql.length() / 2, 8 * sql.length());
    }

    @Test
    void answersTheSameForATextReadBefore() {
        PostgresEngine engine = new PostgresEngine();
        String sql = "INSERT INTO x VALUES ($1, $2) RETURNING id";

        StatementText first = engine.read(sql);

        assertThat(engine.read(sql))
                .isSameAs(first)
                .isEqualTo(new StatementText(2, 1, StatementText.Kind.WRITE, true, true, false, false));
    }

    @Test
    void readsMoreTextsThanItKeeps() {
        PostgresEngine engine = new PostgresEngine();

        for (int i = 1; i <= 10_000; i++) {
            assertThat(engine.read("SELECT " + i + ", $1").parameters()).isEqualTo(1);
        }
        assertThat(engine.read("SELECT '" + "x".repeat(20_000) + "', $2").parameters())
                .isEqualTo(2);
    }

    private static StatementText read(String sql) {
        return StatementReader.read(sql);
    }
}
