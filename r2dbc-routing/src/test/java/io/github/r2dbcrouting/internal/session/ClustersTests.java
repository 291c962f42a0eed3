package io.github.r2dbcrouting.internal.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.util.List;
import org.junit.jupiter.api.Test;

/** One session reads from, and writes to, several clusters, and one of them loses what it wrote. */
class ClustersTests {

    private static final String ONE = "7";
    private static final String OTHER = "8";

    private final SessionState session = new SessionState();

    @Test
    void requiresOfEachClusterItsOwnPositions() {
        session.observe(CausalToken.of(List.of(at(ONE, 1, 5), at(OTHER, 1, 9))));

        assertThat(session.required(ONE)).containsExactly(at(ONE, 1, 5));
        assertThat(session.required(OTHER)).containsExactly(at(OTHER, 1, 9));
        assertThat(session.required("9")).isEmpty();
    }

    @Test
    void hasSeenOfEachClusterItsOwnReplicas() {
        Floors floors = new NoFloors();
        var one = session.beginRead(floors, new ServerIdentity(ONE, "a"), 1, 2);
        var other = session.beginRead(floors, new ServerIdentity(OTHER, "b"), 1, 2);

        assertThat(session.seen(ONE)).singleElement().satisfies(seen -> {
            assertThat(seen.identity().cluster()).isEqualTo(ONE);
            assertThat(seen.session()).isSameAs(session);
        });
        one.ended(3);
        other.ended(3);
        assertThat(session.seen(OTHER))
                .singleElement()
                .satisfies(seen -> assertThat(seen.identity().cluster()).isEqualTo(OTHER));
    }

    @Test
    void tellsAPendingReadFromAPendingWrite() {
        PendingWrite write = session.begin(ONE, false, () -> {});

        assertThat(session.hasPendingReads(ONE)).isFalse();
        assertThat(session.hasPending(ONE)).isTrue();
        assertThat(write.session()).isSameAs(session);
        assertThat(write.mayHaveWritten()).isTrue();
        PendingWrite read = session.beginRead(OTHER, false, () -> {}, new NoFloors());

        assertThat(session.hasPendingReads(OTHER)).isTrue();
        assertThat(session.hasPendingReads(ONE)).isFalse();
        assertThat(session.hasPending(OTHER)).isFalse();
        assertThat(read.mayHaveWritten()).isFalse();
    }

    @Test
    void goesOnFromAnotherPositionThanThoseThatAreLost() {
        session.observe(CausalToken.of(List.of(at(ONE, 1, 5), at(OTHER, 1, 9))));

        int given = session.goOnFrom(at(ONE, 2, 3), position -> true);

        assertThat(given).isEqualTo(1);
        assertThat(session.required(ONE)).containsExactly(at(ONE, 2, 3));
        assertThat(session.required(OTHER)).containsExactly(at(OTHER, 1, 9));
    }

    @Test
    void staysWhereItIsWhileNothingOfItIsLost() {
        assertThat(session.goOnFrom(at(ONE, 2, 3), position -> true)).isZero();
        assertThat(session.observed()).isNull();
        session.observe(CausalToken.of(List.of(at(ONE, 1, 5))));

        int given = session.goOnFrom(at(ONE, 2, 3), position -> false);

        assertThat(given).isZero();
        assertThat(session.required(ONE)).containsExactly(at(ONE, 1, 5));
    }

    private static WalPosition at(String cluster, int timeline, long lsn) {
        return new WalPosition(cluster, timeline, lsn);
    }

    private static final class NoFloors implements Floors {

        @Override
        public void find(SightedFloor floor) {
            throw new UnsupportedOperationException("nobody asks for a position");
        }

        @Override
        public long now() {
            return 0;
        }
    }
}
