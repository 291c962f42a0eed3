package io.github.r2dbcrouting.chaos;

import io.github.r2dbcrouting.test.history.HistoryRecorder;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import reactor.core.publisher.Flux;

/** What do all users together do? Thread-safe. */
final class Workload {

    private static final Duration END_LIMIT = Duration.ofSeconds(60);

    private final List<Crowd> crowds;
    private final Supplier<HistoryRecorder> recorder;
    private final Tally tally = new Tally();
    private final AtomicLong sessions = new AtomicLong();
    private final AtomicLong values = new AtomicLong();
    private volatile boolean over;
    private CompletableFuture<Void> running = CompletableFuture.completedFuture(null);

    /**
     * Creates one at which nobody works yet.
     *
     * @param crowds the users
     * @param recorder where an operation is written down, asked for each
     */
    Workload(List<Crowd> crowds, Supplier<HistoryRecorder> recorder) {
        this.crowds = List.copyOf(crowds);
        this.recorder = recorder;
    }

    void start(long seed) {
        Random random = new Random(seed);
        List<VirtualUser> users =
                crowds.stream().flatMap(crowd -> crowd.users(this, random)).toList();
        running = Flux.fromIterable(users)
                .flatMap(VirtualUser::run, users.size())
                .then()
                .toFuture();
    }

    /** Lets every user finish what is under way, and waits for that. */
    void stop() throws Exception {
        over = true;
        try {
            running.get(END_LIMIT.toSeconds(), TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            tally.failed("a user who did not come to an end", e);
        }
    }

    boolean isOver() {
        return over;
    }

    HistoryRecorder recorder() {
        return recorder.get();
    }

    Tally tally() {
        return tally;
    }

    /** A key below those of all lists that are written to at present. */
    long oldestList() {
        return crowds.stream().mapToLong(crowd -> crowd.lists().oldest()).min().orElse(0);
    }

    long nextSession() {
        return sessions.incrementAndGet();
    }

    long nextValue() {
        return values.incrementAndGet();
    }
}
