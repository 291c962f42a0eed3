package io.github.r2dbcrouting.simulation;

import io.github.r2dbcrouting.CausalSession;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;

/** Who has a session, and does one thing after the other under it? */
final class User {

    final int number;
    CausalSession session;

    /** What was acknowledged to it, or what it has read. */
    final BitSet knows = new BitSet();

    /** What it wrote and was acknowledged: if it is lost, somebody must be told. */
    final BitSet acknowledged = new BitSet();

    /** What it wrote without ever hearing how that ended. */
    final BitSet unknown = new BitSet();

    /** What it knows, and was told of the possible loss of: it need not be told again. */
    final BitSet excused = new BitSet();

    /** Came with something that was still going on elsewhere: for a minute it is the primary's to serve. */
    boolean marked;

    final Deque<Happening> next = new ArrayDeque<>();
    Operation now;

    User(int number, CausalSession session) {
        this.number = number;
        this.session = session;
    }
}
