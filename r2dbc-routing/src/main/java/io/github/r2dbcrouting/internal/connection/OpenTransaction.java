package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.spi.ConnectionObserver.End;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * A transaction that runs on a lease, with the writes that it counts as: one for each session that uses it, which may be
 * another than the one that began it.
 *
 * @param use follows it; {@code null} if nobody does
 */
record OpenTransaction(
        Served served,
        boolean readOnly,
        List<PendingWrite> writes,
        @Nullable FollowedUse use) {

    OpenTransaction(Served served, boolean readOnly, @Nullable FollowedUse use) {
        this(served, readOnly, new CopyOnWriteArrayList<>(), use);
    }

    Lease lease() {
        return served.lease();
    }

    void writtenBy(SessionState session) {
        boolean onReplica = lease().server().role() != ServerRole.PRIMARY;
        if (onReplica || writes.stream().anyMatch(write -> write.session() == session)) {
            return;
        }
        writes.add(lease().writing(session, true));
    }

    /** The server has ended it. */
    void ended(End end, @Nullable Throwable error) {
        served.over();
        lease().hold(null);
        writes.forEach(lease()::ended);
        tell(end, error);
    }

    /** What was sent behind a begin that failed may have run all the same: its end is known with the connection's. */
    void neverBegun(Throwable error) {
        served.over();
        lease().markUncertain();
        lease().hold(null);
        tell(End.FAILED, error);
    }

    private void tell(End end, @Nullable Throwable error) {
        if (use != null) {
            use.ended(end, error);
        }
    }
}
