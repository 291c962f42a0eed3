package io.github.r2dbcrouting.postgresql;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which of some transactions were committed, and which rolled back?
 *
 * <p>Empty transactions whose ends are drawn at random leave a pattern in a primary's commit log. Replication carries it,
 * and every server tells it, to everybody: {@code pg_xact_status}. Another history has transactions of these numbers as
 * well, or none, but ended by what happened there, which has nothing to do with the draw.
 *
 * @param ends the transactions in the order of their numbers; at least one
 */
record CommitPattern(List<End> ends) {

    /** So a history that is not the primary's passes for it once in four thousand million times. */
    static final int TRANSACTIONS = 32;

    /** The greatest length of what is written behind them, so that two histories do not go on at the same places. */
    private static final int LONGEST_PADDING = 4096;

    private static final Pattern END = Pattern.compile("([0-9]{1,20})([+-])");

    /**
     * Of those that the server numbered, what {@code pg_xact_status} must say.
     *
     * @param transaction its number, with the epoch
     * @param committed whether it was committed
     */
    record End(String transaction, boolean committed) {

        String status() {
            return committed ? "committed" : "aborted";
        }
    }

    CommitPattern {
        ends = List.copyOf(ends);
    }

    /** Draws how each transaction ends. */
    static List<Boolean> draw() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        List<Boolean> drawn = new ArrayList<>(TRANSACTIONS);
        for (int i = 0; i < TRANSACTIONS; i++) {
            drawn.add(random.nextBoolean());
        }
        return drawn;
    }

    /**
     * The statements that write it, for one message. Each transaction yields its number, the last one the place behind
     * all of them, once it is on the disk. The others need not wait for that.
     */
    static String statements(List<Boolean> drawn) {
        StringBuilder sql = new StringBuilder(drawn.size() * 96);
        for (boolean committed : drawn) {
            sql.append("BEGIN; ")
                    .append(committed ? "SET LOCAL synchronous_commit = off; " : "")
                    .append("SELECT pg_current_xact_id()::text; ")
                    .append(committed ? "COMMIT; " : "ROLLBACK; ");
        }
        int padding = ThreadLocalRandom.current().nextInt(LONGEST_PADDING);
        return sql.append("BEGIN; SET LOCAL synchronous_commit = local; ")
                .append("SELECT pg_logical_emit_message(true, '', repeat(' ', ")
                .append(padding)
                .append("))::text; COMMIT")
                .toString();
    }

    /** How a server is asked. The first column says whether all is as it was drawn, the second whether some is forgotten. */
    static final String CHECK = "SELECT coalesce(bool_and(pg_xact_status(id::xid8) = status), false)::text,"
            + " bool_or(pg_xact_status(id::xid8) IS NULL)::text FROM unnest($1::text[], $2::text[]) AS ends (id, status)";

    static CommitPattern of(List<Boolean> drawn, List<String> numbers) {
        List<End> ends = new ArrayList<>(drawn.size());
        for (int i = 0; i < drawn.size(); i++) {
            ends.add(new End(numbers.get(i), drawn.get(i)));
        }
        return new CommitPattern(ends);
    }

    /** Reads what {@link #text()} wrote. */
    static CommitPattern parse(String text) {
        List<End> ends = new ArrayList<>();
        Matcher matcher = END.matcher(text);
        while (matcher.lookingAt()) {
            ends.add(new End(matcher.group(1), matcher.group(2).equals("+")));
            matcher.region(matcher.end(), text.length());
        }
        if (ends.isEmpty() || matcher.regionStart() != text.length()) {
            throw new IllegalArgumentException("a commit pattern has numbers with a sign behind each");
        }
        return new CommitPattern(ends);
    }

    String text() {
        return ends.stream()
                .map(end -> end.transaction() + (end.committed() ? '+' : '-'))
                .collect(Collectors.joining());
    }

    String[] transactions() {
        return ends.stream().map(End::transaction).toArray(String[]::new);
    }

    String[] statuses() {
        return ends.stream().map(End::status).toArray(String[]::new);
    }
}
