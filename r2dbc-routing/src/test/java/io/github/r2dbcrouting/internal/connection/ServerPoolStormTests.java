package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerState;
import io.r2dbc.pool.PoolMetrics;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Connections are taken, given up and given back on several threads, while their server is restarted all the time. */
class ServerPoolStormTests {

    private static final int BORROWERS = 30_000;
    private static final int AT_ONCE = 24;
    private static final int FOR_EACH_LIFE = 50;

    private final Fixture fixture = new Fixture();
    private final Queue<Throwable> errors = new ConcurrentLinkedQueue<>();
    private final AtomicInteger served = new AtomicInteger();

    @Test
    void leavesNoConnectionOpenThatNoPoolHas() {
        fixture.server.opening = Mono.defer(() -> briefly(200));
        live(0);
        long seed = System.nanoTime();
        Random random = new Random(seed);

        Blocking.run(Flux.range(1, BORROWERS)
                .doOnNext(n -> {
                    if (n % FOR_EACH_LIFE == 0) {
                        live(n);
                    }
                })
                .map(n -> random.nextInt(200))
                .flatMap(this::borrow, AT_ONCE));

        System.out.println("pool storm, seed " + seed + ": served " + served + " of " + BORROWERS + ", opened "
                + fixture.server.opened().size());
        assertThat(errors).isEmpty();
        await().untilAsserted(() -> {
            PoolMetrics metrics = fixture.pool.pool().getMetrics().orElseThrow();
            assertThat(fixture.pool.inFlight()).isZero();
            assertThat(fixture.server.stillOpen()).isEqualTo(metrics.allocatedSize());
        });
        assertThat(fixture.server.opened())
                .allSatisfy(connection -> assertThat(connection.closes()).isLessThanOrEqualTo(1));
        Blocking.run(fixture.pool.close());
        await().untilAsserted(() -> assertThat(fixture.server.stillOpen()).isZero());
    }

    /** Takes a connection, unless it gives up before it has it, and gives it back. */
    private Mono<Void> borrow(int patienceMicros) {
        return Mono.firstWithSignal(
                        fixture.pool
                                .lend(fixture.state())
                                .flatMap(lease -> lease.release())
                                .doOnSuccess(done -> served.incrementAndGet()),
                        briefly(patienceMicros))
                .onErrorResume(error -> {
                    // whoever comes across two restarts hears so
                    if (!(error instanceof UnfitConnectionException)) {
                        errors.add(error);
                    }
                    return Mono.empty();
                });
    }

    private static Mono<Void> briefly(int micros) {
        return Mono.delay(Duration.ofNanos(ThreadLocalRandom.current().nextInt(1, micros + 2) * 1_000L))
                .then();
    }

    private void live(int life) {
        fixture.server.startedAt = "time " + life;
        ServerState now = fixture.state();
        fixture.pool.published(new RoutingTable(1, List.of(now), now, "7", null, 0), 0);
    }
}
