package io.github.r2dbcrouting;

import io.github.r2dbcrouting.spi.Position;
import java.time.Duration;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * How does one server stand now?
 *
 * <p>An immutable snapshot, by the router's own clock.
 *
 * @param sampleAge how long ago the probe was sent that brought what is known of it; {@code null} if none was answered
 * @param probeTime how long the latest probe that was answered took, from its sending on; {@code null} if none was
 * @param staleness how old at most what it has may be, for a replica; {@code null} if that is not known, and for a primary
 * @param bytesBehind how much history of the primary's it lacks, in bytes, by what both said last; empty if that is not
 *     known, and for a primary
 * @param ejected whether requests leave it alone now, since it failed some lately
 * @since 0.1.0
 */
public record ServerStatistics(
        @Nullable Duration sampleAge,
        @Nullable Duration probeTime,
        @Nullable Duration staleness,
        OptionalLong bytesBehind,
        boolean ejected) {

    /** Tells how a server of a table stands at a moment. */
    static ServerStatistics of(
            ServerState server, RoutingTable table, long now, @Nullable Duration probeTime, boolean ejected) {
        boolean replica = server.role() == ServerRole.REPLICA;
        Position ahead = table.primary().map(ServerState::position).orElse(null);
        Position position = server.position();
        return new ServerStatistics(
                server.sampledAt() == 0 ? null : Duration.ofNanos(Math.max(now - server.sampledAt(), 0)),
                probeTime,
                replica && server.lag().freshAt() != Lag.NEVER
                        ? Duration.ofNanos(Math.max(now - server.lag().freshAt(), 0))
                        : null,
                replica && position != null && ahead != null ? position.bytesBehind(ahead) : OptionalLong.empty(),
                ejected);
    }
}
