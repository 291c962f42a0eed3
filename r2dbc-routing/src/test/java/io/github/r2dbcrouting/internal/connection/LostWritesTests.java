package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.PossiblyLostWriteException;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.fake.NoQuestions;
import io.github.r2dbcrouting.internal.routing.Ask;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.internal.table.Questions;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Lineage;
import io.github.r2dbcrouting.spi.Position;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LostWritesTests {

    private static final Position SWITCH = at(1, 0x2000);
    private static final Position PRESENT = at(2, 0x2500);
    private static final RoutingTable PROMOTED = table(Lineage.of(2, List.of(SWITCH)), PRESENT);

    private final List<Integer> told = new ArrayList<>();
    private final LostWrites lenient = new LostWrites(counting(), false);
    private final LostWrites strict = new LostWrites(counting(), true);
    private final SessionState session = new SessionState();

    @Test
    void tellsOnceOfAPositionBeyondTheSwitchAndGoesOnFromThePrimarysPosition() {
        session.observe(CausalToken.of(List.of(at(1, 0x2001))));

        assertThat(lenient.toTell(read(), PROMOTED)).isNull();
        assertThat(lenient.toTell(read(), PROMOTED)).isNull();

        assertThat(told).containsExactly(1);
        assertThat(session.required("7")).containsExactly(PRESENT);
    }

    @Test
    void tellsNothingOfAPositionAtTheSwitch() {
        session.observe(CausalToken.of(List.of(SWITCH)));

        assertThat(strict.toTell(read(), PROMOTED)).isNull();

        assertThat(told).isEmpty();
        assertThat(session.required("7")).containsExactly(SWITCH);
    }

    @Test
    void tellsOfAPositionOnABranchOfWhichTheEndIsNotKnown() {
        session.observe(CausalToken.of(List.of(at(1, 5))));

        assertThat(strict.toTell(read(), table(Lineage.of(2, List.of()), PRESENT)))
                .isInstanceOf(PossiblyLostWriteException.class);

        assertThat(told).containsExactly(1);
    }

    @Test
    void tellsNothingOfAPositionOnALaterBranch() {
        session.observe(CausalToken.of(List.of(at(3, 5))));

        assertThat(strict.toTell(read(), PROMOTED)).isNull();

        assertThat(session.required("7")).containsExactly(at(3, 5));
    }

    @Test
    void waitsForAPrimaryWithItsJudgement() {
        session.observe(CausalToken.of(List.of(at(1, 0x2001))));
        RoutingTable nobody =
                new RoutingTable(2, List.of(), null, "7", Lineage.of(2, List.of(SWITCH)), RoutingTable.NOBODY);

        assertThat(strict.toTell(read(), nobody)).isNull();

        assertThat(told).isEmpty();
        assertThat(strict.toTell(read(), PROMOTED)).isNotNull();
    }

    @Test
    void keepsWhatIsNotLostAndWhatIsOfOtherClusters() {
        Position foreign = new WalPosition("8", 1, 0x9000);
        session.observe(CausalToken.of(List.of(at(1, 0x2001), at(2, 0x2600), foreign)));

        assertThat(strict.toTell(read(), PROMOTED)).isNotNull();

        assertThat(session.observed()).isEqualTo(CausalToken.of(List.of(at(2, 0x2600), foreign)));
    }

    @Test
    void signalsItOnceInStrictMode() {
        session.observe(CausalToken.of(List.of(at(1, 0x2001))));

        assertThat(strict.toTell(read(), PROMOTED))
                .isInstanceOf(PossiblyLostWriteException.class)
                .hasMessageContaining("may be lost");
        assertThat(strict.toTell(read(), PROMOTED)).isNull();
        assertThat(told).containsExactly(1);
    }

    @Test
    void leavesThePositionToTheNextCausalRead() {
        session.observe(CausalToken.of(List.of(at(1, 0x2001))));

        assertThat(strict.toTell(new Ask(Intent.READ, Freshness.any(), session), PROMOTED))
                .isNull();
        assertThat(strict.toTell(write(), PROMOTED)).isNull();

        assertThat(told).isEmpty();
        assertThat(strict.toTell(read(), PROMOTED)).isNotNull();
    }

    @Test
    void signalsThatAPendingWriteMayBeLostAlsoToAWrite() {
        strict.listen(write());
        PendingWrite pending = session.begin("7", false, () -> {});
        pending.end();

        pending.lost();
        pending.settle(CausalToken.of(List.of(PRESENT)), 0);

        assertThat(strict.toTell(write(), PROMOTED)).isInstanceOf(PossiblyLostWriteException.class);
        assertThat(strict.toTell(read(), PROMOTED)).isNull();
        assertThat(told).as("the monitor has told of it").isEmpty();
    }

    @Test
    void signalsNothingOfAPendingWriteWhereNotAskedTo() {
        lenient.listen(write());
        assertThat(lenient.toTell(write(), PROMOTED)).isNull();
        PendingWrite pending = session.begin("7", false, () -> {});

        pending.lost();

        assertThat(lenient.toTell(write(), PROMOTED)).isNull();
        assertThat(session.takeLost()).isFalse();
    }

    @Test
    void tellsNothingWithoutASession() {
        assertThat(strict.toTell(new Ask(Intent.READ, Freshness.any(), null), PROMOTED))
                .isNull();
    }

    @Test
    void tellsOfWhatWasCapturedAndThePrimaryHasLost() {
        assertThat(lenient.toTellOfAPrimary(1)).isNull();
        assertThat(strict.toTellOfAPrimary(2)).hasMessageContaining("may be lost");

        assertThat(told).containsExactly(1, 2);
    }

    private Ask read() {
        return new Ask(Intent.READ, Freshness.causal(), session);
    }

    private Ask write() {
        return new Ask(Intent.WRITE, Freshness.causal(), session);
    }

    private static Position at(int timeline, long lsn) {
        return new WalPosition("7", timeline, lsn);
    }

    private static RoutingTable table(Lineage line, Position present) {
        ServerState primary = new ServerState(
                0, "db1", List.of(), ServerRole.PRIMARY, ServerStatus.UP, present, null, 0, false, null);
        return new RoutingTable(1, List.of(primary), primary, "7", line, 0);
    }

    /** Hears of lost positions, and of nothing else. */
    private Questions counting() {
        return new NoQuestions() {
            @Override
            public void positionsLost(int positions) {
                told.add(positions);
            }
        };
    }
}
