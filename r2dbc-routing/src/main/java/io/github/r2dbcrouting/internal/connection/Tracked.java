package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.internal.session.OpenRead;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import org.jspecify.annotations.Nullable;

/** What is to be done when a statement is over? Either is called, once. */
sealed interface Tracked {

    /** The server has answered it, with success or with an error of its own. */
    void ended();

    /** Nobody listens any longer, or the connection was lost. */
    void abandoned();

    /** A statement on the primary that is not part of a transaction which the connection was asked to begin. */
    record OnPrimary(Lease lease, PendingWrite write) implements Tracked {

        @Override
        public void ended() {
            lease.endedUnlessInTransaction(write);
        }

        @Override
        public void abandoned() {
            lease.abandoned(write);
        }
    }

    /** A statement that surely writes nothing, in a transaction on the primary. */
    record InReadOnlyTransaction(Lease lease, PendingWrite write) implements Tracked {

        @Override
        public void ended() {
            lease.ended(write);
        }

        @Override
        public void abandoned() {
            lease.abandoned(write);
        }
    }

    /** A statement on a replica. */
    record OnReplica(Lease lease, OpenRead read) implements Tracked {

        @Override
        public void ended() {
            lease.ended(read, true);
        }

        @Override
        public void abandoned() {
            lease.ended(read, false);
        }
    }

    /**
     * A read that fell back to the primary, and makes room for the next when it is over. What is cancelled may still be
     * running on the server, so that keeps its place until the connection is given back, which waits for the server.
     */
    record InBudget(Served served, @Nullable Tracked read) implements Tracked {

        @Override
        public void ended() {
            served.over();
            if (read != null) {
                read.ended();
            }
        }

        @Override
        public void abandoned() {
            served.lease().markUncertain();
            if (read != null) {
                read.abandoned();
            }
        }
    }
}
