package io.github.r2dbcrouting.webflux.actuator;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.RouteDecision.Candidate;
import io.github.r2dbcrouting.RouteDecision.Reason;
import io.github.r2dbcrouting.RouteDecision.Refusal;
import io.github.r2dbcrouting.ServerRole;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DecisionLogTests {

    private static final Set<String> SERVERS = Set.of("db0", "db1", "db2");

    private final DecisionLog log = new DecisionLog(bound -> 0);

    @Test
    void countsWhatWasDecidedSinceItWasAskedLast() {
        decide("db1", Reason.COVERS_TOKEN, Duration.ZERO, 6);
        decide("db2", Reason.COVERS_TOKEN, Duration.ofMillis(3), 2);

        assertThat(log.rates(2, SERVERS))
                .containsExactlyInAnyOrder(
                        new RouterReport.Rate("db1", "read", "covers_token", false, 3),
                        new RouterReport.Rate("db2", "read", "covers_token", true, 1));

        decide("db1", Reason.COVERS_TOKEN, Duration.ZERO, 1);

        assertThat(log.rates(1, SERVERS))
                .as("what there was none of is left out")
                .containsExactly(new RouterReport.Rate("db1", "read", "covers_token", false, 1));
        assertThat(log.rates(1, SERVERS)).isEmpty();
    }

    @Test
    void forgetsServersThatAreGoneAndWhatNobodyServedNot() {
        decide("db1", Reason.COVERS_TOKEN, Duration.ZERO, 4);
        decide("db2", Reason.COVERS_TOKEN, Duration.ZERO, 4);
        decide(null, Reason.NO_SERVER, Duration.ZERO, 1);

        assertThat(log.rates(1, Set.of("db2")))
                .as("the last of one that is gone is told")
                .extracting(RouterReport.Rate::server)
                .containsExactlyInAnyOrder("db1", "db2", null);
        assertThat(log.kinds()).isEqualTo(2);

        decide("db1", Reason.COVERS_TOKEN, Duration.ZERO, 1);
        assertThat(log.rates(1, SERVERS))
                .as("one that is back begins at nothing")
                .containsExactly(new RouterReport.Rate("db1", "read", "covers_token", false, 1));
    }

    @Test
    void hearsOfFewerWhereThereAreManyAndCountsEachForAsMany() {
        for (int i = 0; i < 10 * DecisionLog.MOST_PER_SECOND; i++) {
            assertThat(log.wantsNext()).isTrue();
        }
        log.adapt(1);

        assertThat(log.oneIn()).isEqualTo(10);
        decide("db1", Reason.NOTHING_TO_COVER, Duration.ZERO, 5);
        assertThat(log.rates(1, SERVERS))
                .extracting(RouterReport.Rate::perSecond)
                .containsExactly(50.0);
        assertThat(new DecisionLog(bound -> 1).wantsNext())
                .as("all while there are few")
                .isTrue();

        log.adapt(1);
        assertThat(log.oneIn()).as("few were made since").isEqualTo(1);
    }

    @Test
    void asksTheDiceOncePerDecisionOnlyWhereThereAreMany() {
        int[] thrown = {0};
        DecisionLog dicing = new DecisionLog(bound -> {
            thrown[0]++;
            return 1;
        });
        for (int i = 0; i < 2 * DecisionLog.MOST_PER_SECOND; i++) {
            assertThat(dicing.wantsNext()).isTrue();
        }
        assertThat(thrown[0]).isZero();

        dicing.adapt(1);

        assertThat(dicing.wantsNext()).isFalse();
        assertThat(thrown[0]).isEqualTo(1);
    }

    @Test
    void tellsTheRareAmongTheMany() {
        decide("db0", Reason.NO_REPLICA_COVERS, Duration.ZERO, 1);
        decide("db1", Reason.COVERS_TOKEN, Duration.ZERO, 100);
        decide(null, Reason.NO_SERVER, Duration.ZERO, 1);
        decide("db1", Reason.COVERS_TOKEN, Duration.ZERO, 100);

        List<RouterReport.Decision> some = log.some(0, 10);

        assertThat(some).hasSize(10).extracting(RouterReport.Decision::id).isSorted();
        assertThat(some)
                .extracting(RouterReport.Decision::reason)
                .contains("no_replica_covers", "no_server", "covers_token");
        assertThat(log.some(202, 10)).isEmpty();
        assertThat(log.some(201, 10)).extracting(RouterReport.Decision::id).containsExactly(201L);
    }

    @Test
    void keepsTheNewest() {
        decide("db1", Reason.COVERS_TOKEN, Duration.ZERO, DecisionLog.SIZE + 10);

        List<RouterReport.Decision> all = log.some(0, 2 * DecisionLog.SIZE);

        assertThat(all).hasSize(DecisionLog.SIZE);
        assertThat(all.get(0).id()).isEqualTo(10);
    }

    @Test
    void saysOfEachServerWhyItWasNotChosen() {
        decide("db1", Reason.COVERS_TOKEN, Duration.ofMillis(7), 1);

        assertThat(log.some(0, 1)).singleElement().satisfies(decision -> {
            assertThat(decision.freshness()).isEqualTo("causal");
            assertThat(decision.waited()).isEqualTo(7);
            assertThat(decision.why()).isEqualTo(Reason.COVERS_TOKEN.text());
            assertThat(decision.candidates())
                    .containsExactly(
                            new RouterReport.Candidate("db1", null, null),
                            new RouterReport.Candidate("db2", "behind_token", Refusal.BEHIND_TOKEN.text()));
        });
    }

    private void decide(String server, Reason reason, Duration waited, int times) {
        for (int i = 0; i < times; i++) {
            log.onDecision(new RouteDecision(
                    server,
                    server == null ? ServerRole.UNKNOWN : ServerRole.REPLICA,
                    reason,
                    Intent.READ,
                    Freshness.causal(),
                    List.of(new Candidate("db1", null), new Candidate("db2", Refusal.BEHIND_TOKEN)),
                    waited,
                    null));
        }
    }
}
