package io.github.r2dbcrouting.internal.table;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.fake.NoQuestions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import reactor.test.StepVerifier;

class TableRefTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final TableRef tables = new TableRef(new NoQuestions());

    @Test
    void holdsTheEmptyTableAtFirst() {
        assertThat(tables.current().version()).isZero();
        assertThat(tables.current().servers()).isEmpty();
    }

    @Test
    void holdsTheTableThatWasPublishedLast() {
        tables.publish(table(1));
        tables.publish(table(2));

        assertThat(tables.current().version()).isEqualTo(2);
    }

    @Test
    void answersAtOnceIfThePresentTableIsAsWanted() {
        tables.publish(table(3));

        StepVerifier.create(tables.await(table -> table.version() == 3))
                .expectNextCount(1)
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void waitsForATableThatIsAsWanted() {
        tables.publish(table(1));

        StepVerifier.create(tables.await(table -> table.version() >= 3).map(RoutingTable::version))
                .expectSubscription()
                .then(() -> tables.publish(table(2)))
                .expectNoEvent(Duration.ofMillis(20))
                .then(() -> tables.publish(table(3)))
                .expectNext(3L)
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void completesThoseWhoWaitWhenItIsClosed() {
        StepVerifier.create(tables.await(table -> false))
                .expectSubscription()
                .then(tables::close)
                .expectComplete()
                .verify(LIMIT);
        StepVerifier.create(tables.await(table -> false)).expectComplete().verify(LIMIT);
    }

    @Test
    void showsEachTableToItsReadersBeforeItWakesAnybody() {
        List<String> heard = new CopyOnWriteArrayList<>();
        tables.publish(table(1));
        tables.onPublished(
                table -> heard.add(table.version() + " of " + tables.current().version()));

        StepVerifier.create(tables.await(table -> table.version() == 2).doOnNext(table -> heard.add("woken")))
                .expectSubscription()
                .then(() -> tables.publish(table(2)))
                .expectNextCount(1)
                .expectComplete()
                .verify(LIMIT);

        assertThat(heard).containsExactly("2 of 2", "woken");
    }

    private static RoutingTable table(long version) {
        return new RoutingTable(version, List.of(), null, null);
    }
}
