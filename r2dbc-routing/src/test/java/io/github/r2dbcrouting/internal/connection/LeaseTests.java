package io.github.r2dbcrouting.internal.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.fake.FakeConnection;
import io.github.r2dbcrouting.internal.session.OpenRead;
import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.internal.session.SessionState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

class LeaseTests {

    private final Fixture fixture = new Fixture();
    private final FakeConnection driver = new FakeConnection(fixture.server);
    private final FakeConnection pooled = new FakeConnection(fixture.server);

    @Test
    void isGivenBackOnceHoweverOftenItIsReleased() {
        Lease lease = fixture.lease(driver, pooled);
        assertThat(fixture.pool.inFlight()).isEqualTo(1);

        Blocking.run(lease.release());
        Blocking.run(lease.release());
        lease.releaseDetached();
        Blocking.run(lease.discard());

        assertThat(pooled.closes()).isEqualTo(1);
        assertThat(fixture.pool.inFlight()).isZero();
    }

    @Test
    void isNotGivenBackBeforeItsReleaseIsSubscribed() {
        Mono<Void> release = fixture.lease(driver, pooled).release();

        assertThat(pooled.closes()).isZero();
        Blocking.run(release);
        assertThat(pooled.closes()).isEqualTo(1);
    }

    @Test
    void isGivenBackAlsoIfWhoeverReleasesItStopsWaiting() {
        Sinks.Empty<Void> slow = Sinks.empty();
        pooled.closing = slow.asMono();
        Lease lease = fixture.lease(driver, pooled);

        Disposable waiting = lease.release().subscribe();
        waiting.dispose();
        assertThat(fixture.pool.inFlight()).isEqualTo(1);
        slow.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);

        assertThat(fixture.pool.inFlight()).isZero();
    }

    @Test
    void closesItsConnectionWhenDiscarded() {
        Lease lease = fixture.lease(driver, pooled);

        Blocking.run(lease.discard());

        assertThat(driver.closes()).isEqualTo(1);
        assertThat(pooled.closes()).isEqualTo(1);
        assertThat(fixture.pool.inFlight()).isZero();
    }

    @Test
    void freesItsPlaceAlsoIfWhoeverDiscardsItStopsWaiting() {
        Sinks.Empty<Void> slow = Sinks.empty();
        driver.closing = slow.asMono();
        Lease lease = fixture.lease(driver, pooled);

        Disposable waiting = lease.discard().subscribe();
        waiting.dispose();
        slow.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);

        assertThat(pooled.closes()).isEqualTo(1);
        assertThat(fixture.pool.inFlight()).isZero();
    }

    @Test
    void rollsBackATransactionThatWasLeftOpen() {
        Lease lease = fixture.lease(driver, pooled);
        Blocking.run(driver.beginTransaction());

        Blocking.run(lease.release());

        assertThat(driver.isAutoCommit()).isTrue();
        assertThat(driver.closes()).isZero();
    }

    @Test
    void handsInWhatWasStillBeingWritten() {
        SessionState session = new SessionState();
        Lease lease = fixture.lease(driver, pooled);
        assertThat(lease.writing(session, false)).isNotNull();
        assertThat(session.hasPending("7")).isTrue();

        fixture.monitor.start();
        fixture.time.advanceTimeBy(Duration.ofMillis(1));
        Blocking.run(lease.release());
        fixture.time.advanceTimeBy(Duration.ofMillis(51));

        assertThat(session.hasPending("7")).isFalse();
    }

    @Test
    void handsInAWriteOnceOnly() {
        SessionState session = new SessionState();
        Lease lease = fixture.lease(driver, pooled);
        PendingWrite write = lease.writing(session, false);
        lease.ended(write);
        lease.ended(write);

        fixture.monitor.start();
        fixture.time.advanceTimeBy(Duration.ofMillis(51));

        assertThat(session.hasPending("7")).isFalse();
        Blocking.run(lease.release());
        assertThat(session.observed().positions()).hasSize(1);
    }

    @Test
    void handsInAWriteThatComesTooLateToBeSent() {
        SessionState session = new SessionState();
        Lease lease = fixture.lease(driver, pooled);
        fixture.monitor.start();
        fixture.time.advanceTimeBy(Duration.ofMillis(1));
        Blocking.run(lease.release());

        assertThat(lease.writing(session, true).isRead()).isFalse();
        assertThat(lease.readingOnPrimary(session, false).isRead()).isTrue();
        assertThat(lease.enter()).isFalse();
        fixture.time.advanceTimeBy(Duration.ofMillis(51));

        assertThat(session.hasPending("7")).isFalse();
        assertThat(session.hasPendingReads("7")).isFalse();
    }

    @Test
    void handsInAWriteThatComesWhileItIsGivenBack() {
        SessionState session = new SessionState();
        Lease lease = fixture.lease(driver, pooled);
        fixture.monitor.start();
        fixture.time.advanceTimeBy(Duration.ofMillis(1));
        Sinks.Empty<Void> slow = Sinks.empty();
        pooled.closing = slow.asMono();
        var unused = lease.release().subscribe();

        assertThat(lease.writing(session, true).isRead()).isFalse();
        slow.emitEmpty(Sinks.EmitFailureHandler.FAIL_FAST);
        fixture.time.advanceTimeBy(Duration.ofMillis(51));

        assertThat(session.hasPending("7")).isFalse();
    }

    @Test
    void endsAReadOfAReplicaThatComesTooLateToBeSent() {
        SessionState session = new SessionState();
        Lease lease = fixture.lease(driver, pooled);
        Blocking.run(lease.release());

        OpenRead late = lease.readingOnReplica(session);

        assertThat(late).isNotNull();
        assertThat(session.seen("7")).singleElement().matches(sighting -> sighting.running() == 0);
    }

    @Test
    void givesBackEveryOneOfManyThatAreReleasedByTwo() {
        List<FakeConnection> all = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            FakeConnection back = new FakeConnection(fixture.server);
            all.add(back);
            Lease lease = fixture.lease(driver, back);
            Blocking.run(Mono.when(lease.release(), lease.release()));
        }

        assertThat(all).allSatisfy(back -> assertThat(back.closes()).isEqualTo(1));
        assertThat(fixture.pool.inFlight()).isZero();
    }
}
