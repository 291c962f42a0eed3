package io.github.r2dbcrouting.internal.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.r2dbcrouting.Lag;
import io.github.r2dbcrouting.RoutingTable;
import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.ServerState;
import io.github.r2dbcrouting.ServerStatus;
import io.github.r2dbcrouting.fake.HeldScheduler;
import io.github.r2dbcrouting.fake.NoQuestions;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Lineage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.scheduler.Schedulers;

class WatchTests {

    private static final long NOT_SAID = -1;

    private final AtomicInteger begun = new AtomicInteger();
    private final TableRef tables = new TableRef(new NoQuestions() {
        @Override
        public void replicaAwaited() {
            begun.incrementAndGet();
        }
    });
    private final Watch watch = tables.watch();
    private HeldScheduler time;

    @BeforeEach
    void virtualTime() {
        time = HeldScheduler.install();
    }

    @AfterEach
    void realTimeAgain() {
        Schedulers.resetFactory();
    }

    /** Waits for a position of the replica. */
    private class Waiting implements Watch.Waiter {

        private final long lsn;
        private final AtomicInteger looked = new AtomicInteger();
        private final AtomicInteger woken = new AtomicInteger();

        private Waiting(long lsn) {
            this.lsn = lsn;
        }

        @Override
        public boolean wants(RoutingTable table) {
            looked.incrementAndGet();
            return table.servers().get(1).covers(List.of(position(lsn)));
        }

        @Override
        public void wake() {
            woken.incrementAndGet();
            watch.remove(this);
        }
    }

    @Test
    void wakesThemInTheOrderInWhichTheyCame() {
        tables.publish(table(10, 0));
        List<Waiting> woken = new ArrayList<>();
        List<Waiting> came = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            Waiting waiting = new Waiting(20) {
                @Override
                public void wake() {
                    woken.add(this);
                    super.wake();
                }
            };
            came.add(waiting);
            watch.add(waiting);
        }

        tables.publish(table(20, 0));
        time.run();

        assertThat(woken).containsExactlyElementsOf(came);
    }

    @Test
    void wakesThoseWhoWantTheNewTableAndNobodyElse() {
        tables.publish(table(10, 0));
        Waiting near = new Waiting(20);
        Waiting far = new Waiting(30);
        watch.add(near);
        watch.add(far);

        tables.publish(table(20, 0));
        time.run();

        assertThat(near.woken).hasValue(1);
        assertThat(far.woken).hasValue(0);
        assertThat(watch.size()).isEqualTo(1);
    }

    @Test
    void looksAtNobodyWhileNoServerMoves() {
        tables.publish(table(10, 0));
        Waiting waiting = new Waiting(20);
        watch.add(waiting);

        for (int i = 0; i < 100; i++) {
            tables.publish(table(10, 0));
            time.run();
        }
        assertThat(waiting.looked).hasValue(0);

        tables.publish(table(10, 5));
        time.run();
        assertThat(waiting.looked).as("it is fresher by now").hasValue(1);
    }

    @Test
    void looksAgainWhenAReplicaSaysForTheFirstTimeWhereItIs() {
        tables.publish(table(NOT_SAID, 0));
        Waiting waiting = new Waiting(20);
        watch.add(waiting);

        tables.publish(table(NOT_SAID, 0));
        time.run();
        assertThat(waiting.looked).hasValue(0);

        tables.publish(table(20, 0));
        time.run();
        assertThat(waiting.woken).hasValue(1);
    }

    @Test
    void looksAgainWhenMoreIsKnownOfTheHistory() {
        tables.publish(table(10, 0));
        Waiting waiting = new Waiting(20);
        watch.add(waiting);

        RoutingTable now = table(10, 0);
        tables.publish(
                new RoutingTable(2, now.servers(), now.primary().orElseThrow(), "7", Lineage.of(1, List.of()), 0));
        time.run();

        assertThat(waiting.looked).hasValue(1);
    }

    @Test
    void looksOnceForHoweverManyTablesCameMeanwhile() {
        tables.publish(table(10, 0));
        Waiting waiting = new Waiting(1_000);
        watch.add(waiting);

        for (int lsn = 11; lsn < 500; lsn++) {
            tables.publish(table(lsn, 0));
        }
        time.run();

        assertThat(waiting.looked).hasValue(1);
    }

    @Test
    void asksForACloserLookWhenTheFirstBeginsToWaitOnly() {
        Waiting first = new Waiting(20);
        for (int i = 0; i < 2_000; i++) {
            watch.add(new Waiting(20));
        }
        assertThat(begun).hasValue(1);

        watch.add(first);
        watch.add(first);
        assertThat(watch.size()).isEqualTo(2_001);
        watch.remove(first);
        watch.remove(first);
        assertThat(watch.size()).isEqualTo(2_000);
    }

    @Test
    void wakesNobodyWhoHasGone() {
        tables.publish(table(10, 0));
        Waiting gone = new Waiting(20);
        watch.add(gone);
        watch.remove(gone);

        tables.publish(table(20, 0));
        time.run();

        assertThat(gone.woken).hasValue(0);
        assertThat(tables.awaited()).isFalse();
    }

    @Test
    void wakesEverybodyWhenTheRouterIsClosed() {
        tables.publish(table(10, 0));
        Waiting waiting = new Waiting(20);
        assertThat(watch.add(waiting)).isTrue();
        assertThat(watch.closed()).isFalse();

        tables.close();
        time.run();

        assertThat(watch.closed()).isTrue();
        assertThat(waiting.woken).hasValue(1);
        assertThat(watch.add(new Waiting(20))).isFalse();
    }

    @Test
    void missesNobodyWhenManyComeAndGoWhileTablesArePublished() throws Exception {
        Schedulers.resetFactory();
        tables.publish(table(0, 0));
        AtomicInteger published = new AtomicInteger();
        AtomicInteger done = new AtomicInteger();
        ExecutorService threads = Executors.newFixedThreadPool(3);
        Future<?> publishing = threads.submit(() -> {
            while (published.get() < 3_000) {
                tables.publish(table(published.incrementAndGet(), 0));
                Thread.onSpinWait();
            }
        });
        Future<?> waiting = threads.submit(() -> {
            for (int i = 0; i < 3_000; i++) {
                Waiting one = new Waiting(i) {
                    @Override
                    public void wake() {
                        super.wake();
                        done.incrementAndGet();
                    }
                };
                watch.add(one);
                // as everybody must, after it has begun to wait
                if (one.wants(tables.current())) {
                    watch.remove(one);
                    done.incrementAndGet();
                }
            }
        });
        publishing.get(30, TimeUnit.SECONDS);
        waiting.get(30, TimeUnit.SECONDS);
        threads.shutdown();

        await().untilAsserted(() -> assertThat(watch.size()).isZero());
        assertThat(done.get()).isGreaterThanOrEqualTo(3_000);
    }

    private static RoutingTable table(long replicaAt, long freshAt) {
        ServerState primary = server(0, ServerRole.PRIMARY, 10_000, Lag.NEVER);
        return new RoutingTable(1, List.of(primary, server(1, ServerRole.REPLICA, replicaAt, freshAt)), primary, "7");
    }

    private static ServerState server(int index, ServerRole role, long lsn, long freshAt) {
        return new ServerState(index, "db" + index, List.of(), role, ServerStatus.UP, said(lsn), null, 0, false, null)
                .withLag(new Lag(freshAt, Duration.ZERO));
    }

    private static @Nullable WalPosition said(long lsn) {
        return lsn == NOT_SAID ? null : position(lsn);
    }

    private static WalPosition position(long lsn) {
        return new WalPosition("7", 1, lsn);
    }
}
