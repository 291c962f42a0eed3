package io.github.r2dbcrouting.benchmarks.load;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Readable;
import io.r2dbc.spi.Statement;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * What do the users of one router do for a short time?
 *
 * @param contender the router
 * @param tally where it is counted
 * @param crew its users
 * @param workload what they do
 * @param keys draws rows
 * @param literal whether keys are written into the statements, which are then simple queries, and not bound
 * @param think from the acknowledgement of a write to the read that follows it
 */
record Slice(
        Contender contender, Tally tally, Crew crew, Workload workload, Zipf keys, boolean literal, Duration think) {

    private static final Duration DRAIN = Duration.ofSeconds(60);

    private record Row(long key, long version, String server) {}

    /**
     * Lets so many users at a time do one thing after the other, and blocks until all have finished.
     *
     * @param users how many at a time
     * @param length how long they begin new things
     */
    void closedLoop(int users, Duration length) {
        long end = System.nanoTime() + length.toNanos();
        Work work = new Work();
        for (int i = 0; i < users; i++) {
            work.repeat(end);
        }
        work.awaitAll();
    }

    /**
     * Begins things at the times of a schedule, however long the ones before take, and blocks until all have finished.
     *
     * @param schedule when
     * @param length for how long
     */
    void openLoop(Schedule schedule, Duration length) {
        long start = System.nanoTime();
        long count = schedule.within(length.toNanos());
        Work work = new Work();
        for (long request = 0; request < count; request++) {
            long intended = start + schedule.startOf(request);
            long early;
            while ((early = intended - System.nanoTime()) > 0) {
                LockSupport.parkNanos(early);
            }
            work.once(intended);
        }
        work.awaitAll();
    }

    private final class Work {

        private final AtomicLong open = new AtomicLong(1);
        private final CompletableFuture<Void> finished = new CompletableFuture<>();

        void once(long intended) {
            open.incrementAndGet();
            crew.give(user -> go(user, intended, () -> {}));
        }

        void repeat(long end) {
            open.incrementAndGet();
            crew.give(user -> go(user, System.nanoTime(), () -> {
                if (System.nanoTime() - end < 0) {
                    repeat(end);
                }
            }));
        }

        private void go(User user, long intended, Runnable then) {
            AtomicBoolean once = new AtomicBoolean();
            var unused = step(user, intended)
                    .onErrorResume(error -> {
                        tally.failed(error);
                        return Mono.empty();
                    })
                    .doFinally(signal -> {
                        if (once.compareAndSet(false, true)) {
                            crew.done(user);
                            then.run();
                            left();
                        }
                    })
                    .subscribe();
        }

        private void left() {
            if (open.decrementAndGet() == 0) {
                finished.complete(null);
            }
        }

        void awaitAll() {
            left();
            try {
                finished.get(DRAIN.toSeconds(), TimeUnit.SECONDS);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", interrupted);
            } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException stuck) {
                throw new IllegalStateException(
                        contender.name() + ": " + open.get() + " requests had not ended " + DRAIN.toSeconds()
                                + " s after their slice",
                        stuck);
            }
        }
    }

    private Mono<Void> step(User user, long intended) {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        long key = keys.key(random.nextDouble());
        return switch (workload.step(random.nextInt(100))) {
            case SELECT_1 -> read(user, Statements.SELECT_1, key, intended);
            case READ -> read(user, Statements.READ, key, intended);
            case WRITE -> write(user, key, intended);
            case WRITE_AND_READ_BACK -> write(user, key, intended).then(readBack(user, key));
            case LIST -> read(user, Statements.LIST, key, intended);
            case REPORT -> read(user, Statements.REPORT, key, intended);
        };
    }

    private Mono<Void> readBack(User user, long key) {
        Mono<Void> read = Mono.defer(() -> read(user, Statements.READ, key, System.nanoTime()));
        return think.isZero() ? read : Mono.delay(think).then(read);
    }

    private Mono<Void> read(User user, String sql, long key, long intended) {
        return Mono.defer(() -> {
            Access access = contender.reads().apply(user);
            if (!access.reason().isEmpty()) {
                contender.reasons().add(access.reason(), access.reason().equals("PINNED"));
            }
            return query(
                            access,
                            sql,
                            key,
                            row -> new Row(
                                    number(row, 0), number(row, 1), Objects.requireNonNull(row.get(2, String.class))))
                    .collectList()
                    .doOnNext(rows -> tally.read(
                            micros(intended),
                            rows.isEmpty() ? "no row" : rows.get(0).server(),
                            rows.isEmpty() || rows.stream().anyMatch(row -> user.stale(row.key(), row.version()))))
                    .then();
        });
    }

    private Mono<Void> write(User user, long key, long intended) {
        return Mono.defer(() -> query(contender.writes().apply(user), Statements.WRITE, key, row -> number(row, 0))
                .collectList()
                .doOnNext(versions -> {
                    tally.wrote(micros(intended));
                    versions.forEach(version -> user.wrote(key, version, System.nanoTime()));
                })
                .then());
    }

    private <T> Flux<T> query(Access access, String sql, long key, java.util.function.Function<Readable, T> mapping) {
        return Flux.usingWhen(
                        access.factory().create(),
                        connection -> Flux.from(statement(connection, sql, key).execute())
                                .concatMap(result -> result.map(mapping)),
                        Connection::close)
                .contextWrite(access.context());
    }

    private Statement statement(Connection connection, String sql, long key) {
        if (!sql.contains(Statements.KEY)) {
            return connection.createStatement(sql);
        }
        return literal
                ? connection.createStatement(sql.replace(Statements.KEY, Long.toString(key)))
                : connection.createStatement(sql).bind(0, key);
    }

    private static long number(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, Long.class));
    }

    private static long micros(long since) {
        return (System.nanoTime() - since) / 1_000;
    }
}
