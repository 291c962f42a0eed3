package io.github.r2dbcrouting.internal.connection;

import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.PossiblyLostWriteException;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.internal.table.Questions;
import io.github.r2dbcrouting.spi.Lineage;
import io.github.r2dbcrouting.spi.Position;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Has a session written something that may be lost, and has it been told?
 *
 * <p>What its token covers beyond where the primary's history left the token's branch, or on a branch of which that is not
 * known, may be lost. It is told once: then the session goes on from a position of the present primary. Whatever survived
 * of earlier branches came before the primary's own began, so every position on that branch covers it.
 */
final class LostWrites {

    private final Questions monitor;
    private final boolean strict;

    /**
     * Creates the rule.
     *
     * @param monitor counts what may be lost, and tells whoever listens
     * @param strict whether the session is told, too, by an error
     */
    LostWrites(Questions monitor, boolean strict) {
        this.monitor = monitor;
        this.strict = strict;
    }

    /** Whether a session must hear of what may be lost before this is served. Nobody who waits would hear of it else. */
    boolean tells(Ask ask) {
        return strict && ask.heedsSession();
    }

    /** From now on the session of a request is told of what turns out to be lost of it. */
    void listen(Ask ask) {
        SessionState session = ask.session();
        if (strict && session != null) {
            session.tellLostWrites();
        }
    }

    /**
     * Judges what the session holds, before a server is chosen for it.
     *
     * @return what to tell the session instead of serving it; {@code null} if nothing
     */
    @Nullable
    PossiblyLostWriteException toTell(Ask ask, RoutingTable table) {
        SessionState session = ask.session();
        if (session == null) {
            return null;
        }
        int lost = lostPositions(ask, session, table);
        if (lost > 0) {
            monitor.positionsLost(lost);
        }
        if (!strict) {
            return null;
        }
        boolean wasPending = session.takeLost();
        return lost > 0
                ? new PossiblyLostWriteException("a write that the session's token covers may be lost: it lies beyond"
                        + " where the present primary's history left its branch, or that is not known; the session goes"
                        + " on from the present primary's position")
                : wasPending ? SessionState.lostWhilePending() : null;
    }

    /**
     * Tells of positions that were captured for a session, and that the primary has not come to: it lost in a crash what
     * led there, or is another one on a branch of the same number.
     *
     * @param lost how many they were; the session has them no longer
     * @return what to tell the session instead of serving it; {@code null} if nothing
     */
    @Nullable
    PossiblyLostWriteException toTellOfAPrimary(int lost) {
        monitor.positionsLost(lost);
        return strict
                ? new PossiblyLostWriteException(
                        "a write of the session may be lost: the present primary's history ends before the position"
                                + " that was captured for it; the session goes on from the present primary's position")
                : null;
    }

    private static int lostPositions(Ask ask, SessionState session, RoutingTable table) {
        Lineage line = table.lineage();
        Position present = goesOnFrom(ask, table);
        return present == null || line == null ? 0 : session.goOnFrom(present, position -> lost(position, line));
    }

    /** Whether what a read requires lies on a branch that was left, so that no server will ever have it. */
    boolean strays(Ask ask, RoutingTable table) {
        return goesOnFrom(ask, table) != null;
    }

    /** From where the session of a read has to go on, since something of it is lost; {@code null} if nothing is. */
    private static @Nullable Position goesOnFrom(Ask ask, RoutingTable table) {
        SessionState session = ask.session();
        Lineage line = table.lineage();
        String cluster = table.cluster();
        if (session == null || line == null || cluster == null) {
            return null;
        }
        boolean reads = ask.intent() == Intent.READ && ask.heedsSession();
        if (!reads || !anyLost(session.required(cluster), line)) {
            return null;
        }
        Position present = table.primary().map(ServerState::position).orElse(null);
        // while there is no primary the next one's line decides
        return present == null || present.branch() != line.branch() ? null : present;
    }

    private static boolean anyLost(List<Position> required, Lineage line) {
        for (int i = 0; i < required.size(); i++) {
            if (lost(required.get(i), line)) {
                return true;
            }
        }
        return false;
    }

    private static boolean lost(Position position, Lineage line) {
        if (position.branch() == line.branch()) {
            return false;
        }
        return switch (line.judge(position)) {
            case BEYOND_THE_SWITCH, UNKNOWN -> true;
            case KEPT, AHEAD -> false;
        };
    }
}
