package io.github.r2dbcrouting.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.internal.safeguard.Safeguard;
import io.github.r2dbcrouting.test.history.Guarantee;
import io.github.r2dbcrouting.test.history.Verdict;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The short form of what {@code docs/chaos.md} describes, run on demand: {@code -Dchaos=true}. */
@EnabledIfSystemProperty(named = "chaos", matches = "true")
class ChaosIT {

    private static final long FIXED = 20260101;
    private static final int USERS = 16;
    private static final Duration THINK_TIME = Duration.ofMillis(10);
    private static final int MOST_ROUNDS = 6;

    /** Whatever the mechanism is that is missing, what goes wrong is one of these. */
    private static final Set<Guarantee> OF_SESSIONS = EnumSet.of(
            Guarantee.READ_YOUR_WRITES,
            Guarantee.MONOTONIC_READS,
            Guarantee.MONOTONIC_WRITES,
            Guarantee.WRITES_FOLLOW_READS,
            Guarantee.NO_LOST_BRANCH);

    @Test
    void keepsEveryGuaranteeWithFaultsThatAreAlwaysTheSame() throws Exception {
        survives(FIXED);
    }

    @Test
    void keepsEveryGuaranteeWithFaultsThatAreNeverTheSame() throws Exception {
        survives(ThreadLocalRandom.current().nextLong(1_000_000_000));
    }

    /** Each with the faults that the mechanism is there for. */
    static Stream<Arguments> mechanisms() {
        return Stream.of(
                Arguments.of(Safeguard.LIVES, List.of("back in time")),
                Arguments.of(Safeguard.PENDING_WRITES, List.of("replay paused", "all replicas behind")),
                Arguments.of(Safeguard.TIMELINES, List.of("promoted beside the primary")),
                Arguments.of(Safeguard.NUDGE, List.of("latency")));
    }

    @ParameterizedTest
    @MethodSource("mechanisms")
    void findsThatSessionsSeeTooLittleWithout(Safeguard mechanism, List<String> faults) throws Exception {
        for (int round = 1; round <= MOST_ROUNDS; round++) {
            Report report = run(plan(Duration.ofSeconds(5), round, faults, mechanism));
            Verdict verdict = report.verdict();
            System.out.printf("without %s, round %d: %s%n", mechanism, round, verdict.counts());
            if (verdict.counts().keySet().stream().anyMatch(OF_SESSIONS::contains)) {
                assertThat(verdict.violations().get(0).explanation()).contains("Session ");
                return;
            }
        }
        throw new AssertionError("nothing was found without " + mechanism);
    }

    private static void survives(long seed) throws Exception {
        Report report = run(plan(Duration.ofSeconds(15), seed, List.of(), null));
        System.out.println(report);
        report.verdict().verify();
        assertThat(report.leftovers()).as("left over, seed %d", seed).isEmpty();
        assertThat(report.tally().unexpected()).as("unexpected, seed %d", seed).isEmpty();
        assertThat(report.tally().stuck.sum()).as("stuck, seed %d", seed).isZero();
        assertThat(report.tally().answered.sum()).isGreaterThan(1000);
        assertThat(report.faults()).hasSizeGreaterThanOrEqualTo(5);
    }

    private static Plan plan(Duration duration, long seed, List<String> faults, Safeguard without) {
        return new Plan(duration, seed, USERS, THINK_TIME, faults, without, null);
    }

    private static Report run(Plan plan) throws Exception {
        return ChaosRun.run(plan, new Progress(System.out));
    }
}
