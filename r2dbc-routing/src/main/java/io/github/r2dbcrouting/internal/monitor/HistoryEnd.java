package io.github.r2dbcrouting.internal.monitor;

import io.github.r2dbcrouting.internal.reactive.Detached;
import io.github.r2dbcrouting.internal.reactive.Serial;
import io.github.r2dbcrouting.spi.Position;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * How far has the primary's history come, so that a position beyond it is nobody's?
 *
 * <p>Whoever wants to know waits for an answer that is asked for after that, since the position may be younger than the
 * last one. All who ask while one is under way, or so soon after it was sent that the next is not, share the next. Asked
 * on any thread; everything else happens within the monitor's tasks.
 */
final class HistoryEnd {

    private static final Logger LOG = LoggerFactory.getLogger(HistoryEnd.class);

    /** No more often than this is the primary asked, however many want to know. */
    static final Duration SPACING = Duration.ofMillis(5);

    private final Serial serial;
    private final Scheduler scheduler;
    private final LongSupplier clock;
    private final Duration limit;
    private final Primary primary;
    private final Consumer<Position> rejected;
    private List<Asker> gathered = new ArrayList<>();
    private List<Asker> asking = new ArrayList<>();
    private boolean busy;
    private long sentAt;
    private volatile @Nullable Position reached;
    private boolean closed;
    private final LongAdder probes = new LongAdder();
    private final LongAdder rejections = new LongAdder();

    /** The server whose history it is. Called within the monitor's tasks. */
    interface Primary {

        /** Asks it; empty if there is none. */
        Mono<Position> end();
    }

    private record Asker(List<Position> positions, MonoSink<List<Position>> sink) {}

    /**
     * Creates one that knows nothing.
     *
     * @param limit how long an answer may take
     * @param rejected hears of each position that was found to be nobody's, once for each answer
     */
    HistoryEnd(
            Serial serial,
            Scheduler scheduler,
            LongSupplier clock,
            Duration limit,
            Primary primary,
            Consumer<Position> rejected) {
        this.serial = serial;
        this.scheduler = scheduler;
        this.clock = clock;
        this.limit = limit;
        this.primary = primary;
        this.rejected = rejected;
        this.sentAt = clock.getAsLong() - SPACING.toNanos();
    }

    /** The primary has come as far as this, at least. Within the monitor's tasks. */
    void reached(Position position) {
        reached = position;
    }

    /** How often the primary was asked. Any thread. */
    long probes() {
        return probes.sum();
    }

    /** How many positions were found to be nobody's, each counted for everybody who had it. Any thread. */
    long rejections() {
        return rejections.sum();
    }

    /** Tells which of the positions lie beyond the end. Any thread. */
    Mono<List<Position>> beyond(List<Position> positions) {
        return Mono.defer(() -> {
            Position known = reached;
            if (known != null && positions.stream().allMatch(known::covers)) {
                return Mono.just(List.of());
            }
            Mono<List<Position>> answer = Mono.create(sink -> serial.execute(() -> gather(new Asker(positions, sink))));
            // not within the monitor's task, which nobody else may hold up
            return answer.publishOn(Schedulers.parallel());
        });
    }

    private static List<Position> beyond(Position end, List<Position> positions) {
        return positions.stream()
                .filter(position -> position.branch() == end.branch()
                        && position.cluster().equals(end.cluster())
                        && !end.covers(position))
                .toList();
    }

    /** Nobody is left waiting: there is no telling any more. Within the monitor's tasks. */
    void close() {
        closed = true;
        answered(null);
    }

    private void gather(Asker asker) {
        if (closed) {
            asker.sink.success(List.of());
            return;
        }
        gathered.add(asker);
        if (!busy) {
            busy = true;
            askWhenDue();
        }
    }

    private void askWhenDue() {
        long wait = sentAt + SPACING.toNanos() - clock.getAsLong();
        if (wait <= 0) {
            ask();
        } else {
            scheduler.schedule(() -> serial.execute(this::ask), wait, TimeUnit.NANOSECONDS);
        }
    }

    private void ask() {
        if (closed) {
            return;
        }
        asking = gathered;
        gathered = new ArrayList<>();
        sentAt = clock.getAsLong();
        probes.increment();
        Mono<Void> answer = Mono.defer(primary::end)
                .timeout(limit, scheduler)
                .doOnSuccess(end -> serial.execute(() -> answered(end)))
                .doOnError(error -> serial.execute(() -> answered(null)))
                .then();
        Detached.run(answer, error -> LOG.debug("the primary did not say how far its history has come", error));
    }

    /** Without an end there is no telling, and nothing is rejected. */
    private void answered(@Nullable Position end) {
        Set<Position> found = new LinkedHashSet<>();
        for (Asker asker : asking) {
            List<Position> beyond = end == null ? List.of() : beyond(end, asker.positions);
            found.addAll(beyond);
            rejections.add(beyond.size());
            asker.sink.success(beyond);
        }
        asking = List.of();
        found.forEach(rejected);
        if (closed) {
            gathered.forEach(asker -> asker.sink.success(List.of()));
            gathered.clear();
        }
        busy = !gathered.isEmpty();
        if (busy) {
            askWhenDue();
        }
    }
}
