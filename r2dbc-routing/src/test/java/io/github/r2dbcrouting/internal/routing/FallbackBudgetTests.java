package io.github.r2dbcrouting.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class FallbackBudgetTests {

    private final FallbackBudget budget = new FallbackBudget(() -> 2, 3);
    private final List<Permit> granted = new ArrayList<>();

    @Test
    void grantsAtOnceWhatIsFree() {
        budget.request(granted::add);
        budget.request(granted::add);

        assertThat(granted).hasSize(2);
        assertThat(budget.inUse()).isEqualTo(2);
        assertThat(budget.queued()).isZero();
    }

    @Test
    void servesTheQueueInOrder() {
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            int number = i;
            budget.request(permit -> {
                order.add(number);
                granted.add(permit);
            });
        }
        assertThat(order).containsExactly(0, 1);

        granted.get(0).release();
        granted.get(0).release();
        granted.get(1).withdraw();

        assertThat(order).containsExactly(0, 1, 2, 3);
        assertThat(budget.inUse()).isEqualTo(2);
    }

    @Test
    void refusesWhoeverFindsTheQueueFull() {
        for (int i = 0; i < 5; i++) {
            assertThat(budget.request(granted::add)).isNotNull();
        }
        assertThat(budget.refused()).isZero();

        assertThat(budget.request(granted::add)).isNull();
        assertThat(budget.refused()).isEqualTo(1);
        assertThat(budget.queued()).isEqualTo(3);
    }

    @Test
    void letsInWhoeverIsServedAtOnceHoweverFullTheQueueIs() {
        AtomicInteger limit = new AtomicInteger();
        FallbackBudget growing = new FallbackBudget(limit::get, 1);
        assertThat(growing.request(granted::add)).isNotNull();
        assertThat(growing.request(granted::add)).isNull();

        limit.set(2);

        assertThat(growing.limit()).isEqualTo(2);
        assertThat(growing.request(granted::add)).isNotNull();
        assertThat(granted).hasSize(2);
        assertThat(growing.queued()).isZero();
    }

    @Test
    void skipsThoseWhoGaveTheirPlaceUp() {
        budget.request(granted::add);
        budget.request(granted::add);
        List<Permit> none = new ArrayList<>();
        FallbackBudget.Ticket place = budget.request(none::add);
        budget.request(granted::add);

        place.cancel();
        place.cancel();
        granted.get(0).release();

        assertThat(none).isEmpty();
        assertThat(granted).hasSize(3);
        assertThat(budget.queued()).isZero();
    }

    @Test
    void keepsAnAdoptedPermitFromBeingWithdrawn() {
        budget.request(granted::add);
        Permit permit = granted.get(0);

        assertThat(permit.adopt()).isTrue();
        permit.withdraw();

        assertThat(budget.inUse()).isEqualTo(1);
        permit.release();
        assertThat(budget.inUse()).isZero();
        assertThat(permit.adopt()).isFalse();
    }

    @Test
    void losesNeitherPlacesNorPermitsWhenManyAskReleaseAndLeave() throws Exception {
        AtomicInteger limit = new AtomicInteger(3);
        FallbackBudget shared = new FallbackBudget(limit::get, 4);
        AtomicInteger held = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        ExecutorService threads = Executors.newFixedThreadPool(4);
        List<Future<?>> done = new ArrayList<>();
        for (int thread = 0; thread < 4; thread++) {
            Random random = new Random(thread);
            done.add(threads.submit(() -> {
                for (int i = 0; i < 20_000; i++) {
                    Queue<Permit> mine = new ConcurrentLinkedQueue<>();
                    AtomicBoolean left = new AtomicBoolean();
                    FallbackBudget.Ticket place = shared.request(permit -> {
                        most.accumulateAndGet(held.incrementAndGet(), Math::max);
                        mine.add(permit);
                        if (left.get()) {
                            releaseAll(mine, held);
                        }
                    });
                    if (random.nextBoolean()) {
                        Thread.onSpinWait();
                    }
                    if (place != null) {
                        place.cancel();
                    }
                    left.set(true);
                    releaseAll(mine, held);
                }
            }));
        }
        for (Future<?> each : done) {
            each.get(30, TimeUnit.SECONDS);
        }
        threads.shutdown();

        assertThat(most.get()).isBetween(1, 3);
        assertThat(shared.queued()).isZero();
        assertThat(shared.inUse()).isZero();
    }

    private static void releaseAll(Queue<Permit> permits, AtomicInteger held) {
        for (Permit permit = permits.poll(); permit != null; permit = permits.poll()) {
            held.decrementAndGet();
            permit.release();
        }
    }
}
