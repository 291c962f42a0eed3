package io.github.r2dbcrouting.postgresql;

import io.github.r2dbcrouting.spi.StatementText;

/**
 * What does the text of a PostgreSQL statement hold, outside of its strings, quoted identifiers and comments?
 *
 * <p>One pass over the lexical rules of the PostgreSQL manual, section 4.1. A text that ends inside a string or comment
 * is read as if that ended with it; the server reports the mistake.
 */
final class StatementReader {

    private final String sql;
    private final int length;
    private int at;
    private int parameters;
    private int statements;
    private boolean inStatement;
    private boolean changesRows;
    private boolean returnsRows;
    private boolean touchesDurability;

    private StatementReader(String sql) {
        this.sql = sql;
        this.length = sql.length();
    }

    static StatementText read(String sql) {
        return new StatementReader(sql).read();
    }

    private StatementText read() {
        while (at < length) {
            char c = sql.charAt(at);
            if (Character.isWhitespace(c)) {
                at++;
            } else if (c == '-' && next() == '-') {
                skipLineComment();
            } else if (c == '/' && next() == '*') {
                skipBlockComment();
            } else if (c == ';') {
                inStatement = false;
                at++;
            } else {
                if (!inStatement) {
                    inStatement = true;
                    statements++;
                }
                readToken(c);
            }
        }
        // a setting's name may hide in a string (set_config) or in a quoted identifier, so the whole text is searched
        touchesDurability = mentionsDurability();
        StatementText.Kind kind = changesRows ? StatementText.Kind.WRITE : StatementText.Kind.UNKNOWN;
        return new StatementText(parameters, statements, kind, changesRows, returnsRows, touchesDurability, false);
    }

    private void readToken(char c) {
        if (c == '\'') {
            skipString(false);
        } else if (c == '"') {
            skipQuoted('"');
        } else if (c == '$') {
            readDollar();
        } else if (startsWord(c)) {
            readWord();
        } else {
            at++;
        }
    }

    private void readWord() {
        int start = at;
        while (at < length && continuesWord(sql.charAt(at))) {
            at++;
        }
        if (at < length && sql.charAt(at) == '\'' && at - start == 1) {
            char prefix = sql.charAt(start);
            skipString(prefix == 'e' || prefix == 'E');
            return;
        }
        changesRows |=
                isWord(start, "insert") || isWord(start, "update") || isWord(start, "delete") || isWord(start, "merge");
        returnsRows |= isWord(start, "returning");
    }

    private boolean isWord(int start, String word) {
        return at - start == word.length() && sql.regionMatches(true, start, word, 0, word.length());
    }

    /** Reads {@code $1}, {@code $$…$$}, {@code $tag$…$tag$}, or a stray dollar sign. */
    private void readDollar() {
        int start = at++;
        if (at < length && isDigit(sql.charAt(at))) {
            int number = 0;
            while (at < length && isDigit(sql.charAt(at))) {
                // 65535 is the protocol's limit: beyond it the number no longer matters, and must not overflow
                number = Math.min(number * 10 + (sql.charAt(at) - '0'), 65_536);
                at++;
            }
            parameters = Math.max(parameters, number);
            return;
        }
        int tagEnd = at;
        while (tagEnd < length && sql.charAt(tagEnd) != '$' && continuesWord(sql.charAt(tagEnd))) {
            tagEnd++;
        }
        if (tagEnd < length && sql.charAt(tagEnd) == '$') {
            String tag = sql.substring(start, tagEnd + 1);
            int close = sql.indexOf(tag, tagEnd + 1);
            at = close < 0 ? length : close + tag.length();
        }
    }

    private void skipString(boolean escapes) {
        at++;
        while (at < length) {
            char c = sql.charAt(at++);
            if (escapes && c == '\\') {
                at = Math.min(at + 1, length);
            } else if (c == '\'') {
                if (at < length && sql.charAt(at) == '\'') {
                    at++;
                } else if (!escapes || !goesOnInAnotherLine()) {
                    return;
                }
            }
        }
    }

    /**
     * Strings with only a line break between them are one, and what begins with E has escapes in all its parts. Moves
     * into the next part, if there is one.
     */
    private boolean goesOnInAnotherLine() {
        boolean newline = false;
        int ahead = at;
        while (ahead < length) {
            char c = sql.charAt(ahead);
            if (c == '-' && sql.startsWith("--", ahead)) {
                while (ahead < length && !isNewline(sql.charAt(ahead))) {
                    ahead++;
                }
            } else if (Character.isWhitespace(c)) {
                newline |= isNewline(c);
                ahead++;
            } else {
                break;
            }
        }
        boolean goesOn = newline && ahead < length && sql.charAt(ahead) == '\'';
        at = goesOn ? ahead + 1 : at;
        return goesOn;
    }

    private void skipQuoted(char quote) {
        int close = sql.indexOf(quote, at + 1);
        at = close < 0 ? length : close + 1;
    }

    private void skipLineComment() {
        while (at < length && !isNewline(sql.charAt(at))) {
            at++;
        }
    }

    /** Block comments nest in PostgreSQL, unlike in the standard. */
    private void skipBlockComment() {
        int depth = 0;
        do {
            char c = sql.charAt(at);
            if (c == '/' && next() == '*') {
                depth++;
                at += 2;
            } else if (c == '*' && next() == '/') {
                depth--;
                at += 2;
            } else {
                at++;
            }
        } while (depth > 0 && at < length);
        at = Math.min(at, length);
    }

    private boolean mentionsDurability() {
        return contains("synchronous_commit") || contains("set_config");
    }

    private boolean contains(String word) {
        for (int i = 0; i <= length - word.length(); i++) {
            if (sql.regionMatches(true, i, word, 0, word.length())) {
                return true;
            }
        }
        return false;
    }

    private char next() {
        return at + 1 < length ? sql.charAt(at + 1) : '\0';
    }

    private static boolean isNewline(char c) {
        return c == '\n' || c == '\r';
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static boolean startsWord(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
    }

    private static boolean continuesWord(char c) {
        return startsWord(c) || isDigit(c) || c == '$';
    }
}
