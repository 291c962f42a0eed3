package io.github.r2dbcrouting.test.history;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An operation among those of its session, with the marks that one search leaves on it. Marks hold for the search whose
 * number they bear, so that none has to be wiped.
 */
final class Node {

    final Operation operation;
    final List<Node> session;
    final int position;

    /** The latest end of all operations of the session up to this one. */
    final long latestEnd;

    /** Whether it is an answer that cannot be one, of which nothing follows. */
    boolean unsound;

    /** Whether it was read on a server that was promoted, unknown to whoever chose it: its session need not see that again. */
    boolean unfollowed;

    /** The search that seeks this write. */
    long sought;

    /** The search that has come here. */
    long reached;

    /** The search that has come here by a read that saw it, and not only by the order of a session. */
    long seen;

    @Nullable
    Node from;

    boolean bySight;

    Node(Operation operation, List<Node> session, int position, long latestEnd) {
        this.operation = operation;
        this.session = session;
        this.position = position;
        this.latestEnd = latestEnd;
    }

    /** Whether it is a read whose answer says something. */
    boolean isAnswer() {
        return operation.isAnsweredRead() && !unsound;
    }

    /** Whether a read of the primary may lack it although a standby has shown it: it was not acknowledged before. */
    boolean mayBeEarlyFor(Node read) {
        return read.operation.isOnPrimary() && operation.outcome() == Outcome.OK && completed() > read.invoked();
    }

    long invoked() {
        return operation.invoked();
    }

    long completed() {
        return operation.completed();
    }
}
