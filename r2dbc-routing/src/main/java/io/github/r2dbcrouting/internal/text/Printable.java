package io.github.r2dbcrouting.internal.text;

/**
 * How is a text from outside shown to people?
 *
 * <p>Without what makes more of it than characters on a line: line breaks would begin a line of their own in a log,
 * escape sequences command the terminal that shows it, and marks of direction or of no width hide what it says.
 */
public final class Printable {

    private static final char UNPRINTABLE = '\ufffd';

    private Printable() {}

    /**
     * Replaces what is not printed: white space by a blank, anything else by a replacement character.
     *
     * @param text any text
     * @return a text on one line, as long
     */
    public static String of(String text) {
        int first = 0;
        while (first < text.length() && isPlain(text.charAt(first))) {
            first++;
        }
        if (first == text.length()) {
            return text;
        }
        StringBuilder shown = new StringBuilder(text.length()).append(text, 0, first);
        for (int i = first; i < text.length(); i++) {
            char c = text.charAt(i);
            shown.append(isPlain(c) ? c : Character.isWhitespace(c) ? ' ' : UNPRINTABLE);
        }
        return shown.toString();
    }

    /**
     * Replaces what is not printed, and leaves out what is too much.
     *
     * @param text any text
     * @param atMost how much of it is shown, in characters, from 1
     * @return a text on one line; an ellipsis at its end says that there was more
     */
    public static String of(String text, int atMost) {
        return text.length() <= atMost ? of(text) : of(text.substring(0, atMost)) + '…';
    }

    private static boolean isPlain(char c) {
        if (c >= ' ' && c <= '~') {
            return true;
        }
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED -> false;
            default -> true;
        };
    }
}
