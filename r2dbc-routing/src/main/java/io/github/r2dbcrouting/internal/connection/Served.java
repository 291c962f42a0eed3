package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.internal.routing.Permit;
import org.jspecify.annotations.Nullable;

/** A connection for one statement or transaction, with the place in the budget that it takes, if it takes one. */
record Served(Lease lease, @Nullable Permit permit) {

    /** The statement or transaction is over. */
    void over() {
        if (permit != null) {
            lease.released(permit);
        }
    }
}
