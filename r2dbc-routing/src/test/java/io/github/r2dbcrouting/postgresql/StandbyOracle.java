package io.github.r2dbcrouting.postgresql;

import io.github.r2dbcrouting.spi.StatementText.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** What is wrong with a verdict, given what servers did with the statement? */
final class StandbyOracle {

    /** The driver looks for several statements itself, and gives up on some texts before it sends them. */
    static final String UNSENT = "unsent";

    private static final String READ_ONLY = "25006";

    /** What a standby says of what it cannot do. */
    private static final Set<String> REFUSED = Set.of(READ_ONLY, "0A000", "55000");

    private StandbyOracle() {}

    /**
     * What servers did.
     *
     * @param error the standby's SQL state, empty if it had nothing to say
     * @param stateChanged whether the connection to the standby was another one afterwards
     * @param primaryError the primary's SQL state, asked for reads only
     */
    record Outcome(String error, boolean stateChanged, String primaryError) {}

    static List<String> objections(Corpus.Entry entry, Outcome outcome) {
        List<String> objections = new ArrayList<>();
        String error = outcome.error();
        if (outcome.stateChanged() && !entry.leavesState()) {
            objections.add("it changes its connection: " + entry);
        }
        if (entry.kind() == Kind.READ) {
            if (REFUSED.contains(error)) {
                objections.add("a read that the standby refuses with " + error + ": " + entry);
            } else if (!error.equals(outcome.primaryError())) {
                objections.add("a read with '" + error + "' on the standby, '" + outcome.primaryError()
                        + "' on the primary: " + entry);
            } else if (!error.isEmpty() && !error.equals(UNSENT)) {
                objections.add("a read that fails with " + error + ", so that it tells nothing: " + entry);
            }
        }
        if (entry.kind() == Kind.UNKNOWN && error.equals(READ_ONLY) != entry.writes()) {
            objections.add(
                    (entry.writes() ? "marked as writing, and not refused: " : "refused, and no write: ") + entry);
        }
        return objections;
    }
}
