package io.github.r2dbcrouting.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.internal.monitor.BranchMarks.Verdict;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.HistoryMark;
import io.github.r2dbcrouting.spi.Introduction;
import io.github.r2dbcrouting.spi.Observation;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Server 1 is followed, on branch 2. */
class BranchMarksTests {

    private static final HistoryMark EARLIER = new HistoryMark(at(2, 100), "earlier");
    private static final HistoryMark MARK = new HistoryMark(at(2, 200), "mark");
    private static final BranchMarks MARKS =
            BranchMarks.AWAITED.of(1, 2).with(EARLIER).with(MARK);

    @Test
    void tellsNothingOfTheFirstBranchWhichHasNoRival() {
        assertThat(BranchMarks.AWAITED.judge(null, 0, 1)).isEqualTo(Verdict.NOT_TOLD);
        assertThat(BranchMarks.AWAITED.of(0, 1).lacking()).isFalse();
        assertThat(BranchMarks.NONE.judge(null, 1, 2)).isEqualTo(Verdict.NOT_TOLD);
    }

    @Test
    void takesNobodyAtItsWordFromTheMomentOfAPromotionOn() {
        assertThat(BranchMarks.AWAITED.judge(null, 1, 2)).isEqualTo(Verdict.UNPROVEN);
        assertThat(MARKS.judge(borne(MARK), 2, 3)).isEqualTo(Verdict.UNPROVEN);
        assertThat(MARKS.judge(borne(MARK), 2, 2)).as("of another primary").isEqualTo(Verdict.UNPROVEN);
        assertThat(BranchMarks.AWAITED.of(1, 2).lacking()).isTrue();
        assertThat(MARKS.lacking()).isFalse();
        assertThat(MARKS.of(1, 2)).isSameAs(MARKS);
        assertThat(MARKS.of(1, 3).marks()).isEmpty();
    }

    @Test
    void believesWhoHasOneOfTheMarks() {
        assertThat(MARKS.judge(borne(MARK), 1, 2)).isEqualTo(Verdict.PROVEN);
        assertThat(MARKS.judge(borne(EARLIER), 1, 2)).isEqualTo(Verdict.PROVEN);
        assertThat(MARKS.judge(borne(new HistoryMark(at(2, 200), "other")), 1, 2))
                .isEqualTo(Verdict.UNPROVEN);
        assertThat(MARKS.judge(new Bearing(MARK, Bearing.Verdict.ABSENT), 1, 2)).isEqualTo(Verdict.ELSEWHERE);
        assertThat(MARKS.judge(new Bearing(MARK, Bearing.Verdict.FORGOTTEN), 1, 2))
                .isEqualTo(Verdict.UNPROVEN);
    }

    @Test
    void takesEverybodyAtItsWordWhereThePrimaryRefusesMarks() {
        BranchMarks refused = BranchMarks.AWAITED.of(1, 2).refused();

        assertThat(refused.judge(null, 1, 2)).isEqualTo(Verdict.NOT_TOLD);
        assertThat(refused.lacking()).isFalse();
        assertThat(refused.judge(null, 2, 3)).as("of the next primary").isEqualTo(Verdict.UNPROVEN);
        assertThat(refused.of(2, 3).lacking()).isTrue();
    }

    @Test
    void asksForTheLatestMarkThatAReplicaHasComeTo() {
        assertThat(MARKS.toAsk(at(1, 99), null)).isNull();
        assertThat(MARKS.toAsk(at(1, 100), null)).isEqualTo(EARLIER);
        assertThat(MARKS.toAsk(at(2, 250), null)).isEqualTo(MARK);
        assertThat(MARKS.toAsk(null, null)).isNull();
        assertThat(BranchMarks.AWAITED.of(1, 2).toAsk(at(2, 250), null)).isNull();
    }

    @Test
    void asksAgainOnlyForWhatCouldBeAnsweredOtherwise() {
        assertThat(MARKS.toAsk(at(2, 250), borne(EARLIER))).isNull();
        assertThat(MARKS.toAsk(at(2, 250), new Bearing(EARLIER, Bearing.Verdict.ABSENT)))
                .isNull();
        assertThat(MARKS.toAsk(at(2, 250), new Bearing(EARLIER, Bearing.Verdict.FORGOTTEN)))
                .isEqualTo(MARK);
        assertThat(MARKS.toAsk(at(2, 250), new Bearing(MARK, Bearing.Verdict.FORGOTTEN)))
                .isNull();
        assertThat(MARKS.toAsk(at(2, 250), borne(new HistoryMark(at(2, 200), "of an earlier branch"))))
                .isEqualTo(MARK);
    }

    @Test
    void tellsThePositionOfWhoHasAMarkOnItsBranch() {
        assertThat(MARKS.placed(sample(at(1, 250), borne(MARK))).observation().position())
                .isEqualTo(at(2, 250));
        assertThat(MARKS.placed(sample(at(3, 250), borne(MARK))).observation().position())
                .isEqualTo(at(3, 250));
        assertThat(MARKS.placed(sample(at(1, 250), new Bearing(MARK, Bearing.Verdict.ABSENT)))
                        .observation()
                        .position())
                .isEqualTo(at(1, 250));
        assertThat(MARKS.placed(sample(at(1, 250), borne(MARK))).observation().branchCertain())
                .isFalse();
    }

    @Test
    void noticesThatTheLatestMarkIsForgotten() {
        assertThat(MARKS.forgottenBy(sample(at(2, 250), new Bearing(MARK, Bearing.Verdict.FORGOTTEN))))
                .isTrue();
        assertThat(MARKS.forgottenBy(sample(at(2, 250), new Bearing(EARLIER, Bearing.Verdict.FORGOTTEN))))
                .isFalse();
        assertThat(MARKS.forgottenBy(sample(at(2, 250), borne(MARK)))).isFalse();
    }

    @Test
    void remembersAFewMarksOnly() {
        BranchMarks marks = MARKS;
        for (int i = 0; i < 10; i++) {
            marks = marks.with(new HistoryMark(at(2, 300 + i), "later " + i));
        }

        assertThat(marks.marks()).hasSize(4);
        assertThat(marks.marks().get(0).signature()).isEqualTo("later 9");
    }

    private static Bearing borne(HistoryMark mark) {
        return new Bearing(mark, Bearing.Verdict.BORNE);
    }

    private static Sample sample(WalPosition position, Bearing bearing) {
        FakeServer server = new FakeServer("db2", ServerRole.REPLICA);
        Observation observation = new Observation(server.role, position, position.timeline(), false, null, "");
        Introduction introduction = new Introduction(server.identity(), observation, "1", true);
        return new Sample(introduction, 0, observation, 1, false, List.of(), bearing);
    }

    private static WalPosition at(int timeline, long lsn) {
        return new WalPosition("7", timeline, lsn);
    }
}
