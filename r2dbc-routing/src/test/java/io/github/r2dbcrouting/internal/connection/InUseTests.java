package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.fake.FakeConnection;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;
import reactor.test.publisher.PublisherProbe;
import reactor.test.publisher.TestPublisher;

class InUseTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final Fixture fixture = new Fixture();
    private final FakeConnection pooled = new FakeConnection(fixture.server);
    private final Lease lease = fixture.lease(new FakeConnection(fixture.server), pooled);
    private final AtomicInteger entered = new AtomicInteger();

    @Test
    void handsOnWhatTheSourceEmits() {
        StepVerifier.create(new InUse<>(lease, Flux.just(1, 2, 3), entered::incrementAndGet, Ending.UNWATCHED))
                .expectNext(1, 2, 3)
                .expectComplete()
                .verify(LIMIT);

        assertThat(entered).hasValue(1);
        Blocking.run(lease.release());
        assertThat(pooled.closes()).isEqualTo(1);
    }

    @Test
    void keepsTheConnectionFromBeingGivenBackUntilTheStreamIsOver() {
        TestPublisher<Integer> source = TestPublisher.create();
        Disposable use = new InUse<>(lease, source).subscribe();
        Disposable release = lease.release().subscribe();

        assertThat(pooled.closes()).isZero();
        source.complete();

        assertThat(pooled.closes()).isEqualTo(1);
        assertThat(use.isDisposed()).isTrue();
        assertThat(release.isDisposed()).isTrue();
    }

    @Test
    void letsTheConnectionGoAfterAnError() {
        StepVerifier.create(new InUse<>(lease, Mono.error(new IllegalStateException("expected"))))
                .expectError(IllegalStateException.class)
                .verify(LIMIT);

        Blocking.run(lease.release());
        assertThat(pooled.closes()).isEqualTo(1);
    }

    @Test
    void letsTheConnectionGoAfterACancel() {
        TestPublisher<Integer> source = TestPublisher.create();

        new InUse<>(lease, source).subscribe().dispose();

        source.assertCancelled();
        Blocking.run(lease.release());
        assertThat(pooled.closes()).isEqualTo(1);
    }

    @Test
    void waitsForEveryUse() {
        TestPublisher<Integer> one = TestPublisher.create();
        TestPublisher<Integer> other = TestPublisher.create();
        Disposable first = new InUse<>(lease, one).subscribe();
        Disposable second = new InUse<>(lease, other).subscribe();
        Disposable release = lease.release().subscribe();

        first.dispose();
        assertThat(pooled.closes()).isZero();
        second.dispose();

        assertThat(pooled.closes()).isEqualTo(1);
        assertThat(release.isDisposed()).isTrue();
    }

    @Test
    void sendsNothingOnAConnectionThatIsBeingGivenBack() {
        PublisherProbe<Integer> source = PublisherProbe.of(Mono.just(1));
        Blocking.run(lease.release());

        StepVerifier.create(new InUse<>(lease, source.mono(), entered::incrementAndGet, Ending.UNWATCHED))
                .expectError(R2dbcNonTransientResourceException.class)
                .verify(LIMIT);

        source.assertWasNotSubscribed();
        assertThat(entered).hasValue(0);
    }
}
