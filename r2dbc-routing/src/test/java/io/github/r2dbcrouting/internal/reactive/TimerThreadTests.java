package io.github.r2dbcrouting.internal.reactive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;

class TimerThreadTests {

    private static final String NAME = "timer-thread-tests";

    private final TimerThread timers = new TimerThread(NAME);

    @Test
    void runsTimersOnAThreadOfItsOwnUntilItIsDisposedOf() throws InterruptedException {
        AtomicReference<Thread> ranOn = new AtomicReference<>();
        CountDownLatch ran = new CountDownLatch(1);

        var unused = timers.schedule(
                () -> {
                    ranOn.set(Thread.currentThread());
                    ran.countDown();
                },
                1,
                TimeUnit.MILLISECONDS);

        assertThat(ran.await(5, TimeUnit.SECONDS)).isTrue();
        assertThat(ranOn.get().getName()).startsWith(NAME);
        assertThat(timers.isDisposed()).isFalse();
        timers.dispose();
        assertThat(timers.isDisposed()).isTrue();
        await().until(() -> !ranOn.get().isAlive());
    }

    /** BlockHound fails what waits on such a thread, if only for a lock. */
    @Test
    void isDisposedOfByThreadsThatMustNotBlock() {
        for (int time = 0; time < 500; time++) {
            TimerThread another = new TimerThread(NAME);
            var unused = another.schedule(() -> {}, 1, TimeUnit.HOURS);

            StepVerifier.create(Mono.fromRunnable(another::dispose).subscribeOn(Schedulers.parallel()))
                    .verifyComplete();

            assertThat(another.isDisposed()).isTrue();
        }
        timers.dispose();
    }
}
