package io.github.r2dbcrouting.simulation;

import java.util.Locale;

/**
 * What happens at one moment of a story?
 *
 * @param at when, in microseconds since the story began
 * @param what what happens
 * @param who the user, or the server
 * @param key which key, or which other server
 * @param amount how much of it: what, depends on what happens
 * @param number which value, or which operation: never twice in a story
 */
record Happening(long at, What what, int who, int key, int amount, int number) implements Comparable<Happening> {

    /** All that may happen. Nothing does if it cannot: a replica that is down is not promoted. */
    enum What {
        APPEND("user %1$d appends %4$d to key %2$d%3$s"),
        APPEND_LITERAL("user %1$d appends %4$d to key %2$d, without parameters%3$s"),
        TRANSACTION("user %1$d appends %4$d to key %2$d in a transaction and reads it there%3$s"),
        READ("user %1$d reads key %2$d%3$s"),
        WAITING_READ("user %1$d reads key %2$d and waits for a replica%3$s"),
        READ_ANY("user %1$d reads key %2$d however old it is%3$s"),
        READ_AT_MOST("user %1$d reads key %2$d if it is young enough%3$s"),
        LATEST("user %1$d reads the latest of key %2$d%3$s"),
        READ_ONLY_TRANSACTION("user %1$d reads key %2$d twice in a transaction%3$s"),
        HAND_OVER("user %2$d goes on from the token of user %1$d"),
        PAUSE_REPLAY("db%1$d replays nothing for %3$s"),
        RESTART_POINT("db%1$d makes a restart point"),
        BACKEND_CRASH("a backend of db%1$d crashes, and with it all others"),
        KILL("db%1$d is killed, and restarted after %3$s"),
        PROMOTE("db%1$d is promoted"),
        FOLLOW("db%1$d follows db%2$d"),
        REBUILD("db%1$d becomes a fresh replica of the leader"),
        CUT_CLIENTS("nothing reaches db%1$d from its clients, nor back, for %3$s"),
        CUT_UPSTREAM("db%1$d is cut off from its primary for %3$s"),
        OPEN_WRITER("somebody writes on the leader, and does not commit"),
        UNFINISHED("somebody writes a large record on the leader, of which only whole pages are flushed"),
        FLUSH_PAGES("the leader flushes whole pages"),
        RELOAD("the leader reads its configuration: %3$s"),
        RESET("a connection to db%1$d is reset"),
        PAUSE_ROUTER("the router stands still for %3$s");

        private final String words;

        What(String words) {
            this.words = words;
        }
    }

    boolean ofUser() {
        return what.compareTo(What.HAND_OVER) <= 0;
    }

    @Override
    public int compareTo(Happening other) {
        return at != other.at ? Long.compare(at, other.at) : Integer.compare(number, other.number);
    }

    private String amountInWords() {
        return switch (what) {
            case RELOAD -> amount == 1 ? "commits do not wait for the disk" : "commits wait for the disk";
            case READ_AT_MOST -> " of " + amount + " ms";
            default ->
                ofUser()
                        ? amount == 0 ? "" : String.format(Locale.ROOT, ", and gives up after %.1f ms", amount / 1e3)
                        : amount + " ms";
        };
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%9.3f ms  ", at / 1e3)
                + String.format(Locale.ROOT, what.words, who, key, amountInWords(), number);
    }
}
