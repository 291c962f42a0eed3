package io.github.r2dbcrouting.test;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactories;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

@PostgresClusterTest(replicas = 1)
class LeakCheckIT {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    @Test
    void whatIsGivenBackIsNoLeak(PostgresCluster cluster, LeakCheck injected) {
        ConnectionPool pool = pool(cluster);
        injected.watch("pool", pool);
        Connection connection = Objects.requireNonNull(pool.create().block(LIMIT));

        Mono.from(connection.close()).block(LIMIT);
        pool.disposeLater().block(LIMIT);

        assertThatCode(injected::verify).doesNotThrowAnyException();
    }

    @Test
    void namesThePoolThatStillLendsAndTheConnectionBehindIt(PostgresCluster cluster) {
        LeakCheck check = LeakCheck.start().watch(cluster).waitAtMost(Client.SOON);
        ConnectionPool pool = pool(cluster);
        check.watch("orders", pool);
        Connection connection = Objects.requireNonNull(pool.create().block(LIMIT));

        assertThatThrownBy(check::close)
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("pool orders: 1 connections lent, 0 waited for")
                .hasMessageContaining("server 0")
                .hasMessageContaining("1 client connections where 0 were")
                .hasMessageNotContaining("server 1");

        Mono.from(connection.close()).block(LIMIT);
        pool.disposeLater().block(LIMIT);
        check.verify();
    }

    @Test
    void namesThreadsThatAreNoDaemonsOrHaveAWatchedName() throws InterruptedException {
        LeakCheck check = LeakCheck.start().watchThreads("watched-").waitAtMost(Client.SOON);
        CountDownLatch end = new CountDownLatch(1);
        Thread user = start("user", false, end);
        Thread watched = start("watched-1", true, end);
        Thread daemon = start("daemon", true, end);

        assertThatThrownBy(check::verify)
                .isInstanceOf(AssertionError.class)
                .hasMessageEndingWith("threads: user, watched-1");

        end.countDown();
        user.join();
        watched.join();
        daemon.join();
        check.verify();
    }

    private static Thread start(String name, boolean daemon, CountDownLatch end) {
        Thread thread = new Thread(
                () -> {
                    try {
                        end.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                name);
        thread.setDaemon(daemon);
        thread.start();
        return thread;
    }

    private static ConnectionPool pool(PostgresCluster cluster) {
        return new ConnectionPool(ConnectionPoolConfiguration.builder(
                        ConnectionFactories.get(cluster.primary().r2dbcUrl()))
                .initialSize(0)
                .maxSize(2)
                .build());
    }
}
