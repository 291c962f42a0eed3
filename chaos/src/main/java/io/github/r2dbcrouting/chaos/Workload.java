package io.github.r2dbcrouting.chaos;

import io.github.r2dbcrouting.RoutingConnectionFactory;
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

    private static final int LISTS_AT_A_TIME = 24;
    private static final int REGISTERS_AT_A_TIME = 6;
    private static final Duration END_LIMIT = Duration.ofSeconds(60);

    private final List<RoutingConnectionFactory> routers;
    private final Duration thinkTime;
    private final Supplier<HistoryRecorder> recorder;
    private final Tally tally = new Tally();
    private final Keys keys;
    private final Keys registers;
    private final AtomicLong sessions = new AtomicLong();
    private final AtomicLong values = new AtomicLong();
    private volatile boolean over;
    private CompletableFuture<Void> running = CompletableFuture.completedFuture(null);

    /**
     * Creates one at which nobody works yet.
     *
     * @param routers the routers of the applications
     * @param thinkTime how long a user waits after an operation, at most
     * @param recorder where an operation is written down, asked for each
     * @param firstKey of lists and of registers; two loads on one cluster share none
     */
    Workload(
            List<RoutingConnectionFactory> routers,
            Duration thinkTime,
            Supplier<HistoryRecorder> recorder,
            long firstKey) {
        this.keys = new Keys(LISTS_AT_A_TIME, firstKey);
        this.registers = new Keys(REGISTERS_AT_A_TIME, firstKey);
        this.routers = routers;
        this.thinkTime = thinkTime;
        this.recorder = recorder;
    }

    void start(int users, long seed) {
        Random random = new Random(seed);
        running = Flux.fromStream(java.util.stream.IntStream.range(0, users)
                        .mapToObj(i -> new VirtualUser(this, random.nextLong())))
                .flatMap(VirtualUser::run, users)
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

    List<RoutingConnectionFactory> routers() {
        return routers;
    }

    Duration thinkTime() {
        return thinkTime;
    }

    HistoryRecorder recorder() {
        return recorder.get();
    }

    Tally tally() {
        return tally;
    }

    Keys keys() {
        return keys;
    }

    Keys registers() {
        return registers;
    }

    long nextSession() {
        return sessions.incrementAndGet();
    }

    long nextValue() {
        return values.incrementAndGet();
    }
}
