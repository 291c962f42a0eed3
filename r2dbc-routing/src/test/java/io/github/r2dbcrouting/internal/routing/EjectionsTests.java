package io.github.r2dbcrouting.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class EjectionsTests {

    private static final int MANY = 10;

    private final AtomicLong time = new AtomicLong(Long.MAX_VALUE - 1_000);
    private final Ejections ejections = new Ejections(time::get);

    @Test
    void leavesNobodyAloneWhileNothingFails() {
        ejections.succeeded(3);

        assertThat(ejections.outliers()).isNull();
        assertThat(ejections.admits(3, bound -> bound - 1)).isTrue();
        assertThat(ejections.ejected(3)).isFalse();
    }

    @Test
    void ejectsAfterThreeFailuresInARow() {
        fail(1, 2);
        assertThat(ejections.ejected(1)).isFalse();

        fail(1, 1);

        assertThat(ejections.ejected(1)).isTrue();
        assertThat(ejections.ejected(0)).isFalse();
        assertThat(ejections.outliers()).hasToString("ejected {1}, starting {}");
    }

    @Test
    void forgetsFailuresAtASuccess() {
        fail(1, 2);
        ejections.succeeded(1);

        fail(1, 2);

        assertThat(ejections.ejected(1)).isFalse();
    }

    @Test
    void ejectsForASecondFirst() {
        fail(1, 3);

        pass(Duration.ofMillis(999));
        assertThat(ejections.ejected(1)).isTrue();
        pass(Duration.ofMillis(1));
        assertThat(ejections.ejected(1)).isFalse();
    }

    @Test
    void doublesTheTimeUpToHalfAMinute() {
        fail(1, 3);
        for (int seconds : new int[] {1, 2, 4, 8, 16, 30, 30}) {
            pass(Duration.ofSeconds(seconds).minusNanos(1));
            assertThat(ejections.ejected(1)).as("before %s s", seconds).isTrue();
            pass(Duration.ofNanos(1));
            assertThat(ejections.ejected(1)).as("after %s s", seconds).isFalse();
            // one failure is enough while it starts
            fail(1, 1);
        }
    }

    @Test
    void ignoresWhatWasSentBeforeTheEjection() {
        fail(1, 3);

        fail(1, 20);

        pass(Duration.ofSeconds(1));
        assertThat(ejections.ejected(1)).isFalse();
    }

    @Test
    void startsAnewAfterALongTimeWithoutAFailure() {
        fail(1, 3);
        pass(Duration.ofSeconds(31));

        fail(1, 2);
        assertThat(ejections.ejected(1)).isFalse();
        fail(1, 1);

        assertThat(ejections.ejected(1)).isTrue();
        pass(Duration.ofSeconds(1));
        assertThat(ejections.ejected(1)).isFalse();
    }

    @Test
    void neverEjectsMoreThanHalf() {
        for (int server = 1; server <= 5; server++) {
            for (int failure = 0; failure < 3; failure++) {
                ejections.failed(server, 5);
            }
        }

        assertThat(ejections.ejected(1)).isTrue();
        assertThat(ejections.ejected(2)).isTrue();
        assertThat(ejections.ejected(3)).isFalse();
        assertThat(ejections.ejected(4)).isFalse();
        assertThat(ejections.ejected(5)).isFalse();
    }

    @Test
    void ejectsTheNextOnceAnotherIsBack() {
        fail(1, 3);
        ejections.failed(2, 2);
        ejections.failed(2, 2);
        ejections.failed(2, 2);
        assertThat(ejections.ejected(2)).isFalse();

        pass(Duration.ofSeconds(1));
        ejections.failed(2, 2);

        assertThat(ejections.ejected(2)).isTrue();
    }

    @Test
    void comesBackSlowly() {
        fail(1, 3);

        pass(Duration.ofSeconds(1));
        assertThat(ejections.outliers()).hasToString("ejected {}, starting {1}");
        assertThat(shareOf(1)).isEqualTo(10);
        pass(Duration.ofMillis(2_500));
        assertThat(shareOf(1)).isEqualTo(55);
        pass(Duration.ofMillis(2_500));
        assertThat(shareOf(1)).isEqualTo(100);
        assertThat(ejections.outliers()).isNull();
    }

    @Test
    void keepsWhoIsToBeLeftAloneUntilThatChanges() {
        fail(1, 3);
        pass(Duration.ofMillis(500));
        fail(2, 3);

        Outliers both = ejections.outliers();
        assertThat(both).hasToString("ejected {1, 2}, starting {}");
        pass(Duration.ofMillis(499));
        assertThat(ejections.outliers()).isSameAs(both);
        pass(Duration.ofMillis(1));
        Outliers oneBack = ejections.outliers();
        assertThat(oneBack).hasToString("ejected {2}, starting {1}");
        pass(Duration.ofMillis(499));
        assertThat(ejections.outliers()).isSameAs(oneBack);
        pass(Duration.ofMillis(1));
        assertThat(ejections.outliers()).hasToString("ejected {}, starting {1, 2}");
        pass(Duration.ofMillis(4_500));
        assertThat(ejections.outliers()).hasToString("ejected {}, starting {2}");
    }

    @Test
    void noticesAFailureAtOnce() {
        fail(1, 3);
        assertThat(ejections.outliers()).hasToString("ejected {1}, starting {}");

        fail(2, 3);

        assertThat(ejections.outliers()).hasToString("ejected {1, 2}, starting {}");
    }

    @Test
    void knowsWhoIsBackSooner() {
        fail(1, 3);
        pass(Duration.ofMillis(1));
        fail(2, 3);

        assertThat(ejections.sooner(1, 2)).isEqualTo(1);
        assertThat(ejections.sooner(2, 1)).isEqualTo(1);
    }

    /** In hundredths: of all numbers that can be drawn, with how many it is admitted. */
    private int shareOf(int server) {
        int admitted = 0;
        for (int draw = 0; draw < 100; draw++) {
            int drawn = draw;
            if (ejections.admits(server, bound -> drawn)) {
                admitted++;
            }
        }
        return admitted;
    }

    @Test
    void remembersAnEjectionThatEndsAfterALaterOne() {
        fail(1, 3);
        pass(Duration.ofSeconds(1));
        fail(1, 1);
        pass(Duration.ofMillis(500));
        fail(2, 3);
        assertThat(ejections.outliers()).hasToString("ejected {1, 2}, starting {}");

        pass(Duration.ofMillis(6_200));

        assertThat(ejections.outliers()).hasToString("ejected {}, starting {1}");
    }

    @Test
    void seesThemComeBackWhateverTheClockBeganWith() {
        for (long began : new long[] {Long.MIN_VALUE, -1_000_000_000_000L, 0, 1_000_000_000_000L}) {
            AtomicLong clock = new AtomicLong(began);
            Ejections some = new Ejections(clock::get);
            for (int i = 0; i < Ejections.FAILURES; i++) {
                some.failed(1, MANY);
            }
            assertThat(some.outliers()).hasToString("ejected {1}, starting {}");

            clock.addAndGet(Duration.ofSeconds(1).toNanos());

            assertThat(some.outliers()).as("from %s", began).hasToString("ejected {}, starting {1}");
        }
    }

    private void fail(int server, int times) {
        for (int i = 0; i < times; i++) {
            ejections.failed(server, MANY);
        }
    }

    private void pass(Duration duration) {
        time.addAndGet(duration.toNanos());
    }
}
