package io.github.r2dbcrouting;

import java.util.List;
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
     * There is another server from now on.
     *
     * @param server its name
     */
    record ServerAdded(String server) implements RoutingEvent {}

    /**
     * A server is there no more. What is under way on it has 30 s to end.
     *
     * @param server its name
     */
    record ServerRemoved(String server) implements RoutingEvent {}

    /**
     * A server has other tags or another weight from now on. That it was enabled or disabled is told by
     * {@link ServerChanged}.
     *
     * @param server its name
     * @param tags its tags
     * @param weight its weight
     */
    record ServerReconfigured(String server, List<String> tags, double weight) implements RoutingEvent {}

    /**
     * A source of servers or policies could not be asked, or something that it said cannot be followed. What was known
     * stays as it is. Told once, until the source says something else.
     *
     * @param source the name of the source
     * @param problem what is wrong, for people
     */
    record TopologyRefused(String source, String problem) implements RoutingEvent {}

    /**
     * Reads are chosen for by another policy from now on.
     *
     * @param source the name of the source that it came from
     * @param policy the policy's name
     */
    record PolicyReplaced(String source, String policy) implements RoutingEvent {}

    /**
     * A write, or something that a session has seen, may not have survived: the server went away, or crashed, between it
     * and the reading of its position, or its position lies beyond where the present primary's history left that of the
     * one before, or that is not known. Told once for each, or for each token that arrives with such a position. The
     * session goes on from a later position of the primary.
     *
     * @param server the name of the server that it was sent to; {@code null} where a position told of it, or where it was
     *     seen on a replica
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
