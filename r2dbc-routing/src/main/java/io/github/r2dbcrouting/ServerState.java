package io.github.r2dbcrouting;

import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is known of one server?
 *
 * @param index its place among the configured servers, from 0
 * @param name its configured name
 * @param tags its tags, in the order in which they were given
 * @param role what it was when it last answered
 * @param status whether it may be used
 * @param position up to where it had come when it last answered, told as a position on the branch of the primary if it
 *     lies on the line that led there; {@code null} if it never said, or if it cannot be told on which branch it is
 * @param identity which running server answered last; {@code null} if none ever did
 * @param sampledAt when the probe that brought this was sent, in nanoseconds by the router's clock; 0 if none was
 *     answered
 * @param tooFarBehind whether it is further behind the primary than any read may be served from, or that is not known;
 *     always {@code false} for a primary
 * @param problem what keeps it from being used, for people; {@code null} if nothing does
 * @param lag how far behind the primary it is in time; {@link Lag#UNKNOWN} for a primary
 * @param weight how much of the load it shall have compared with the others
 * @since 0.1.0
 */
public record ServerState(
        int index,
        String name,
        List<String> tags,
        ServerRole role,
        ServerStatus status,
        @Nullable Position position,
        @Nullable ServerIdentity identity,
        long sampledAt,
        boolean tooFarBehind,
        @Nullable String problem,
        Lag lag,
        double weight) {

    /**
     * Creates the state of a server of the usual weight.
     *
     * @param index its place among the configured servers, from 0
     * @param name its configured name
     * @param tags its tags
     * @param role what it was when it last answered
     * @param status whether it may be used
     * @param position up to where it had come when it last answered; {@code null} if it never said
     * @param identity which running server answered last; {@code null} if none ever did
     * @param sampledAt when the probe that brought this was sent, in nanoseconds; 0 if none was answered
     * @param tooFarBehind whether no read may be served from it
     * @param problem what keeps it from being used, for people; {@code null} if nothing does
     * @param lag how far behind the primary it is in time
     */
    public ServerState(
            int index,
            String name,
            List<String> tags,
            ServerRole role,
            ServerStatus status,
            @Nullable Position position,
            @Nullable ServerIdentity identity,
            long sampledAt,
            boolean tooFarBehind,
            @Nullable String problem,
            Lag lag) {
        this(index, name, tags, role, status, position, identity, sampledAt, tooFarBehind, problem, lag, 1);
    }

    /**
     * Creates the state of a server whose lag is not known.
     *
     * @param index its place among the configured servers, from 0
     * @param name its configured name
     * @param tags its tags
     * @param role what it was when it last answered
     * @param status whether it may be used
     * @param position up to where it had come when it last answered; {@code null} if it never said
     * @param identity which running server answered last; {@code null} if none ever did
     * @param sampledAt when the probe that brought this was sent, in nanoseconds; 0 if none was answered
     * @param tooFarBehind whether no read may be served from it
     * @param problem what keeps it from being used, for people; {@code null} if nothing does
     */
    public ServerState(
            int index,
            String name,
            List<String> tags,
            ServerRole role,
            ServerStatus status,
            @Nullable Position position,
            @Nullable ServerIdentity identity,
            long sampledAt,
            boolean tooFarBehind,
            @Nullable String problem) {
        this(index, name, tags, role, status, position, identity, sampledAt, tooFarBehind, problem, Lag.UNKNOWN);
    }

    /**
     * Returns the same state with another lag.
     *
     * @param known how far behind the primary it is
     * @return a copy of this state
     */
    public ServerState withLag(Lag known) {
        return new ServerState(
                index, name, tags, role, status, position, identity, sampledAt, tooFarBehind, problem, known, weight);
    }

    /**
     * Returns the same state at another place in history.
     *
     * @param where up to where it has come; {@code null} if that cannot be told
     * @param tooFar whether no read may be served from it
     * @return a copy of this state
     */
    public ServerState withPosition(@Nullable Position where, boolean tooFar) {
        return new ServerState(
                index, name, tags, role, status, where, identity, sampledAt, tooFar, problem, lag, weight);
    }

    /**
     * Returns the same state with another status.
     *
     * @param other whether it may be used
     * @param why what keeps it from being used, for people; {@code null} if nothing does
     * @return a copy of this state
     */
    public ServerState withStatus(ServerStatus other, @Nullable String why) {
        return new ServerState(
                index, name, tags, role, other, position, identity, sampledAt, tooFarBehind, why, lag, weight);
    }

    /**
     * Returns whether it is a replica that answers and is known well enough to serve a read that asks for nothing.
     *
     * @return whether reads may be sent to it at all
     */
    public boolean readable() {
        return role == ServerRole.REPLICA && status == ServerStatus.UP && !tooFarBehind;
    }

    /**
     * Returns whether it has everything that had happened at the positions.
     *
     * @param required positions of its cluster
     * @return whether all of them are covered; {@code true} if there are none
     */
    public boolean covers(List<Position> required) {
        for (int i = 0; i < required.size(); i++) {
            if (position == null || !position.covers(required.get(i))) {
                return false;
            }
        }
        return true;
    }
}
