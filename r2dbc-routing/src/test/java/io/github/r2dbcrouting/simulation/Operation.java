package io.github.r2dbcrouting.simulation;

import java.time.Duration;
import java.util.BitSet;

/** What does a user want, and what must hold of the answer? */
final class Operation {

    final int number;
    final Happening asked;
    final User user;
    final int key;

    /** When it was subscribed. */
    final long since;

    /** What its session wrote or saw before, of the key; what a causal read of it must bring. */
    final BitSet must;

    /** How old its answer may be; {@code null} if that is not bounded. */
    final Duration bound;

    /** What it has appended itself, in its transaction. */
    final BitSet own = new BitSet();

    /** How the last execution of it would break a rule, if its answer counts. */
    Violation suspicion;

    int suspect;

    /** Where it was executed last, for people. */
    String servedBy = "nobody";

    /** Whether it was executed last on a replica of which it was not known where it was. */
    boolean nowhere;

    boolean over;

    Operation(int number, Happening asked, User user, long since, BitSet must, Duration bound) {
        this.number = number;
        this.asked = asked;
        this.user = user;
        this.key = asked.key();
        this.since = since;
        this.must = must;
        this.bound = bound;
    }

    boolean causal() {
        return asked.what() == Happening.What.READ
                || asked.what() == Happening.What.READ_ONLY_TRANSACTION
                || asked.what() == Happening.What.LATEST
                || asked.what() == Happening.What.WAITING_READ;
    }

    /** Whether it is the replicas' to serve, and the primary's only within the budget. */
    boolean ofReplicas() {
        return switch (asked.what()) {
            case READ, WAITING_READ, READ_ANY, READ_AT_MOST, READ_ONLY_TRANSACTION -> true;
            default -> false;
        };
    }
}
