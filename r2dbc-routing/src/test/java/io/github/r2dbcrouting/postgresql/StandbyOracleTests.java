package io.github.r2dbcrouting.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.postgresql.StandbyOracle.Outcome;
import io.github.r2dbcrouting.spi.StatementText.Kind;
import java.util.List;
import org.junit.jupiter.api.Test;

class StandbyOracleTests {

    private static final Outcome DONE = new Outcome("", false, "");

    @Test
    void hasNoObjectionWhereTheServersAgree() {
        assertThat(objections(Kind.READ, false, false, DONE)).isEmpty();
        assertThat(objections(Kind.READ, false, false, new Outcome(StandbyOracle.UNSENT, false, StandbyOracle.UNSENT)))
                .isEmpty();
        assertThat(objections(Kind.UNKNOWN, false, false, DONE)).isEmpty();
        assertThat(objections(Kind.UNKNOWN, false, true, new Outcome("25006", false, "")))
                .isEmpty();
        assertThat(objections(Kind.WRITE, false, false, new Outcome("25006", false, "")))
                .isEmpty();
        assertThat(objections(Kind.WRITE, true, false, new Outcome("", true, "")))
                .isEmpty();
    }

    @Test
    void objectsToAReadThatAStandbyRefuses() {
        for (String error : List.of("25006", "0A000", "55000")) {
            assertThat(objections(Kind.READ, false, false, new Outcome(error, false, "")))
                    .as(error)
                    .hasSize(1)
                    .first()
                    .asString()
                    .contains("refuses with " + error);
        }
    }

    @Test
    void objectsToAReadThatOnlyOneServerCanDo() {
        assertThat(objections(Kind.READ, false, false, new Outcome("42501", false, "")))
                .hasSize(1);
        assertThat(objections(Kind.READ, false, false, new Outcome("", false, "42501")))
                .hasSize(1);
    }

    @Test
    void objectsToAReadThatFailsEverywhere() {
        assertThat(objections(Kind.READ, false, false, new Outcome("42601", false, "42601")))
                .hasSize(1);
    }

    @Test
    void objectsToAStateThatNobodyTold() {
        for (Kind kind : Kind.values()) {
            assertThat(objections(kind, false, false, new Outcome("", true, "")))
                    .as(kind.name())
                    .hasSize(1);
        }
    }

    @Test
    void objectsToAnUnknownThatIsRefusedUnlessItsMarkSaysSo() {
        assertThat(objections(Kind.UNKNOWN, false, false, new Outcome("25006", false, "")))
                .hasSize(1);
        assertThat(objections(Kind.UNKNOWN, false, true, DONE)).hasSize(1);
    }

    private static List<String> objections(Kind kind, boolean leavesState, boolean writes, Outcome outcome) {
        return StandbyOracle.objections(new Corpus.Entry(kind, leavesState, writes, "SELECT 1"), outcome);
    }
}
