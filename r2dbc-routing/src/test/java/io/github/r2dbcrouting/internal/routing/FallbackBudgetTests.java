package io.github.r2dbcrouting.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
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

        assertThat(budget.request(granted::add)).isNull();
        assertThat(budget.queued()).isEqualTo(3);
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
}
