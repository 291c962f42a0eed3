package io.github.r2dbcrouting.fuzz;

import java.util.List;
import java.util.Random;

/** What is a text made into that is nearly what is expected? The same seed makes the same texts. */
final class Mutations {

    private static final int MOST = 6;

    /** What parsers, logs, terminals and databases take for something else than a character. */
    private static final List<String> TROUBLE = List.of(
            "\r\n",
            "\0",
            "\u001b[2J",
            "\u009b31m",
            "\u202e",
            "\u2028",
            "\u200b",
            "\ud83d",
            "\ude00",
            "\ud83d\ude00",
            "é",
            "٣",
            "\uff11",
            "ſ",
            "K",
            "İ",
            "<script>",
            "'; DROP TABLE t; --",
            "%s",
            "%00",
            "${jndi:ldap://h}",
            "{}",
            "\\",
            "\\\n",
            "'",
            "''",
            "\"",
            "\"\"",
            "$$",
            "$a$",
            "--",
            "/*",
            "*/",
            "(",
            ")",
            "((((((((",
            "[",
            "]",
            "->",
            ";",
            ",",
            "~",
            "~~",
            ".",
            ":",
            "@",
            "=",
            "&",
            "#",
            "?",
            "/",
            "-1",
            "0",
            "00",
            "2147483648",
            "9223372036854775808",
            "ffffffffffffffff",
            "1e9",
            "NaN",
            "PT1S",
            "PT-1S",
            "P99999999999D",
            " ",
            "\t",
            "\u00a0",
            "");

    private final Random random;

    Mutations(long seed) {
        this.random = new Random(seed);
    }

    String of(List<String> seeds) {
        StringBuilder text = new StringBuilder(any(seeds));
        for (int left = random.nextInt(MOST); left >= 0; left--) {
            int at = random.nextInt(text.length() + 1);
            int end = Math.min(text.length(), at + 1 + random.nextInt(8));
            switch (random.nextInt(8)) {
                case 0 -> text.delete(at, end);
                case 1 -> text.insert(at, text.substring(at, end));
                case 2 -> text.insert(at, text.substring(at, end).repeat(random.nextInt(20)));
                case 3 -> text.replace(at, end, any(TROUBLE));
                case 4 -> {
                    String other = any(seeds);
                    text.replace(at, text.length(), other.substring(random.nextInt(other.length() + 1)));
                }
                case 5 -> {
                    if (at < text.length()) {
                        text.setCharAt(at, (char) (text.charAt(at) ^ (1 << random.nextInt(8))));
                    }
                }
                case 6 -> {
                    if (at < text.length()) {
                        text.setCharAt(at, (char) random.nextInt(Character.MAX_VALUE));
                    }
                }
                default -> text.insert(at, any(TROUBLE));
            }
        }
        return text.toString();
    }

    private String any(List<String> texts) {
        return texts.get(random.nextInt(texts.size()));
    }

    /** What is repeated in very long texts. */
    static List<String> fragments() {
        return TROUBLE.stream().filter(text -> !text.isEmpty()).toList();
    }
}
