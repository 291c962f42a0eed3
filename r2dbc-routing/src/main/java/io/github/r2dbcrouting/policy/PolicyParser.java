package io.github.r2dbcrouting.policy;

import io.github.r2dbcrouting.PolicySyntaxException;
import io.github.r2dbcrouting.policy.Policy.Rule;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** What does a text of the policy language say? One pass, from left to right, without looking back. */
final class PolicyParser {

    private static final Set<String> FILTERS = Set.of("tags", "not", "min", "maxlag", "all", "halt");

    /** A slip in a filter's name that is no further away than this gets a suggestion. */
    private static final int NEAR = 2;

    private static final int EXCERPT = 24;

    private final String text;
    private int at;

    PolicyParser(String text) {
        this.text = text;
    }

    Policy policy() {
        if (text.length() > Policy.MAX_LENGTH) {
            throw problem(
                    "a policy has at most " + Policy.MAX_LENGTH + " characters, this has " + text.length(),
                    Policy.MAX_LENGTH);
        }
        List<Rule> rules = new ArrayList<>();
        skipBlank();
        do {
            int start = at;
            rules.add(rule(rules.isEmpty()));
            if (rules.get(rules.size() - 1).filters().get(0) instanceof Filter.Halt) {
                endAfterHalt(start);
            }
        } while (nextRule());
        return new Policy(rules);
    }

    private void endAfterHalt(int start) {
        if (take(';')) {
            skipBlank();
        }
        if (at < text.length()) {
            throw problem("halt() ends a policy, so nothing may follow it", start);
        }
    }

    /** Moves to the next rule, if there is one. */
    private boolean nextRule() {
        if (at == text.length()) {
            return false;
        }
        if (!take(';')) {
            String hint = text.charAt(at) == ',' ? ": rules are separated by ';'" : "";
            throw problem("expected '->', ';' or the end, and found " + found() + hint, at);
        }
        return at < text.length();
    }

    private Rule rule(boolean first) {
        if (at == text.length() || text.charAt(at) == ';') {
            String expected = "expected a filter, one of " + filters();
            throw problem(first && at == text.length() ? "a policy has at least one rule: " + expected : expected, at);
        }
        List<Filter> filters = new ArrayList<>();
        do {
            int start = at;
            Filter filter = filter();
            if (filter instanceof Filter.All && !filters.isEmpty()) {
                throw problem("all() only opens a rule", start);
            }
            if (filter instanceof Filter.Halt && !filters.isEmpty()) {
                throw problem("halt() is alone in its rule", start);
            }
            filters.add(filter);
            if (filter instanceof Filter.Halt && text.startsWith("->", at)) {
                throw problem("halt() is alone in its rule", at);
            }
        } while (takeArrow());
        return new Rule(filters);
    }

    private Filter filter() {
        int start = at;
        String name = word();
        if (name.isEmpty()) {
            throw problem("expected a filter, one of " + filters() + ", and found " + found(), start);
        }
        String known = name.equals("groups") ? "tags" : name;
        if (!FILTERS.contains(known)) {
            throw problem("there is no filter '" + shown(name) + "'" + suggestion(name), start);
        }
        expect('(', "after '" + name + "'");
        Filter filter = switch (known) {
            case "tags" -> new Filter.Tags(tags(name));
            case "not" -> new Filter.Not(tags(name));
            case "min" -> new Filter.Min(number());
            case "maxlag" -> new Filter.MaxLag(duration());
            case "all" -> new Filter.All();
            default -> new Filter.Halt();
        };
        expect(')', filter instanceof Filter.All || filter instanceof Filter.Halt ? "since it takes no argument" : "");
        return filter;
    }

    private List<String> tags(String filter) {
        List<String> tags = new ArrayList<>();
        do {
            int start = at;
            String tag = word();
            if (tag.isEmpty()) {
                throw problem(
                        "expected a tag in " + filter + "(…), which consists of letters, digits, _ and -, and found "
                                + found(),
                        start);
            }
            tags.add(tag);
        } while (take(','));
        return tags;
    }

    private int number() {
        int start = at;
        long number = digits("a number of servers, from 1");
        if (number < 1 || number > Integer.MAX_VALUE) {
            throw problem("min needs a number of servers from 1 to " + Integer.MAX_VALUE, start);
        }
        return (int) number;
    }

    private Duration duration() {
        int start = at;
        long number = digits("a time such as 200ms or 5s");
        int unitAt = at;
        String unit = word();
        Long millis = Map.of("ms", 1L, "s", 1_000L).get(unit);
        if (millis == null) {
            throw problem(
                    "expected the unit ms or s, and found " + (unit.isEmpty() ? found() : "'" + shown(unit) + "'"),
                    unitAt);
        }
        if (number < 1) {
            throw problem("maxlag needs a time of at least 1ms", start);
        }
        return Duration.ofMillis(number * millis);
    }

    /** Reads a number of at most nine digits, which no multiplication here makes overflow. */
    private long digits(String what) {
        int start = at;
        while (at < text.length() && isDigit(text.charAt(at))) {
            at++;
        }
        if (at == start) {
            throw problem("expected " + what + ", and found " + found(), start);
        }
        if (at - start > 9) {
            throw problem("a number has at most nine digits", start);
        }
        long number = Long.parseLong(text.substring(start, at));
        skipBlank();
        return number;
    }

    private String word() {
        int start = at;
        // the arrow after a tag is none of its characters
        while (at < text.length() && isNameCharacter(text.charAt(at)) && !text.startsWith("->", at)) {
            at++;
        }
        String word = text.substring(start, at);
        skipBlank();
        return word;
    }

    private boolean takeArrow() {
        boolean arrow = text.startsWith("->", at);
        if (arrow) {
            at += 2;
            skipBlank();
        }
        return arrow;
    }

    private boolean take(char wanted) {
        boolean there = at < text.length() && text.charAt(at) == wanted;
        if (there) {
            at++;
            skipBlank();
        }
        return there;
    }

    private void expect(char wanted, String why) {
        if (!take(wanted)) {
            throw problem(
                    "expected '" + wanted + "'" + (why.isEmpty() ? "" : " " + why) + ", and found " + found(), at);
        }
    }

    /** Blank space and line ends are free between tokens; a backslash at a line's end goes with it. */
    private void skipBlank() {
        while (at < text.length() && (Character.isWhitespace(text.charAt(at)) || isLineContinuation())) {
            at++;
        }
    }

    private boolean isLineContinuation() {
        return text.charAt(at) == '\\' && (text.startsWith("\n", at + 1) || text.startsWith("\r", at + 1));
    }

    private static boolean isNameCharacter(char c) {
        return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static String suggestion(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        for (String filter : List.of("tags", "not", "min", "maxlag", "all", "halt")) {
            if (distance(lower, filter) <= Math.min(NEAR, filter.length() - 2)) {
                return ": did you mean '" + filter + "'?";
            }
        }
        return ", only " + filters();
    }

    private static String filters() {
        return "tags(…), not(…), min(n), maxlag(200ms), all(), halt()";
    }

    /** Levenshtein's; both are a word long at most. */
    private static int distance(String one, String other) {
        if (Math.abs(one.length() - other.length()) > NEAR) {
            return Integer.MAX_VALUE;
        }
        int[] before = new int[other.length() + 1];
        for (int i = 0; i < before.length; i++) {
            before[i] = i;
        }
        for (int i = 1; i <= one.length(); i++) {
            int[] now = new int[other.length() + 1];
            now[0] = i;
            for (int j = 1; j <= other.length(); j++) {
                int replaced = before[j - 1] + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
                now[j] = Math.min(replaced, Math.min(before[j], now[j - 1]) + 1);
            }
            before = now;
        }
        return before[other.length()];
    }

    /** A word may be as long as the text; an excerpt of it is enough. */
    private static String shown(String word) {
        return word.length() <= EXCERPT ? word : word.substring(0, EXCERPT) + '…';
    }

    private String found() {
        if (at == text.length()) {
            return "the end";
        }
        char c = text.charAt(at);
        return Character.isISOControl(c) ? "a control character" : "'" + c + "'";
    }

    private PolicySyntaxException problem(String what, int offset) {
        int start = Math.max(0, offset - EXCERPT);
        int end = Math.min(text.length(), offset + EXCERPT);
        String excerpt = (start > 0 ? "…" : "") + text.substring(start, offset) + "⟨here⟩" + text.substring(offset, end)
                + (end < text.length() ? "…" : "");
        return new PolicySyntaxException(what, offset, excerpt);
    }
}
