package io.github.r2dbcrouting.postgresql;

/**
 * Which tokens does the text of a statement consist of?
 *
 * <p>The lexical rules of the PostgreSQL manual, section 4.1, one token at a time and without looking back: the steps
 * grow with the length of the text and with nothing else. A text that ends inside a string or comment is read as if that
 * ended with it; the server reports the mistake.
 *
 * <p>Two servers may read the same text differently: with {@code standard_conforming_strings = off} a backslash escapes
 * the quote behind it in every string. {@link #ambiguous()} tells where that matters.
 */
final class StatementLexer {

    /** What a token is. */
    enum Token {
        /** An identifier or keyword without quotes. */
        WORD,
        /** An identifier in quotes, without Unicode escapes. */
        QUOTED,
        /** An identifier in quotes that may have Unicode escapes, which are not resolved. */
        ESCAPED,
        /** A string of any form. */
        STRING,
        /** The marker of a parameter. */
        PARAMETER,
        /** A digit of a number. */
        DIGIT,
        /** Any other character, alone. */
        SYMBOL,
        /** The end of the text. */
        END
    }

    private static final int MAX_PARAMETER = 65_536;

    private final String sql;
    private final int length;
    private final boolean backslashEscapes;
    private int at;
    private int start;
    private int parameters;
    private int steps;
    private boolean ambiguous;

    StatementLexer(String sql, boolean backslashEscapes) {
        this.sql = sql;
        this.length = sql.length();
        this.backslashEscapes = backslashEscapes;
    }

    /** Reads the next token; white space and comments are passed over. */
    Token next() {
        skipBlanks();
        start = at;
        if (at == length) {
            return Token.END;
        }
        char c = look(at);
        if (c == '\'') {
            skipString(backslashEscapes);
            return Token.STRING;
        }
        if (c == '"') {
            skipQuoted();
            return Token.QUOTED;
        }
        if (c == '$') {
            return readDollar();
        }
        if (startsWord(c)) {
            return readWord();
        }
        at++;
        return isDigit(c) ? Token.DIGIT : Token.SYMBOL;
    }

    /** The first character of the token. */
    char first() {
        return look(start);
    }

    /** Where the token begins. */
    int start() {
        return start;
    }

    /** Where the token ends, exclusively. */
    int end() {
        return at;
    }

    /** How many characters were looked at so far, each as often as it was. */
    int steps() {
        return steps;
    }

    private char look(int index) {
        steps++;
        return sql.charAt(index);
    }

    /** Where something is found, or -1. */
    private int find(String wanted, int from) {
        int found = sql.indexOf(wanted, from);
        steps += (found < 0 ? length : found + wanted.length()) - Math.min(from, length);
        return found;
    }

    /** The name that the token, a word or an identifier in quotes, stands for. */
    String name() {
        if (look(start) != '"') {
            return folded();
        }
        int end = at - start > 1 && look(at - 1) == '"' ? at - 1 : at;
        return sql.substring(start + 1, end).replace("\"\"", "\"");
    }

    /** Only ASCII letters are folded: others have upper-case forms that fold to them, but are no keywords. */
    private String folded() {
        for (int i = start; i < at; i++) {
            char c = look(i);
            if (c >= 'A' && c <= 'Z') {
                return foldedFrom(i);
            }
        }
        return sql.substring(start, at);
    }

    private String foldedFrom(int firstUpper) {
        char[] word = new char[at - start];
        sql.getChars(start, at, word, 0);
        steps += word.length;
        for (int i = firstUpper - start; i < word.length; i++) {
            if (word[i] >= 'A' && word[i] <= 'Z') {
                word[i] = (char) (word[i] + ('a' - 'A'));
            }
        }
        return new String(word);
    }

    /** The highest number among the markers so far. */
    int parameters() {
        return parameters;
    }

    /** Whether the other setting of {@code standard_conforming_strings} could make other tokens of the text. */
    boolean ambiguous() {
        return ambiguous;
    }

    private void skipBlanks() {
        while (at < length) {
            char c = look(at);
            if (isBlank(c)) {
                at++;
            } else if (c == '-' && ahead(1) == '-') {
                while (at < length && !isNewline(look(at))) {
                    at++;
                }
            } else if (c == '/' && ahead(1) == '*') {
                skipBlockComment();
            } else {
                return;
            }
        }
    }

    /** Block comments nest in PostgreSQL, unlike in the standard. */
    private void skipBlockComment() {
        int depth = 0;
        do {
            char c = look(at);
            if (c == '/' && ahead(1) == '*') {
                depth++;
                at += 2;
            } else if (c == '*' && ahead(1) == '/') {
                depth--;
                at += 2;
            } else {
                at++;
            }
        } while (depth > 0 && at < length);
    }

    private Token readWord() {
        while (at < length && continuesWord(look(at))) {
            at++;
        }
        if (at - start > 1 || at == length) {
            return Token.WORD;
        }
        char prefix = look(start);
        char c = look(at);
        if (c == '\'') {
            skipString(backslashEscapes || prefix == 'e' || prefix == 'E', prefix != 'e' && prefix != 'E');
            return Token.STRING;
        }
        if (c == '&' && (prefix == 'u' || prefix == 'U')) {
            if (ahead(1) == '"') {
                at++;
                skipQuoted();
                return Token.ESCAPED;
            }
            if (ahead(1) == '\'') {
                at++;
                skipString(backslashEscapes);
                return Token.STRING;
            }
        }
        return Token.WORD;
    }

    /** Reads {@code $1}, {@code $$…$$}, {@code $tag$…$tag$}, or a stray dollar sign. */
    private Token readDollar() {
        at++;
        if (at < length && isDigit(look(at))) {
            int number = 0;
            while (at < length && isDigit(look(at))) {
                // 65535 is the protocol's limit: beyond it the number no longer matters, and must not overflow
                number = Math.min(number * 10 + (look(at) - '0'), MAX_PARAMETER);
                at++;
            }
            parameters = Math.max(parameters, number);
            return Token.PARAMETER;
        }
        int tagEnd = at;
        while (tagEnd < length && look(tagEnd) != '$' && continuesWord(look(tagEnd))) {
            tagEnd++;
        }
        if (tagEnd == length || look(tagEnd) != '$') {
            return Token.SYMBOL;
        }
        String tag = sql.substring(start, tagEnd + 1);
        int close = find(tag, tagEnd + 1);
        at = close < 0 ? length : close + tag.length();
        return Token.STRING;
    }

    private void skipString(boolean escapes) {
        skipString(escapes, true);
    }

    /** Reads to the end of a string that {@code at} is at the quote of. */
    private void skipString(boolean escapes, boolean dependsOnSetting) {
        at++;
        boolean backslash = false;
        while (at < length) {
            char c = look(at++);
            if (c == '\\') {
                if (escapes) {
                    at = Math.min(at + 1, length);
                } else {
                    backslash = !backslash;
                }
                continue;
            }
            if (c == '\'') {
                ambiguous |= backslash && dependsOnSetting;
                if (at < length && look(at) == '\'') {
                    at++;
                } else if (!goesOnInAnotherLine()) {
                    return;
                }
            }
            backslash = false;
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
            char c = look(ahead);
            if (c == '-' && ahead + 1 < length && look(ahead + 1) == '-') {
                while (ahead < length && !isNewline(look(ahead))) {
                    ahead++;
                }
            } else if (isBlank(c)) {
                newline |= isNewline(c);
                ahead++;
            } else {
                break;
            }
        }
        boolean goesOn = newline && ahead < length && look(ahead) == '\'';
        at = goesOn ? ahead + 1 : at;
        return goesOn;
    }

    /** Reads to the end of an identifier that {@code at} is at the first quote of; a doubled quote is a part of it. */
    private void skipQuoted() {
        int close = find("\"", at + 1);
        while (close >= 0 && close + 1 < length && look(close + 1) == '"') {
            close = find("\"", close + 2);
        }
        at = close < 0 ? length : close + 1;
    }

    private char ahead(int by) {
        return at + by < length ? look(at + by) : '\0';
    }

    private static boolean isNewline(char c) {
        return c == '\n' || c == '\r';
    }

    /** Not what Unicode takes for white space: to the server those are letters. */
    private static boolean isBlank(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
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
