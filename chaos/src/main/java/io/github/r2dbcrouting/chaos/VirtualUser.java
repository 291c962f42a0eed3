package io.github.r2dbcrouting.chaos;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.InvalidTokenException;
import io.github.r2dbcrouting.NoEligibleServerException;
import io.github.r2dbcrouting.PossiblyLostWriteException;
import io.github.r2dbcrouting.RouteDecision;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.test.history.HistoryRecorder;
import io.github.r2dbcrouting.test.history.ReadInvocation;
import io.github.r2dbcrouting.test.history.WriteInvocation;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * Somebody who does one thing after the other, under a session that goes from one application to the other by its token.
 * Not thread-safe: one step ends before the next begins.
 */
final class VirtualUser {

    /** Longer than anything that a router waits for, and than any fault. */
    private static final Duration STUCK = Duration.ofSeconds(40);

    private static final Duration TOKEN_LIMIT = Duration.ofMillis(250);
    private static final int STEPS_AT_ONE_PLACE = 12;
    private static final int STEPS_OF_A_SESSION = 300;
    private static final int MOST_MICROS_UNTIL_CANCEL = 6000;

    private final Workload workload;
    private final Crowd crowd;
    private final Random random;
    private long session;
    private int place;

    /** The list that was read or written last by itself. */
    private long latest;

    private CausalSession causal = CausalSession.create();

    VirtualUser(Workload workload, Crowd crowd, long seed) {
        this.workload = workload;
        this.crowd = crowd;
        this.random = new Random(seed);
        this.session = workload.nextSession();
        this.place = random.nextInt(crowd.applications().size());
        this.latest = crowd.lists().forReading(random);
    }

    /** Returns a user's life: until the workload is over, and the step under way with it. */
    Mono<Void> run() {
        return Mono.defer(() -> crowd.resting() ? crowd.awake().then(Mono.defer(this::lookAgain)) : step())
                .then(Mono.defer(() -> Mono.delay(Duration.ofNanos(
                        1 + random.nextLong(Math.max(1, crowd.thinkTime().toNanos()))))))
                .repeat(() -> !workload.isOver())
                .then();
    }

    /** Who comes back looks first at what was done last. */
    private Mono<Void> lookAgain() {
        return readList(latest);
    }

    private Mono<Void> step() {
        if (random.nextInt(STEPS_OF_A_SESSION) == 0) {
            session = workload.nextSession();
            causal = CausalSession.create();
        } else if (random.nextInt(STEPS_AT_ONE_PLACE) == 0) {
            return hop();
        }
        int kind = random.nextInt(100);
        if (kind < 20) {
            return append(false);
        } else if (kind < 23) {
            return append(true);
        } else if (kind < 26) {
            return appendBoth(true);
        } else if (kind < 29) {
            return appendBoth(false);
        } else if (kind < 35) {
            return set();
        } else if (kind < 70) {
            return readList(crowd.lists().forReading(random));
        } else if (kind < 80) {
            long[] keys = crowd.lists().two(random);
            return readLists(keys, Store.readTwoLists(router(), keys));
        } else if (kind < 86) {
            long[] keys = crowd.lists().two(random);
            return readLists(keys, Store.readTwoListsInTransaction(router(), keys));
        } else if (kind < 88) {
            long key = crowd.lists().forReading(random);
            return readLists(new long[] {key}, Store.readListLong(router(), key).map(List::of));
        }
        return readRegister();
    }

    private RoutingConnectionFactory router() {
        return crowd.applications().get(place).router();
    }

    /** As a request does that ends at one application and is followed by one at the other. */
    private Mono<Void> hop() {
        return causal.token(TOKEN_LIMIT)
                .doOnNext(token -> {
                    causal = CausalSession.resume(overTheWire(token));
                    place = (place + 1) % crowd.applications().size();
                    workload.tally().hops.increment();
                })
                .timeout(STUCK)
                .onErrorResume(error -> {
                    note("take the token", error);
                    return Mono.empty();
                })
                .then();
    }

    private static CausalToken overTheWire(CausalToken token) {
        try {
            return CausalToken.parse(token.encode());
        } catch (InvalidTokenException e) {
            throw new IllegalStateException("a router does not understand its own token", e);
        }
    }

    private Mono<Void> append(boolean cancelled) {
        long key = crowd.lists().forWriting(random);
        latest = key;
        long value = workload.nextValue();
        WriteInvocation write = recorder().append(session, key, value);
        return write(
                "append",
                Store.append(router(), key, value)
                        .doOnNext(length -> crowd.lists().grew(key, length)),
                cancelled,
                List.of(write));
    }

    private Mono<Void> appendBoth(boolean waitsForDisk) {
        long[] keys = crowd.lists().two(random);
        long[] values = {workload.nextValue(), workload.nextValue()};
        HistoryRecorder recorder = recorder();
        List<WriteInvocation> writes =
                List.of(recorder.append(session, keys[0], values[0]), recorder.append(session, keys[1], values[1]));
        return write(
                "append twice in a transaction",
                Store.appendBoth(router(), keys, values, waitsForDisk)
                        .doOnNext(length -> crowd.lists().grew(keys[1], length)),
                random.nextInt(20) == 0,
                writes);
    }

    private Mono<Void> set() {
        long key = crowd.registers().forWriting(random);
        long value = workload.nextValue();
        WriteInvocation write = recorder().set(session, key, value);
        return write(
                "set a register",
                Store.set(router(), key, value)
                        .doOnNext(times -> crowd.registers().grew(key, times)),
                false,
                List.of(write));
    }

    private Mono<Void> write(String what, Mono<?> work, boolean cancelled, List<WriteInvocation> writes) {
        AtomicReference<@Nullable RouteDecision> decision = new AtomicReference<>();
        Mono<?> asked = asked(work, decision::set);
        if (cancelled) {
            Duration soon = Duration.ofNanos(1000L * random.nextInt(MOST_MICROS_UNTIL_CANCEL));
            asked = asked.take(soon).switchIfEmpty(Mono.fromRunnable(() -> {
                workload.tally().cancelled.increment();
                writes.forEach(WriteInvocation::unknown);
            }));
        }
        return asked.doOnNext(done -> {
                    workload.tally().answered.increment();
                    writes.forEach(write -> write.ok(served(decision.get())));
                })
                .timeout(STUCK)
                .onErrorResume(error -> {
                    boolean sent = note(what, error);
                    writes.forEach(sent ? WriteInvocation::unknown : WriteInvocation::failed);
                    return Mono.empty();
                })
                .then();
    }

    private Mono<Void> readList(long key) {
        latest = key;
        return readLists(new long[] {key}, Store.readList(router(), key).map(List::of));
    }

    private Mono<Void> readLists(long[] keys, Mono<List<List<Long>>> work) {
        return read("read " + Arrays.toString(keys), recorder().readLists(session, keys), work);
    }

    private Mono<Void> readRegister() {
        long key = crowd.registers().forReading(random);
        return read(
                "read a register",
                recorder().readRegisters(session, key),
                Store.readRegister(router(), key).map(List::of));
    }

    private Mono<Void> read(String what, ReadInvocation read, Mono<List<List<Long>>> work) {
        AtomicReference<@Nullable RouteDecision> decision = new AtomicReference<>();
        return asked(work, decision::set)
                .doOnNext(seen -> {
                    workload.tally().answered.increment();
                    workload.tally().readBy(decision.get());
                    RouteDecision by = decision.get();
                    if (by == null || by.server() == null) {
                        read.ok(seen, application());
                    } else if (by.role() == ServerRole.PRIMARY) {
                        read.okOnPrimary(seen, served(by));
                    } else {
                        read.okOnReplica(seen, by.server(), application());
                    }
                })
                .timeout(STUCK)
                .onErrorResume(error -> {
                    note(what, error);
                    read.failed();
                    return Mono.empty();
                })
                .then();
    }

    private <T> Mono<T> asked(Mono<T> work, Consumer<RouteDecision> decided) {
        return Mono.defer(() -> {
                    workload.tally().asked.increment();
                    return work;
                })
                .contextWrite(Routing.listener(decided::accept))
                .contextWrite(Routing.session(causal));
    }

    /** Returns whether anything may have been sent. */
    private boolean note(String what, Throwable error) {
        if (error instanceof PossiblyLostWriteException) {
            workload.tally().told.increment();
            recorder().told(session, application());
            return false;
        }
        workload.tally().failed(what + " at " + application(), error);
        return !(error instanceof NoEligibleServerException);
    }

    private HistoryRecorder recorder() {
        return workload.recorder();
    }

    private String application() {
        return crowd.applications().get(place).name();
    }

    private String served(@Nullable RouteDecision decision) {
        return application() + (decision == null ? "" : ", " + decision.server());
    }
}
