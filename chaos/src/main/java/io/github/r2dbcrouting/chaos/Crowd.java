package io.github.r2dbcrouting.chaos;

import io.github.r2dbcrouting.chaos.fault.Target;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import reactor.core.publisher.Mono;

/** Which users share applications, and what they read and write there? Thread-safe. */
final class Crowd implements Target.Users {

    private final List<Application> applications;
    private final int users;
    private final Duration thinkTime;
    private final Keys lists;
    private final Keys registers;
    private volatile CompletableFuture<Void> awake = CompletableFuture.completedFuture(null);

    /**
     * Creates one of whom nobody does anything yet.
     *
     * @param applications between which a user's session changes
     * @param users how many there are at a time
     * @param thinkTime how long a user waits after an operation, at most
     * @param lists those that are in use
     * @param registers those that are in use
     */
    Crowd(List<Application> applications, int users, Duration thinkTime, Keys lists, Keys registers) {
        this.applications = List.copyOf(applications);
        this.users = users;
        this.thinkTime = thinkTime;
        this.lists = lists;
        this.registers = registers;
    }

    Stream<VirtualUser> users(Workload workload, Random random) {
        return IntStream.range(0, users).mapToObj(i -> new VirtualUser(workload, this, random.nextLong()));
    }

    @Override
    public void rest() {
        awake = new CompletableFuture<>();
    }

    @Override
    public void wake() {
        awake.complete(null);
    }

    boolean resting() {
        return !awake.isDone();
    }

    /** Ends when nobody rests. */
    Mono<Void> awake() {
        return Mono.defer(() -> Mono.fromFuture(awake, true));
    }

    List<Application> applications() {
        return applications;
    }

    Duration thinkTime() {
        return thinkTime;
    }

    Keys lists() {
        return lists;
    }

    Keys registers() {
        return registers;
    }
}
