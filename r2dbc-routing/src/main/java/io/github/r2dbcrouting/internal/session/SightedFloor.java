package io.github.r2dbcrouting.internal.session;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;

/**
 * Which position must nothing be behind that has seen what a session saw on one server until now?
 *
 * <p>Asked when the session reads elsewhere, or wants its token. Thread-safe; settling it twice has no further effect.
 */
public final class SightedFloor implements Unplaced {

    private final SessionState session;
    private final Sighting.@Nullable Life life;
    private final Floors floors;
    private final @Nullable ServerIdentity replica;
    private final long aliveAt;
    private final long seenAt;
    private final AtomicBoolean settled = new AtomicBoolean();
    private final Sinks.Empty<Void> done = Sinks.empty();

    SightedFloor(
            SessionState session,
            Sighting.@Nullable Life life,
            Floors floors,
            @Nullable ServerIdentity replica,
            long aliveAt,
            long seenAt) {
        this.session = session;
        this.life = life;
        this.floors = floors;
        this.replica = replica;
        this.aliveAt = aliveAt;
        this.seenAt = seenAt;
    }

    /** What a read that is under way on the primary, since it was sent, has seen by now. */
    static SightedFloor onPrimary(SessionState session, Floors floors, long sentAt) {
        return new SightedFloor(session, null, floors, null, sentAt, floors.now());
    }

    /**
     * Returns where it was seen.
     *
     * @return the replica; {@code null} if it was the primary
     */
    public @Nullable ServerIdentity replica() {
        return replica;
    }

    /**
     * Tells whether a sample lies behind what was seen.
     *
     * @param openedAt a time at which the connection that brought the sample was open
     * @param sentAt when the sample was asked for
     * @return {@code true} if it was asked for later, in the same life
     */
    public boolean placedBy(long openedAt, long sentAt) {
        return inLifeOf(openedAt) && seenAt - sentAt < 0;
    }

    /**
     * Tells whether a connection that is open now is one of the life in which it was seen.
     *
     * @param openedAt a time at which it was open
     * @return {@code true} if it surely is
     */
    public boolean inLifeOf(long openedAt) {
        return openedAt - aliveAt < 0;
    }

    @Override
    public void settle(CausalToken token, long sentAt) {
        if (settled.compareAndSet(false, true)) {
            session.settle(life, seenAt, token);
            // not within the monitor's task, which nobody else may hold up
            Schedulers.parallel().schedule(() -> done.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST));
        }
    }

    /** What was seen may be gone: whoever goes on without it must know. */
    @Override
    public void lost() {
        session.lost();
    }

    /**
     * Returns when it was asked for. A server that answers something which was asked later than that, in the same life,
     * has all of it.
     *
     * @return a time no later than the one at which the last of it was asked for, by the monitor's clock
     */
    public long askedAt() {
        return aliveAt;
    }

    @Override
    public boolean mayHaveWritten() {
        return false;
    }

    /** Asks for it at once, whoever waits for the answer. */
    Mono<Void> find() {
        floors.find(this);
        return done.asMono();
    }
}
