package io.github.r2dbcrouting.postgresql;

/**
 * In which parentheses is a token, and what is known of each?
 *
 * <p>Remembers a bounded number of levels; whatever is deeper counts as something of which nothing is known.
 */
final class Parentheses {

    /** What a pair of parentheses is. */
    enum Group {
        /** An expression or a query. */
        PLAIN,
        /** Something behind which no alias can follow. */
        LIST,
        /** The arguments of a call, or of something like one. */
        CALL,
        /** The arguments or columns of a table that is made of XML or JSON. */
        TABLE,
        /** Grouping sets. */
        SETS,
        /** An operator with its schema. */
        OPERATOR
    }

    /** Where in a list of common table expressions the tokens are. */
    private enum Common {
        NONE,
        NAME,
        LISTED
    }

    private static final int MAX_DEPTH = 100;

    private final Level[] levels = new Level[MAX_DEPTH + 1];
    private int depth;
    private Level current = new Level(Group.PLAIN, false);

    private static final class Level {
        private final Group group;
        private final boolean opensAnother;
        private boolean first = true;
        private boolean query;
        private boolean grouping;
        private boolean named;
        private Common common = Common.NONE;

        private Level(Group group, boolean opensAnother) {
            this.group = group;
            this.opensAnother = opensAnother;
        }
    }

    void clear() {
        depth = 0;
        current = new Level(Group.PLAIN, false);
    }

    int depth() {
        return depth;
    }

    private boolean tooDeep() {
        return depth > MAX_DEPTH;
    }

    /** Enters parentheses; {@code false} if they are too deep to be told from others. */
    boolean open(Group group, boolean body) {
        if (current.common == Common.LISTED && !body && !current.named) {
            current.common = Common.NONE;
        }
        boolean first = current.first;
        current.first = false;
        current.named = false;
        if (depth <= MAX_DEPTH) {
            levels[depth] = current;
        }
        depth++;
        current = new Level(group, first);
        return !tooDeep();
    }

    /** Leaves parentheses; {@code true} if an alias may follow, since they held a query or the arguments of a call. */
    boolean close() {
        if (depth == 0) {
            return false;
        }
        Level closed = current;
        depth--;
        if (tooDeep()) {
            return false;
        }
        current = levels[depth];
        boolean query = closed.group == Group.PLAIN && closed.query;
        current.query |= query && closed.opensAnother;
        return query || closed.group == Group.CALL || closed.group == Group.TABLE;
    }

    /** Hears of every token, after the other methods. */
    void token(String word) {
        current.named = current.common == Common.NAME && !word.equals("with") && !word.equals("recursive");
        if (current.named) {
            current.common = Common.LISTED;
        }
        current.first = false;
    }

    /** Hears of a word that may be a keyword. */
    void keyword(String word, String before, boolean first) {
        boolean begins = first || current.first;
        switch (word) {
            case "with" -> {
                if (begins) {
                    current.common = Common.NAME;
                    current.query = true;
                }
            }
            case "select", "values", "table" -> {
                current.query |= begins;
                leaveCommon();
                current.grouping = false;
            }
            case "insert", "update", "delete", "merge" -> leaveCommon();
            case "by" -> current.grouping = before.equals("group");
            case "having", "window", "union", "intersect", "except", "limit", "offset", "fetch", "order" ->
                current.grouping = false;
            default -> {}
        }
    }

    private void leaveCommon() {
        if (current.common == Common.LISTED) {
            current.common = Common.NONE;
        }
    }

    void comma() {
        if (current.common == Common.LISTED) {
            current.common = Common.NAME;
        }
    }

    /** Whether a statement may begin here. */
    boolean expectsQuery() {
        return tooDeep()
                || current.common == Common.LISTED
                || (current.first && depth > 0 && current.group != Group.CALL && current.common == Common.NONE);
    }

    /** Whether the name of a common table expression was read just now. */
    boolean named() {
        return current.named;
    }

    /** Whether a parenthesis behind {@code ROLLUP} is one of grouping, and not of a call. */
    boolean inGrouping() {
        return current.grouping || current.group == Group.SETS;
    }

    /** Whether these are the arguments or columns of a table that is made of XML or JSON. */
    boolean inTable() {
        return current.group == Group.TABLE;
    }

    boolean inOperator() {
        return current.group == Group.OPERATOR;
    }

    /** Whether nothing stands in these parentheses yet. */
    boolean empty() {
        return current.first;
    }
}
