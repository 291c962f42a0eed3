package io.github.r2dbcrouting.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.ServerRole;
import io.github.r2dbcrouting.internal.reactive.Serial;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Introduction;
import io.github.r2dbcrouting.spi.Observation;
import io.github.r2dbcrouting.spi.ServerIdentity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import reactor.test.scheduler.VirtualTimeScheduler;

/** When the primary is asked, in virtual time. */
class CaptureLoopTests {

    private static final String CLUSTER = "7";

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final Serial serial = new Serial();
    private final List<Long> probedAt = new ArrayList<>();
    private final SessionState session = new SessionState();
    private final CaptureLoop loop = new CaptureLoop(serial, time, this::now, false, nudge -> probe(), time -> false);

    @Test
    void waitsForOtherWritesWhileNobodyWaits() {
        pass(Duration.ofSeconds(2));
        writeEnds();

        pass(Duration.ofMillis(49));
        assertThat(probedAt).isEmpty();
        pass(Duration.ofMillis(1));
        assertThat(probedAt).hasSize(1);
    }

    @Test
    void asksAtOnceForTheFirstWhoWaits() {
        pass(Duration.ofSeconds(2));
        writeEnds();

        loop.awaited();
        pass(Duration.ZERO);

        assertThat(probedAt).containsExactly(now());
    }

    /** It has been asked of late, and somebody waited: so the write that ends next is put off for a moment only. */
    @Test
    void asksAtOnceForWhoeverWaitsAlsoWhereOthersHave() {
        pass(Duration.ofSeconds(2));
        captured();
        pass(Duration.ofMillis(5));
        writeEnds();
        assertThat(probedAt).hasSize(1);

        loop.awaited();
        pass(Duration.ZERO);

        assertThat(probedAt).hasSize(2).last().isEqualTo(now());
    }

    @Test
    void asksNoMoreThanOnceAMillisecondHoweverManyWait() {
        pass(Duration.ofSeconds(2));
        captured();
        for (int i = 0; i < 100; i++) {
            writeEnds();
            loop.awaited();
            pass(Duration.ofNanos(100_000));
            answered();
        }

        // 100 writes within 10 ms
        assertThat(probedAt).hasSizeBetween(10, 12);
        for (int i = 1; i < probedAt.size(); i++) {
            assertThat(probedAt.get(i) - probedAt.get(i - 1)).isGreaterThanOrEqualTo(1_000_000);
        }
    }

    @Test
    void asksOnceForAllWhoWaitForTheSame() {
        pass(Duration.ofSeconds(2));
        writeEnds();

        for (int i = 0; i < 100; i++) {
            loop.awaited();
        }
        pass(Duration.ofSeconds(1));

        assertThat(probedAt).hasSize(1);
    }

    @Test
    void asksNobodyWhereNothingWasWritten() {
        loop.awaited();
        pass(Duration.ofSeconds(2));

        assertThat(probedAt).isEmpty();
    }

    private void captured() {
        writeEnds();
        loop.awaited();
        pass(Duration.ofMillis(1));
        answered();
        assertThat(probedAt).hasSize(1);
    }

    private void writeEnds() {
        loop.handIn(new EndedWrite(session.begin(CLUSTER, false, () -> {}), 0, position(), true, now(), now()));
        // a probe that is sent in the same moment does not speak for it
        pass(Duration.ofNanos(1));
    }

    private boolean probe() {
        return probedAt.add(now());
    }

    private void answered() {
        pass(Duration.ofNanos(1));
        Observation observation = new Observation(ServerRole.PRIMARY, position(), 1, "");
        ServerIdentity identity = new ServerIdentity(CLUSTER, "since today");
        long sentAt = probedAt.get(probedAt.size() - 1);
        Sample sample = new Sample(new Introduction(identity, observation, "1", true), 0, observation, sentAt, false);
        serial.execute(() -> assertThat(loop.answered(0, sample, position())).isNotNull());
    }

    private void pass(Duration duration) {
        time.advanceTimeBy(duration);
    }

    private long now() {
        return time.now(TimeUnit.NANOSECONDS);
    }

    private static WalPosition position() {
        return new WalPosition(CLUSTER, 1, 5);
    }
}
