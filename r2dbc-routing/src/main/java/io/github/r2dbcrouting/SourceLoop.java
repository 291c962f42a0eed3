package io.github.r2dbcrouting;

import io.github.r2dbcrouting.internal.reactive.Serial;
import io.github.r2dbcrouting.internal.text.Printable;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/**
 * When is a source asked, and how old is what it said last?
 *
 * <p>One question at a time; what fails leaves everything as it is, and is told once. Its state is touched by its own
 * tasks only, one at a time.
 */
final class SourceLoop<T> {

    private static final Logger LOG = LoggerFactory.getLogger(SourceLoop.class);

    /** However often it is asked to hurry, no more often than this. */
    static final Duration LEAST_PAUSE = Duration.ofMillis(250);

    static final Duration ANSWER_LIMIT = Duration.ofSeconds(5);

    private static final int LONGEST_SHOWN = 500;

    private final String name;
    private final Duration interval;
    private final Mono<T> question;
    private final Function<? super T, Mono<String>> followed;
    private final Consumer<RoutingEvent> events;
    private final Scheduler scheduler;
    private final LongSupplier clock;
    private final Serial serial = new Serial();
    private final Disposable.Swap timer = Disposables.swap();
    private final Disposable.Swap answer = Disposables.swap();
    private boolean asking;
    private boolean closed;
    private long askedAt;
    private volatile Told told = new Told(null, null);

    /** When it last said something that could be followed, and what is wrong since. */
    private record Told(@Nullable Long goodAt, @Nullable String problem) {}

    /**
     * Creates a loop that does not run yet.
     *
     * @param name what the source is called
     * @param interval how long after an answer it is asked again
     * @param question asks it; empty if it cannot be asked now
     * @param followed does what it says, and tells what of it cannot be done, an empty text if nothing; an error if none
     *     of it can
     * @param events hears of failures
     * @param scheduler where its timer goes off
     * @param clock tells elapsed time in nanoseconds
     */
    SourceLoop(
            String name,
            Duration interval,
            Mono<T> question,
            Function<? super T, Mono<String>> followed,
            Consumer<RoutingEvent> events,
            Scheduler scheduler,
            LongSupplier clock) {
        this.name = name;
        this.interval = interval;
        this.question = question;
        this.followed = followed;
        this.events = events;
        this.scheduler = scheduler;
        this.clock = clock;
    }

    /** Asks for the first time. Any thread. */
    void start() {
        serial.execute(this::ask);
    }

    /** Asks sooner than it would have been, but not for each of many who want it. Any thread. */
    void hurry() {
        serial.execute(() -> {
            if (!asking && !closed && interval.compareTo(LEAST_PAUSE) > 0) {
                later(Math.max(askedAt + LEAST_PAUSE.toNanos() - clock.getAsLong(), 0));
            }
        });
    }

    void close() {
        serial.execute(() -> {
            closed = true;
            timer.dispose();
            answer.dispose();
        });
    }

    /** What is known of the source. Any thread. */
    Topology.Source status() {
        Told now = told;
        Long goodAt = now.goodAt;
        return new Topology.Source(
                name, goodAt == null ? null : Duration.ofNanos(clock.getAsLong() - goodAt), now.problem);
    }

    private void ask() {
        if (asking || closed) {
            return;
        }
        asking = true;
        askedAt = clock.getAsLong();
        Mono<String> done = Mono.defer(() -> question).flatMap(followed).timeout(ANSWER_LIMIT, scheduler);
        answer.update(done.map(Answer::new)
                .defaultIfEmpty(Answer.NONE)
                .subscribe(
                        given -> serial.execute(() -> answered(given)), error -> serial.execute(() -> failed(error))));
    }

    /** What could not be done of an answer; {@code null} if there was no answer. */
    private record Answer(@Nullable String refused) {

        static final Answer NONE = new Answer(null);
    }

    private void answered(Answer given) {
        if (given.refused != null) {
            tell(askedAt, given.refused.isEmpty() ? null : given.refused);
        }
        rest(given.refused != null);
    }

    private void failed(Throwable error) {
        tell(
                told.goodAt,
                Printable.of(
                        Objects.requireNonNullElse(
                                error.getMessage(), error.getClass().getSimpleName()),
                        LONGEST_SHOWN));
        rest(false);
    }

    private void tell(@Nullable Long goodAt, @Nullable String problem) {
        Told before = told;
        told = new Told(goodAt, problem);
        if (problem != null && !problem.equals(before.problem)) {
            LOG.warn("{}: {}; what was known of it stays as it is", name, problem);
            events.accept(new RoutingEvent.TopologyRefused(name, problem));
        }
    }

    private void rest(boolean good) {
        asking = false;
        // a first answer is waited for
        Duration pause = good || told.goodAt != null || interval.compareTo(LEAST_PAUSE) < 0 ? interval : LEAST_PAUSE;
        later(pause.toNanos());
    }

    private void later(long nanos) {
        if (!closed && !scheduler.isDisposed()) {
            timer.update(scheduler.schedule(() -> serial.execute(this::ask), nanos, TimeUnit.NANOSECONDS));
        }
    }
}
