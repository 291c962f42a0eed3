package io.github.r2dbcrouting.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.postgresql.StatementLexer.Token;
import io.github.r2dbcrouting.spi.StatementText;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The corpus, written otherwise without meaning anything else. */
class StatementFuzzTests {

    /** Each begins with white space, so that it cannot make something else of the character before. */
    private static final List<String> BLANKS = List.of(
            " ",
            "\n",
            "\f\t",
            "\r\n",
            " /* ; ' \" $$ */",
            " /* /* */ select */ ",
            " -- DELETE ' $q$ \\\n",
            " /**/ --\r",
            " /* \\' */",
            "\t/*/**/*/");

    private record Piece(Token token, int start, int end) {}

    @Test
    void doesNotDependOnCaseAndWhiteSpaceAndComments() {
        Random random = new Random(20_261_120);
        for (Corpus.Entry entry : Corpus.read()) {
            List<Piece> pieces = pieces(entry.sql());
            for (int round = 0; round < 60; round++) {
                assertSame(entry, rewritten(entry.sql(), pieces, random, false));
            }
        }
    }

    @Test
    void doesNotDependOnHowNamesAndStringsAreQuoted() {
        Random random = new Random(20_261_121);
        for (Corpus.Entry entry : Corpus.read()) {
            List<Piece> pieces = pieces(entry.sql());
            for (int round = 0; round < 60; round++) {
                assertSame(entry, rewritten(entry.sql(), pieces, random, true));
            }
        }
    }

    @Test
    void rewritesWhatHasQuotesAndDollarsAndBackslashes() {
        for (String sign : List.of("'", "\"", "$", "\\", "--", "/*")) {
            Random random = new Random(3);

            assertThat(Corpus.read().stream()
                            .filter(entry -> entry.sql().contains(sign))
                            .filter(entry -> !rewritten(entry.sql(), pieces(entry.sql()), random, true)
                                    .equals(entry.sql())))
                    .as(sign)
                    .hasSizeGreaterThan(5);
        }
    }

    private static void assertSame(Corpus.Entry entry, String sql) {
        StatementText text = StatementReader.read(sql, Corpus.FUNCTIONS);

        assertThat(text.kind()).as("%s", sql).isEqualTo(entry.kind());
        assertThat(text.leavesState()).as("%s", sql).isEqualTo(entry.leavesState());
    }

    /** The tokens that the text has whatever the setting of {@code standard_conforming_strings}. */
    private static List<Piece> pieces(String sql) {
        List<Piece> pieces = pieces(sql, false);
        Set<Piece> others = new HashSet<>(pieces(sql, true));
        pieces.retainAll(others);
        return pieces;
    }

    private static List<Piece> pieces(String sql, boolean backslashEscapes) {
        StatementLexer lexer = new StatementLexer(sql, backslashEscapes);
        List<Piece> pieces = new ArrayList<>();
        for (Token token = lexer.next(); token != Token.END; token = lexer.next()) {
            pieces.add(new Piece(token, lexer.start(), lexer.end()));
        }
        return pieces;
    }

    private static String rewritten(String sql, List<Piece> pieces, Random random, boolean quoting) {
        StringBuilder rewritten = new StringBuilder();
        int at = 0;
        for (int i = 0; i < pieces.size(); i++) {
            Piece piece = pieces.get(i);
            // what lies between the pieces is white space, or read in two ways: it stays
            rewritten.append(sql, at, piece.start);
            if (random.nextInt(3) == 0) {
                rewritten.append(BLANKS.get(random.nextInt(BLANKS.size())));
            }
            String text = sql.substring(piece.start, piece.end);
            boolean called = i + 1 < pieces.size() && sql.charAt(pieces.get(i + 1).start) == '(';
            rewritten.append(quoting ? quoted(piece.token, text, called, random) : cased(piece.token, text, random));
            at = piece.end;
        }
        rewritten.append(sql, at, sql.length());
        return rewritten
                .append(sql.contains("--") ? "\n" : "")
                .append("/* ' */")
                .toString();
    }

    private static String cased(Token token, String text, Random random) {
        StringBuilder cased = new StringBuilder();
        boolean prefix = token == Token.STRING || token == Token.ESCAPED;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean letter = c < 0x80 && Character.isLetter(c);
            boolean free = letter && (token == Token.WORD || (prefix && i == 0));
            cased.append(free && random.nextBoolean() ? (char) (c ^ ('a' - 'A')) : c);
        }
        return cased.toString();
    }

    /** Names that are called in quotes, unless they may be keywords; strings without a need for escapes in dollars. */
    private static String quoted(Token token, String text, boolean called, Random random) {
        if (random.nextInt(3) == 0) {
            return text;
        }
        String folded = text.toLowerCase(Locale.ROOT);
        if (token == Token.WORD && called && Keyword.of(folded) == null) {
            return " \"" + folded + "\"";
        }
        boolean plain = text.startsWith("'") && text.indexOf('\'', 1) == text.length() - 1 && !text.contains("\\");
        if (token == Token.STRING && plain && !text.contains("$")) {
            String tag = random.nextBoolean() ? "$$" : "$q_1$";
            return " " + tag + text.substring(1, text.length() - 1) + tag;
        }
        return text;
    }
}
