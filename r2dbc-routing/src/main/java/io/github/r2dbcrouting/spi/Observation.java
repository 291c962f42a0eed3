package io.github.r2dbcrouting.spi;

import io.github.r2dbcrouting.ServerRole;
import org.jspecify.annotations.Nullable;

/**
 * What did one question to one server bring?
 *
 * @param role what the server was when it answered
 * @param position up to where a replica has replayed, or up to where a primary's history is safe on its disk;
 *     {@code null} where the server cannot say
 * @param branch numbers the branch of history that a primary writes to: of two primaries of one cluster, the one with
 *     the higher number was promoted later; meaningless for a replica
 * @param branchCertain whether the branch of the position is the one that the server is on; {@code false} if it is one that
 *     it was on, and may have left for a later one since
 * @param recoveredTo up to where a primary had replayed when it became one, as a position on the branch numbered just
 *     before its own; {@code null} for a replica, or if it never replayed
 * @param settled whether a replica has replayed all that it has received, so that it stays where it is until it receives
 *     more; {@code true} for a primary
 * @param configuration changes whenever the server has read its configuration again; only compared for equality, and
 *     only with what the same connection said before
 */
public record Observation(
        ServerRole role,
        @Nullable Position position,
        long branch,
        boolean branchCertain,
        @Nullable Position recoveredTo,
        boolean settled,
        String configuration) {

    /**
     * Describes a server whose branch is certain.
     *
     * @param role what the server was
     * @param position where it stood
     * @param branch the number of a primary's branch
     * @param configuration which reading of its configuration it was at
     */
    public Observation(ServerRole role, @Nullable Position position, long branch, String configuration) {
        this(role, position, branch, true, null, configuration);
    }

    /**
     * Describes a server that has nothing to replay.
     *
     * @param role what the server was
     * @param position where it stood
     * @param branch the number of a primary's branch
     * @param branchCertain whether the branch of the position is the one that the server is on
     * @param recoveredTo up to where a primary had replayed when it became one
     * @param configuration which reading of its configuration it was at
     */
    public Observation(
            ServerRole role,
            @Nullable Position position,
            long branch,
            boolean branchCertain,
            @Nullable Position recoveredTo,
            String configuration) {
        this(role, position, branch, branchCertain, recoveredTo, true, configuration);
    }

    /**
     * Tells another position.
     *
     * @param told the position
     * @return this, with that position; it is as certain of its branch as it was
     */
    public Observation withPosition(Position told) {
        return new Observation(role, told, branch, branchCertain, recoveredTo, settled, configuration);
    }

    /**
     * Tells the position on another branch.
     *
     * @param certain the branch that it is surely on
     * @return this, with the position there
     */
    public Observation onBranch(long certain) {
        return position == null
                ? this
                : new Observation(role, position.onBranch(certain), branch, true, recoveredTo, settled, configuration);
    }
}
