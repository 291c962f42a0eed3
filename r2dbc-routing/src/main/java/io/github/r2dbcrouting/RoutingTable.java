package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.text.Columns;
import io.github.r2dbcrouting.internal.text.Lowercase;
import io.github.r2dbcrouting.spi.Lineage;
import io.github.r2dbcrouting.spi.Position;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What does the router know of its cluster?
 *
 * <p>An immutable snapshot, replaced whole whenever a probe is answered or fails: the only thing that a decision reads.
 *
 * @since 0.1.0
 */
public final class RoutingTable {

    private final long version;
    private final List<ServerState> servers;
    private final @Nullable ServerState primary;
    private final @Nullable String cluster;
    private final List<ServerState> replicas;
    private final @Nullable Lineage lineage;
    private final int followed;

    /**
     * Creates a table.
     *
     * @param version counts the tables of one router from 1; 0 is the empty one before the first
     * @param servers every configured server, each at its own index
     * @param primary the one that writes go to, or {@code null} if none is known
     * @param cluster the cluster that the servers belong to, or {@code null} while none has been reached
     */
    public RoutingTable(
            long version, List<ServerState> servers, @Nullable ServerState primary, @Nullable String cluster) {
        this(version, servers, primary, cluster, null, primary == null ? NOBODY : primary.index());
    }

    /** Stands for no server where an index is expected. */
    public static final int NOBODY = -1;

    /**
     * Creates a table that knows what led to the primary's branch.
     *
     * @param version counts the tables of one router from 1; 0 is the empty one before the first
     * @param servers every configured server, each at its own index
     * @param primary the one that writes go to, or {@code null} if none is known
     * @param cluster the cluster that the servers belong to, or {@code null} while none has been reached
     * @param lineage which branches of history led to that of the server that is or was followed; {@code null} if none was
     * @param followed the index of the primary, or while there is none of the last one; {@link #NOBODY} if there was none
     */
    public RoutingTable(
            long version,
            List<ServerState> servers,
            @Nullable ServerState primary,
            @Nullable String cluster,
            @Nullable Lineage lineage,
            int followed) {
        this.version = version;
        this.servers = List.copyOf(servers);
        this.primary = primary;
        this.cluster = cluster;
        this.lineage = lineage;
        this.followed = followed;
        this.replicas = this.servers.stream().filter(ServerState::readable).toList();
    }

    /**
     * Returns the server that writes go to.
     *
     * @return the primary, or empty if none is known
     */
    public Optional<ServerState> primary() {
        return Optional.ofNullable(primary);
    }

    /**
     * Returns every server that there is or was.
     *
     * @return the servers in the order in which they were configured or added, each at its own index. One that was
     *     removed keeps its place, with {@link ServerStatus#REMOVED}; unmodifiable
     */
    public List<ServerState> servers() {
        return servers;
    }

    /**
     * Returns the replicas that reads may be sent to, fresh enough for one read or not for another.
     *
     * @return the readable replicas; unmodifiable
     */
    public List<ServerState> replicas() {
        return replicas;
    }

    /**
     * Returns which table this is.
     *
     * @return the number of tables that the router has published up to this one; 0 before the first
     */
    public long version() {
        return version;
    }

    /**
     * Returns the cluster that is routed to.
     *
     * @return the cluster that the servers belong to, or {@code null} while none has been reached
     */
    public @Nullable String cluster() {
        return cluster;
    }

    /**
     * Returns which branches of history led to the primary's, or to the last one's while there is none.
     *
     * @return the line, or {@code null} if there was no primary yet
     */
    public @Nullable Lineage lineage() {
        return lineage;
    }

    /**
     * Returns whose history the positions in this table lie on.
     *
     * @return the index of the primary, or while there is none of the last one; {@link #NOBODY} if there was none
     */
    public int followed() {
        return followed;
    }

    /**
     * Tells a position as if it were on the primary's branch, where all positions in this table are.
     *
     * @param position any position of the cluster
     * @return the same place there, or {@code null} if the position does not surely lie on the line that led there; the
     *     position itself while there was no primary
     */
    public @Nullable Position onLine(Position position) {
        return lineage == null ? position : lineage.onLine(position);
    }

    /**
     * Returns whether every server has been reached, or found unreachable, at least once.
     *
     * @return whether nothing is left to hear of
     */
    public boolean complete() {
        return servers.stream().noneMatch(server -> server.status() == ServerStatus.UNKNOWN);
    }

    /**
     * Returns the same table with other lags.
     *
     * @param lags how far behind the primary each server is
     * @return a table of the same version and line
     */
    public RoutingTable withLags(Function<ServerState, Lag> lags) {
        List<ServerState> known = new ArrayList<>(servers.size());
        for (ServerState server : servers) {
            known.add(server.withLag(lags.apply(server)));
        }
        ServerState same = primary == null ? null : known.get(primary.index());
        return new RoutingTable(version, known, same, cluster, lineage, followed);
    }

    private boolean isPrimary(ServerState server) {
        return primary != null && primary.index() == server.index();
    }

    /**
     * Tells how much history a server lacks that the primary has, for people.
     *
     * @param server one of this table
     * @return for example {@code 12 kB}; {@code -} for the primary, and if it is not known
     */
    public String behind(ServerState server) {
        if (primary == null || primary.position() == null || server.position() == null || isPrimary(server)) {
            return "-";
        }
        // a replica may have been asked later than the primary
        OptionalLong bytes = server.position().covers(primary.position())
                ? OptionalLong.of(0)
                : server.position().bytesTo(primary.position());
        return bytes.isEmpty() ? "-" : size(bytes.getAsLong());
    }

    private static String size(long bytes) {
        if (bytes < 10 * KILO) {
            return bytes + " B";
        }
        return bytes < 10 * KILO * KILO ? bytes / KILO + " kB" : bytes / (KILO * KILO) + " MB";
    }

    private static final long KILO = 1024;

    /** Returns the table for people, a line a server. */
    @Override
    public String toString() {
        Columns columns = new Columns("server", "role", "status", "tags", "position", "behind", "problem");
        for (ServerState server : servers) {
            if (server.status() == ServerStatus.REMOVED) {
                continue;
            }
            columns.row(
                    server.name() + (isPrimary(server) ? " *" : ""),
                    Lowercase.of(server.role()),
                    Lowercase.of(server.status()),
                    server.tags().isEmpty() ? "-" : String.join(",", server.tags()),
                    server.position() == null ? "-" : server.position().toString(),
                    behind(server),
                    server.problem() == null ? "" : server.problem());
        }
        return columns.toString();
    }
}
