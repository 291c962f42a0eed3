package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.test.scheduler.VirtualTimeScheduler;

class SourceLoopTests {

    private static final Duration INTERVAL = Duration.ofSeconds(10);

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final List<RoutingEvent> events = new ArrayList<>();
    private final List<String> followed = new ArrayList<>();
    private Mono<String> answer = Mono.just("good");
    private String refused = "";
    private int asked;

    private final SourceLoop<String> loop = new SourceLoop<>(
            "source",
            INTERVAL,
            Mono.defer(() -> {
                asked++;
                return answer;
            }),
            said -> {
                followed.add(said);
                return Mono.just(refused);
            },
            events::add,
            time,
            () -> time.now(TimeUnit.NANOSECONDS));

    @Test
    void asksAtOnceAndThenOnceInEachInterval() {
        loop.start();
        assertThat(asked).isEqualTo(1);

        time.advanceTimeBy(INTERVAL.multipliedBy(5));

        assertThat(asked).isEqualTo(6);
        assertThat(followed).hasSize(6).containsOnly("good");
        assertThat(events).isEmpty();
    }

    @Test
    void tellsAFailureOnceAndLetsWhatHoldsGrowOlder() {
        loop.start();
        answer = Mono.error(new IllegalStateException("gone"));

        time.advanceTimeBy(INTERVAL.multipliedBy(3));

        assertThat(events).containsExactly(new RoutingEvent.TopologyRefused("source", "gone"));
        assertThat(loop.status()).isEqualTo(new Topology.Source("source", INTERVAL.multipliedBy(3), "gone"));

        answer = Mono.just("good");
        time.advanceTimeBy(INTERVAL);
        assertThat(loop.status()).isEqualTo(new Topology.Source("source", Duration.ZERO, null));
    }

    @Test
    void tellsWhatCouldNotBeFollowedThoughTheRestWas() {
        refused = "half of it";
        loop.start();

        assertThat(events).containsExactly(new RoutingEvent.TopologyRefused("source", "half of it"));
        assertThat(loop.status()).isEqualTo(new Topology.Source("source", Duration.ZERO, "half of it"));
    }

    @Test
    void givesAQuestionUpThatIsNotAnswered() {
        answer = Mono.never();
        loop.start();

        time.advanceTimeBy(SourceLoop.ANSWER_LIMIT);

        assertThat(loop.status().problem()).isNotNull();
        assertThat(loop.status().age()).isNull();
    }

    @Test
    void asksSoonForAFirstAnswer() {
        answer = Mono.empty();
        loop.start();

        time.advanceTimeBy(SourceLoop.LEAST_PAUSE.multipliedBy(4));

        assertThat(asked).isEqualTo(5);
        assertThat(events).isEmpty();
    }

    @Test
    void hurriesAtMostOnceInTheLeastPauseHoweverManyWantIt() {
        loop.start();

        for (int i = 0; i < 100; i++) {
            loop.hurry();
            time.advanceTimeBy(Duration.ofMillis(10));
        }

        assertThat(asked).isBetween(4, 5);
    }

    @Test
    void asksNoMoreOnceItIsClosed() {
        loop.start();
        loop.close();

        loop.hurry();
        time.advanceTimeBy(INTERVAL.multipliedBy(3));

        assertThat(asked).isEqualTo(1);
    }
}
