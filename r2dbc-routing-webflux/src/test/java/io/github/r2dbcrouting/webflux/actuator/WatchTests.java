package io.github.r2dbcrouting.webflux.actuator;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.RoutingConnectionFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Subscription;
import org.springframework.http.codec.ServerSentEvent;
import reactor.core.Disposable;
import reactor.core.publisher.BaseSubscriber;
import reactor.test.scheduler.VirtualTimeScheduler;
import tools.jackson.databind.json.JsonMapper;

/** Time is virtual, and no server is reached: a factory that nobody uses opens nothing. */
class WatchTests {

    private static final JsonMapper JSON = new JsonMapper();

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final RoutingConnectionFactory factory = RoutingConnectionFactory.builder()
            .server("db0", "r2dbc:postgresql://app:secret@127.0.0.1:1/shop")
            .build();
    private final Watch watch = new Watch(factory, time);

    @AfterEach
    void close() {
        watch.dispose();
        var unused = factory.close().block(Duration.ofSeconds(10));
    }

    @Test
    void samplesOnceForAllWhoLookAndNotWhileNobodyDoes() {
        time.advanceTimeBy(Duration.ofMinutes(1));
        assertThat(watch.sampling()).isFalse();

        List<ServerSentEvent<String>> first = new ArrayList<>();
        List<ServerSentEvent<String>> second = new ArrayList<>();
        Disposable one = look(first);
        time.advanceTimeBy(Watch.INTERVAL.multipliedBy(3));
        Disposable other = look(second);
        time.advanceTimeBy(Watch.INTERVAL.multipliedBy(2));

        assertThat(watch.sampling()).isTrue();
        assertThat(frames(first)).containsExactly(0L, 1L, 2L, 3L, 4L, 5L);
        assertThat(points(second)).isEqualTo(4);
        assertThat(frames(second))
                .as("the last one at once, and each that follows")
                .containsExactly(3L, 4L, 5L);

        one.dispose();
        time.advanceTimeBy(Watch.GRACE.multipliedBy(2));
        assertThat(watch.sampling()).as("one still looks").isTrue();

        other.dispose();
        time.advanceTimeBy(Watch.GRACE.minusMillis(1));
        assertThat(watch.sampling())
                .as("a page that is loaded again finds its past")
                .isTrue();

        time.advanceTimeBy(Duration.ofMillis(1));
        assertThat(watch.sampling()).isFalse();
    }

    @Test
    void goesOnWhereSomebodyComesBackInTime() {
        Disposable gone = look(new ArrayList<>());
        time.advanceTimeBy(Watch.INTERVAL);
        gone.dispose();
        time.advanceTimeBy(Watch.GRACE.minusMillis(1));
        List<ServerSentEvent<String>> seen = new ArrayList<>();

        Disposable back = look(seen);

        assertThat(points(seen)).isGreaterThan(1);
        back.dispose();
    }

    @Test
    void letsASlowViewerMissFramesAndHoldNobodyUp() {
        List<ServerSentEvent<String>> quick = new ArrayList<>();
        List<ServerSentEvent<String>> slow = new ArrayList<>();
        BaseSubscriber<ServerSentEvent<String>> slowly = new BaseSubscriber<>() {
            @Override
            protected void hookOnSubscribe(Subscription subscription) {
                request(2);
            }

            @Override
            protected void hookOnNext(ServerSentEvent<String> event) {
                slow.add(event);
            }
        };
        Disposable one = look(quick);
        watch.stream().subscribe(slowly);
        time.advanceTimeBy(Watch.INTERVAL.multipliedBy(600));

        assertThat(frames(quick)).hasSize(601);
        assertThat(slow).hasSize(2);
        slowly.request(10);
        assertThat(frames(slow))
                .as("not what piled up")
                .hasSizeLessThanOrEqualTo(4)
                .contains(600L);

        slowly.cancel();
        one.dispose();
    }

    @Test
    void hearsDecisionsForAWhileAfterSomebodyHasAskedOnce() {
        watch.glance();
        time.advanceTimeBy(Watch.GLANCE.minusSeconds(1));
        assertThat(watch.sampling()).isTrue();

        watch.glance();
        time.advanceTimeBy(Watch.GLANCE.minusSeconds(1));
        assertThat(watch.sampling()).as("asked again").isTrue();

        time.advanceTimeBy(Watch.GRACE.plusSeconds(1));
        assertThat(watch.sampling()).isFalse();
    }

    @Test
    void endsAllStreamsWhenItIsDisposedOf() {
        boolean[] ended = {false};
        Disposable viewer = watch.stream().subscribe(event -> {}, error -> {}, () -> ended[0] = true);
        time.advanceTimeBy(Watch.INTERVAL);
        assertThat(ended[0]).isFalse();

        watch.dispose();

        assertThat(ended[0]).isTrue();
        assertThat(watch.sampling()).isFalse();
        viewer.dispose();
    }

    private Disposable look(List<ServerSentEvent<String>> seen) {
        return watch.stream().subscribe(seen::add);
    }

    private static List<Long> frames(List<ServerSentEvent<String>> seen) {
        return seen.stream()
                .filter(event -> "frame".equals(event.event()))
                .map(event -> JSON.readTree(event.data()).path("id").asLong())
                .toList();
    }

    /** How many frames the past tells of, which comes before all else. */
    private static int points(List<ServerSentEvent<String>> seen) {
        assertThat(seen.get(0).event()).isEqualTo("past");
        return JSON.readTree(seen.get(0).data()).path("seconds").size();
    }
}
