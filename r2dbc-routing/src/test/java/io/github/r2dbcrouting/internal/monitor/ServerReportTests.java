package io.github.r2dbcrouting.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.fake.FakeServer;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Introduction;
import io.github.r2dbcrouting.spi.Observation;
import io.github.r2dbcrouting.spi.Position;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.util.List;
import org.junit.jupiter.api.Test;

class ServerReportTests {

    private static final ServerRole PRIMARY = ServerRole.PRIMARY;
    private static final ServerRole REPLICA = ServerRole.REPLICA;

    private static final boolean CERTAIN = true;
    private static final boolean UNCERTAIN = false;

    private final MonitoredServer server =
            new MonitoredServer(1, "db1", List.of(), new FakeServer("db1", ServerRole.REPLICA));
    private final ServerReport none = ServerReport.none(server);

    // the branch of a replica that cannot name it

    @Test
    void leavesAReplicaThatCannotNameItsBranchOnTheOneThatItWasOn() {
        Observation latest = known(replica(at(3, 100), CERTAIN), replica(at(2, 150), UNCERTAIN));

        assertThat(latest.position()).isEqualTo(at(3, 150));
        assertThat(latest.branchCertain()).isTrue();
    }

    @Test
    void isCertainAgainOfABranchThatAReplicaNamesWithoutBeingSure() {
        Observation latest = known(replica(at(3, 100), CERTAIN), replica(at(3, 150), UNCERTAIN));

        assertThat(latest.position()).isEqualTo(at(3, 150));
        assertThat(latest.branchCertain()).isTrue();
    }

    @Test
    void carriesABranchOverSeveralAnswers() {
        ServerReport report = none.answered(sample("a", 0, replica(at(3, 100), CERTAIN)))
                .answered(sample("a", 0, replica(at(2, 150), UNCERTAIN)))
                .answered(sample("a", 0, replica(at(2, 200), UNCERTAIN)));

        assertThat(report.sample().observation().position()).isEqualTo(at(3, 200));
        assertThat(report.sample().observation().branchCertain()).isTrue();
    }

    @Test
    void believesAReplicaThatIsSure() {
        assertThat(known(replica(at(3, 100), CERTAIN), replica(at(2, 150), CERTAIN)))
                .isEqualTo(replica(at(2, 150), CERTAIN));
    }

    @Test
    void followsAReplicaToALaterBranch() {
        assertThat(known(replica(at(3, 100), CERTAIN), replica(at(4, 150), UNCERTAIN)))
                .isEqualTo(replica(at(4, 150), UNCERTAIN));
    }

    @Test
    void carriesNothingThatWasNotCertain() {
        assertThat(known(replica(at(3, 100), UNCERTAIN), replica(at(2, 150), UNCERTAIN)))
                .isEqualTo(replica(at(2, 150), UNCERTAIN));
    }

    @Test
    void carriesNothingFromOrToAPositionThatItDoesNotKnow() {
        assertThat(known(replica(null, CERTAIN), replica(at(2, 150), UNCERTAIN)))
                .isEqualTo(replica(at(2, 150), UNCERTAIN));
        assertThat(known(replica(at(3, 100), CERTAIN), replica(null, UNCERTAIN)))
                .isEqualTo(replica(null, UNCERTAIN));
    }

    @Test
    void carriesNothingFromAPrimaryNorToOne() {
        Observation primary = new Observation(PRIMARY, at(3, 100), 3, CERTAIN, null, "");
        Observation unsure = new Observation(PRIMARY, at(2, 150), 2, UNCERTAIN, null, "");

        assertThat(known(primary, replica(at(2, 150), UNCERTAIN))).isEqualTo(replica(at(2, 150), UNCERTAIN));
        assertThat(known(replica(at(3, 100), CERTAIN), unsure)).isEqualTo(unsure);
    }

    @Test
    void carriesNothingToAnotherLife() {
        Sample before = sample("a", 0, replica(at(3, 100), CERTAIN));
        Observation latest = replica(at(2, 150), UNCERTAIN);

        assertThat(none.answered(before)
                        .answered(sample("b", 0, latest))
                        .sample()
                        .observation())
                .isEqualTo(latest);
        assertThat(none.answered(before)
                        .answered(sample("a", 7, latest))
                        .sample()
                        .observation())
                .isEqualTo(latest);
    }

    // where a promoted server's branch began

    @Test
    void seesWhereABranchBegan() {
        assertThat(switchPoint(replica(at(2, 100), CERTAIN), primary(3, at(2, 120))))
                .isEqualTo(at(2, 120));
    }

    @Test
    void knowsNoBeginningThatItDidNotSee() {
        assertThat(none.answered(sample("a", 0, primary(3, at(2, 120)))).switchPoint())
                .isNull();
        assertThat(switchPoint(replica(null, CERTAIN), primary(3, at(2, 120)))).isNull();
        assertThat(switchPoint(replica(at(2, 100), CERTAIN), primary(3, null))).isNull();
    }

    @Test
    void knowsNoBeginningOnABranchThatTheReplicaWasNotOn() {
        assertThat(switchPoint(replica(at(1, 100), CERTAIN), primary(3, at(2, 120))))
                .isNull();
        assertThat(switchPoint(replica(at(3, 100), CERTAIN), primary(3, at(2, 120))))
                .isNull();
    }

    @Test
    void takesARecoveryFromACrashForNoBeginning() {
        ServerReport replica = none.answered(sample("a", 0, replica(at(2, 100), CERTAIN)));

        assertThat(replica.answered(sample("a", 7, primary(3, at(2, 120)))).switchPoint())
                .isNull();
        assertThat(replica.answered(sample("b", 0, primary(3, at(2, 120)))).switchPoint())
                .isNull();
    }

    @Test
    void remembersWhereABranchBeganAsLongAsItIsWrittenTo() {
        ServerReport promoted = none.answered(sample("a", 0, replica(at(2, 100), CERTAIN)))
                .answered(sample("a", 0, primary(3, at(2, 120))));

        assertThat(promoted.answered(sample("a", 0, primary(3, null))).switchPoint())
                .isEqualTo(at(2, 120));
        assertThat(promoted.answered(sample("b", 7, primary(3, at(3, 300)))).switchPoint())
                .isEqualTo(at(2, 120));
        assertThat(promoted.failed("does not answer").switchPoint()).isEqualTo(at(2, 120));
    }

    @Test
    void forgetsWhereABranchBeganThatIsLeft() {
        ServerReport promoted = none.answered(sample("a", 0, replica(at(2, 100), CERTAIN)))
                .answered(sample("a", 0, primary(3, at(2, 120))));

        assertThat(promoted.answered(sample("a", 0, primary(4, at(3, 300)))).switchPoint())
                .isNull();
        assertThat(promoted.answered(sample("a", 0, replica(at(3, 300), CERTAIN)))
                        .switchPoint())
                .isNull();
    }

    // who answered

    @Test
    void countsFailuresSinceTheLastAnswer() {
        ServerReport failed = none.answered(sample("a", 0, replica(at(2, 100), CERTAIN)))
                .failed("once")
                .failed("twice");

        assertThat(failed.failures()).isEqualTo(2);
        assertThat(failed.problem()).isEqualTo("twice");
        ServerReport again = failed.answered(sample("a", 0, replica(at(2, 110), CERTAIN)));
        assertThat(again.failures()).isZero();
        assertThat(again.problem()).isNull();
        assertThat(none.failed("never").answered(sample("a", 0, replica(at(2, 110), CERTAIN))))
                .isEqualTo(none.answered(sample("a", 0, replica(at(2, 110), CERTAIN))));
    }

    @Test
    void remembersWhoAnsweredBeforeAndSeesThatItComesBack() {
        ServerReport first = answered("a");
        ServerReport second = first.answered(sample("b", 0, replica(at(2, 100), CERTAIN)));
        ServerReport back = second.answered(sample("a", 0, replica(at(2, 100), CERTAIN)));

        assertThat(first.earlier()).isEmpty();
        assertThat(first.alternating()).isFalse();
        assertThat(second.earlier()).containsExactly(identity("a"));
        assertThat(second.alternating()).isFalse();
        assertThat(back.earlier()).containsExactly(identity("a"), identity("b"));
        assertThat(back.alternating()).isTrue();
        assertThat(back.failed("x").alternating()).isTrue();
        assertThat(back.answered(sample("a", 0, replica(at(2, 100), CERTAIN))).alternating())
                .isTrue();
    }

    @Test
    void takesOneServerThatGoesOnAnsweringForOne() {
        ServerReport twice = answered("a", "a", "a");

        assertThat(twice.earlier()).isEmpty();
        assertThat(twice.alternating()).isFalse();
    }

    @Test
    void remembersTheLatestEightOnly() {
        ServerReport report = answered("a", "b", "c", "d", "e", "f", "g", "h", "i");
        assertThat(report.earlier()).hasSize(8).first().isEqualTo(identity("a"));

        ServerReport longer = report.answered(sample("j", 0, replica(at(2, 100), CERTAIN)));

        assertThat(longer.earlier()).hasSize(8).first().isEqualTo(identity("b"));
        assertThat(longer.earlier()).last().isEqualTo(identity("i"));
        assertThat(longer.alternating()).isFalse();
    }

    @Test
    void keepsWhatItKnowsWhenItsSettingsChange() {
        ServerReport report = answered("a", "b").failed("x");
        MonitoredServer changed = server.removed();

        ServerReport with = report.with(changed);

        assertThat(with)
                .isEqualTo(new ServerReport(
                        changed,
                        report.sample(),
                        1,
                        "x",
                        report.switchPoint(),
                        List.of(identity("a")),
                        report.alternating(),
                        report.movedAt()));
    }

    private ServerReport answered(String... lives) {
        ServerReport report = none;
        for (String life : lives) {
            report = report.answered(sample(life, 0, replica(at(2, 100), CERTAIN)));
        }
        return report;
    }

    /** What is taken for the latest, of two answers in one life. */
    private Observation known(Observation before, Observation latest) {
        return none.answered(sample("a", 0, before))
                .answered(sample("a", 0, latest))
                .sample()
                .observation();
    }

    private Position switchPoint(Observation before, Observation latest) {
        return none.answered(sample("a", 0, before))
                .answered(sample("a", 0, latest))
                .switchPoint();
    }

    private static Observation replica(WalPosition position, boolean certain) {
        return new Observation(REPLICA, position, 0, certain, null, "");
    }

    private static Observation primary(int branch, WalPosition recoveredTo) {
        return new Observation(PRIMARY, at(branch, 130), branch, CERTAIN, recoveredTo, "");
    }

    private static Sample sample(String startedAt, long openedAt, Observation observation) {
        return new Sample(
                new Introduction(identity(startedAt), observation, "1", true), openedAt, observation, 1, false);
    }

    private static ServerIdentity identity(String startedAt) {
        return new ServerIdentity("7", startedAt);
    }

    private static WalPosition at(int timeline, long lsn) {
        return new WalPosition("7", timeline, lsn);
    }
}
