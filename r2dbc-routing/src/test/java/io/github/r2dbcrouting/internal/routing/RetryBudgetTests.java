package io.github.r2dbcrouting.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RetryBudgetTests {

    private final AtomicLong time = new AtomicLong(Long.MAX_VALUE - 1_000);
    private final RetryBudget budget = new RetryBudget(time::get);

    @Test
    void beginsFull() {
        assertThat(takeAll()).isEqualTo(RetryBudget.MOST_SAVED);
    }

    @Test
    void earnsTenInASecond() {
        int before = takeAll();

        pass(Duration.ofSeconds(1));

        assertThat(before).isPositive();
        assertThat(takeAll()).isEqualTo(RetryBudget.PER_SECOND);
    }

    @Test
    void earnsNothingBeforeATenthOfASecond() {
        int before = takeAll();

        pass(Duration.ofMillis(99));

        assertThat(before).isPositive();
        assertThat(budget.take()).isFalse();
        pass(Duration.ofMillis(1));
        assertThat(budget.take()).isTrue();
    }

    @Test
    void earnsOneForTenReads() {
        int before = takeAll();

        reads(9);

        assertThat(before).isPositive();
        assertThat(budget.take()).isFalse();
        reads(1);
        assertThat(budget.take()).isTrue();
        reads(1_000);
        assertThat(takeAll()).isEqualTo(100);
    }

    @Test
    void savesNoMoreThanItBeganWith() {
        reads(100_000);
        pass(Duration.ofHours(1));
        reads(100_000);

        assertThat(takeAll()).isEqualTo(RetryBudget.MOST_SAVED);
    }

    private void reads(int count) {
        for (int i = 0; i < count; i++) {
            budget.read();
        }
    }

    private void pass(Duration duration) {
        time.addAndGet(duration.toNanos());
    }

    private int takeAll() {
        int taken = 0;
        while (budget.take()) {
            taken++;
        }
        return taken;
    }
}
