package io.github.r2dbcrouting;

import org.jspecify.annotations.Nullable;

/**
 * What has changed in the cluster, or went wrong with it?
 *
 * @since 0.1.0
 */
public sealed interface RoutingEvent {

    /**
     * Writes go to another server from now on.
     *
     * @param from the name of the server that they went to before, {@code null} if there was none
     * @param to the name of the new primary, {@code null} if none is known
     */
    record PrimaryChanged(@Nullable String from, @Nullable String to) implements RoutingEvent {}

    /**
     * A server may be used, or may no longer be, or is something else than before.
     *
     * @param server its name
     * @param role what it is now
     * @param status whether it may be used now
     * @param problem what keeps it from being used; {@code null} if nothing does
     */
    record ServerChanged(
            String server,
            ServerRole role,
            ServerStatus status,
            @Nullable String problem) implements RoutingEvent {}

    /**
     * A write may not have survived: the primary went away between it and the reading of its position, or its position
     * lies beyond where the present primary's history left that of the one before, or that is not known. Told once for
     * each write, or for each token that arrives with such a position. The session goes on from a later position of the
     * primary.
     *
     * @param server the name of the server that the write was sent to; {@code null} where a position told of it
     */
    record WritePossiblyLost(@Nullable String server) implements RoutingEvent {}

    /**
     * A token holds a position that nobody can have got from the primary: its history has not come so far. The position
     * is ignored from then on, and reads are served as if it had not been there. Told once for all reads that came with
     * it at the same time. Somebody forged it, or the primary was restored from a backup.
     *
     * @param position the position in the form that it has in the token
     */
    record TokenRejected(String position) implements RoutingEvent {}
}
