package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.internal.session.Unplaced;
import io.github.r2dbcrouting.spi.Position;
import org.jspecify.annotations.Nullable;

/**
 * Something whose outcome is decided and whose position is still to be learnt: a write in the first place.
 *
 * @param write the write, or what a session has seen
 * @param server the index of the server that it was sent to; {@code ANY_SERVER} if any later position of any primary
 *     serves
 * @param basis a position of that server from before the write; {@code null} if none is known
 * @param durable whether its commit was answered only after it was safe on the server's disk
 * @param sentAt when it was sent, by the monitor's clock, or a time before: a server that has answered on one connection
 *     from before that until now has not crashed since, and has lost nothing of it. Not when it ended: of that one hears
 *     late, and the server may have crashed and come back meanwhile
 * @param endedAt when its outcome was decided, or a time after: a position that was asked for later lies at or behind it
 */
public record EndedWrite(
        Unplaced write, int server, @Nullable Position basis, boolean durable, long sentAt, long endedAt) {

    /** Any later position of any primary serves. */
    static final int ANY_SERVER = -1;

    EndedWrite withoutDurability() {
        return new EndedWrite(write, server, basis, false, sentAt, endedAt);
    }
}
