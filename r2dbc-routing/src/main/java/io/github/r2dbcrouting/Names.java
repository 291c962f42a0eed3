package io.github.r2dbcrouting;

/**
 * Has a name only the characters that it may have?
 *
 * <p>The messages do not repeat it: a URL with a password is easily given in its place.
 */
final class Names {

    private Names() {}

    static void check(String name, String what, String signs) {
        if (name.isEmpty()) {
            throw new IllegalArgumentException(what + " has at least one character");
        }
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            boolean letterOrDigit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            if (!letterOrDigit && signs.indexOf(c) < 0) {
                throw new IllegalArgumentException(what + " consists of letters, digits and any of " + signs
                        + ", and the one given has something else at offset " + i);
            }
        }
    }
}
