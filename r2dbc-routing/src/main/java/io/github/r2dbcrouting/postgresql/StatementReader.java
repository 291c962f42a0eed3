package io.github.r2dbcrouting.postgresql;

import io.github.r2dbcrouting.postgresql.StatementLexer.Token;
import io.github.r2dbcrouting.spi.StatementText;
import io.github.r2dbcrouting.spi.StatementText.Kind;

/**
 * What does the text of a PostgreSQL statement hold, outside of its strings, quoted identifiers and comments?
 *
 * <p>One pass over its tokens; a second one only where a backslash in a string makes the two settings of
 * {@code standard_conforming_strings} read different texts: then the worse of both verdicts holds.
 */
final class StatementReader {

    private static final String[] DURABILITY = {"synchronous_commit", "set_config"};

    private StatementReader() {}

    static StatementText read(String sql) {
        return read(sql, Functions.builtIn());
    }

    static StatementText read(String sql, Functions functions) {
        StatementLexer lexer = new StatementLexer(sql, false);
        StatementClassifier classifier = classify(lexer, functions);
        Kind kind = classifier.kind();
        boolean leavesState = classifier.leavesState();
        if (lexer.ambiguous()) {
            StatementClassifier other = classify(new StatementLexer(sql, true), functions);
            kind = kind == Kind.WRITE || other.kind() == Kind.WRITE ? Kind.WRITE : Kind.UNKNOWN;
            leavesState |= other.leavesState();
        }
        return new StatementText(
                lexer.parameters(),
                classifier.statements(),
                leavesState ? Kind.WRITE : kind,
                classifier.changesRows(),
                classifier.returnsRows(),
                mentionsDurability(sql),
                leavesState);
    }

    static StatementClassifier classify(StatementLexer lexer, Functions functions) {
        StatementClassifier classifier = new StatementClassifier(functions);
        for (Token token = lexer.next(); token != Token.END; token = lexer.next()) {
            classifier.accept(token, lexer);
        }
        classifier.end();
        return classifier;
    }

    /** A setting's name may hide in a string (set_config) or in a quoted identifier, so the whole text is searched. */
    private static boolean mentionsDurability(String sql) {
        for (int i = 0; i < sql.length(); i++) {
            char c = sql.charAt(i);
            if (c == 's' || c == 'S') {
                for (String word : DURABILITY) {
                    if (sql.regionMatches(true, i, word, 0, word.length())) {
                        return true;
                    }
                }
            }
        }
        return false;
    }
}
