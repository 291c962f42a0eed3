package io.github.r2dbcrouting.chaos.fault;

import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.RoutingConnectionFactory;
import io.github.r2dbcrouting.chaos.fault.Fault.Lane;
import io.r2dbc.spi.Connection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** What happens to the applications' process, and to its clock. */
final class HostFaults {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Path SHELL = Path.of("/bin/sh");

    private HostFaults() {}

    static List<Fault> all() {
        List<Fault> faults = new ArrayList<>(List.of(
                new Fault("clock set forward", Lane.APPLICATIONS, target -> jump(target, 1)),
                new Fault("clock set back", Lane.APPLICATIONS, target -> jump(target, -1)),
                new Fault("collection of all garbage", Lane.APPLICATIONS, target -> System.gc()),
                new Fault("event loops stalled", Lane.APPLICATIONS, HostFaults::stalled)));
        if (Files.isExecutable(SHELL)) {
            faults.add(new Fault("process suspended", Lane.APPLICATIONS, HostFaults::suspended));
        }
        return faults;
    }

    private static void jump(Target target, int direction) throws Exception {
        for (int i = 0; i < 4; i++) {
            target.clock().jump(target.between(10, 20_000).multipliedBy(direction));
            target.pause(50, 500);
        }
    }

    /** As subscribers do that block where they must not: the driver's threads, and Reactor's, do nothing else meanwhile. */
    private static void stalled(Target target) {
        RoutingConnectionFactory router = target.any(target.routers());
        long millis = target.between(50, 800).toMillis();
        int threads = Runtime.getRuntime().availableProcessors() * 2;
        Flux<Void> driver = Flux.range(0, threads)
                .flatMap(
                        i -> Mono.usingWhen(
                                        router.create(),
                                        connection -> Flux.from(connection
                                                        .createStatement("SELECT 1")
                                                        .execute())
                                                .concatMap(result -> result.map((row, metadata) -> 1))
                                                .doOnNext(row -> block(millis))
                                                .then(),
                                        Connection::close)
                                .onErrorComplete()
                                .contextWrite(Routing.read()),
                        threads);
        Flux<Void> parallel = Flux.range(0, threads)
                .flatMap(i -> Mono.<Void>fromRunnable(() -> block(millis)).subscribeOn(Schedulers.parallel()), threads);
        var unused = Flux.merge(driver, parallel).then().block(LIMIT);
    }

    private static void block(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Everything in this process stands still, the proxies between servers as well, while the servers go on: what a
     * collection of garbage does that takes long, or a host that has no time for a guest. A child wakes it.
     */
    private static void suspended(Target target) throws Exception {
        double seconds = target.between(100, 1500).toMillis() / 1000.0;
        long self = ProcessHandle.current().pid();
        Process child = new ProcessBuilder(
                        SHELL.toString(),
                        "-c",
                        "trap 'kill -CONT %d' EXIT; kill -STOP %d; sleep %s".formatted(self, self, seconds))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        if (!child.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
            child.destroyForcibly();
        }
    }
}
