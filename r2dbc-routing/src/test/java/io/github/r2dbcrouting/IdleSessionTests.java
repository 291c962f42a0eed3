package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.internal.session.Floors;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.internal.session.SightedFloor;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.util.List;
import org.junit.jupiter.api.Test;

/** An application holds a session for each of its users, most of them idle: that must not take much memory. */
class IdleSessionTests {

    /**
     * The session 16, its state 16, what it knows 32, a list 24, a position 32. It may be 128 at the most: before this
     * number grows, see what it is worth.
     */
    private static final int IDLE = 120;

    private static final String CLUSTER = "7000000000000000001";
    private static final ServerIdentity REPLICA = new ServerIdentity(CLUSTER, "since today");

    private long lsn = 0x100;

    @Test
    void isTwoSmallObjectsBeforeAnythingHappened() throws Exception {
        assertThat(Footprint.of(CausalSession::create)).isEqualTo(32);
    }

    @Test
    void isLittleMoreThanThePositionOfATokenFromOutside() throws Exception {
        assertThat(Footprint.of(this::resumed)).isEqualTo(IDLE);
    }

    @Test
    void isAsLittleOnceAllThatWasWrittenAndReadHasAPosition() throws Exception {
        assertThat(Footprint.of(() -> {
                    CausalSession session = resumed();
                    read(session);
                    settle(session.state().beginRead(CLUSTER, false, () -> {}, NOBODY_ASKS));
                    settle(session.state().begin(CLUSTER, true, () -> {}));
                    return session;
                }))
                .isEqualTo(IDLE);
    }

    @Test
    void isAsLittleWhereItIsToHearOfLostWrites() throws Exception {
        assertThat(Footprint.of(() -> {
                    CausalSession session = resumed();
                    session.state().tellLostWrites();
                    PendingWrite write = session.state().begin(CLUSTER, false, () -> {});
                    write.lost();
                    settle(write);
                    assertThat(session.state().takeLost()).isTrue();
                    return session;
                }))
                .isEqualTo(IDLE);
    }

    @Test
    void isAsLittleOnceItHasGoneOnFromALostPosition() throws Exception {
        assertThat(Footprint.of(() -> {
                    CausalSession session = CausalSession.create();
                    settle(session.state().begin(CLUSTER, false, () -> {}));
                    assertThat(session.state().goOnFrom(new WalPosition(CLUSTER, 2, 1), lost -> true))
                            .isOne();
                    return session;
                }))
                .isEqualTo(IDLE);
    }

    /** The replica's life is what it would have to learn a position of: nobody has asked for that. */
    @Test
    void isTwiceThatWhileAReplicaIsWhereItReadLast() throws Exception {
        assertThat(Footprint.of(() -> {
                    CausalSession session = resumed();
                    read(session);
                    return session;
                }))
                .isEqualTo(2 * IDLE);
    }

    @Test
    void isMoreWhileSomethingIsPending() throws Exception {
        assertThat(Footprint.of(() -> {
                    CausalSession session = resumed();
                    session.observe(
                            CausalToken.of(List.of(), List.of(new Unresolved(CLUSTER, null, Unresolved.ENDED))));
                    return session;
                }))
                .isGreaterThan(IDLE);
    }

    private CausalSession resumed() {
        return CausalSession.resume(CausalToken.tryParse(token().encode()).orElseThrow());
    }

    private static void read(CausalSession session) {
        session.state().beginRead(NOBODY_ASKS, REPLICA, 1, 2).ended(3);
    }

    private void settle(PendingWrite write) {
        write.end();
        write.settle(token(), 4);
    }

    private CausalToken token() {
        return CausalToken.of(List.of(new WalPosition(CLUSTER, 1, lsn++)));
    }

    private static final Floors NOBODY_ASKS = new Floors() {
        @Override
        public void find(SightedFloor floor) {
            throw new UnsupportedOperationException("nobody asks for a position");
        }

        @Override
        public long now() {
            throw new UnsupportedOperationException("nobody asks for the time");
        }
    };
}
