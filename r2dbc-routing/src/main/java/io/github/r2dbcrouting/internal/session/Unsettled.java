package io.github.r2dbcrouting.internal.session;

import io.github.r2dbcrouting.Unresolved;
import java.util.List;

/**
 * What is a session busy with, besides what it knows?
 *
 * @param known the positions that it has
 * @param pending what it has sent to the primary without a position so far
 * @param seen where it has read on replicas, without a position so far
 * @param unresolved what came without a position in tokens, and was not taken over
 * @param untold whether writes that were pending may be lost, of which it was not told
 */
record Unsettled(
        Known known, List<PendingWrite> pending, List<Sighting> seen, List<Unresolved> unresolved, boolean untold)
        implements Snapshot {

    /** Whoever is busy with nothing is idle, and holds no more than that takes. */
    static Snapshot of(
            Known known, List<PendingWrite> pending, List<Sighting> seen, List<Unresolved> unresolved, boolean untold) {
        return pending.isEmpty() && seen.isEmpty() && unresolved.isEmpty() && !untold
                ? known
                : new Unsettled(known, pending, seen, unresolved, untold);
    }
}
