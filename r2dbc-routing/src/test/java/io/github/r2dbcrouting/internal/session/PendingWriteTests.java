package io.github.r2dbcrouting.internal.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.Blocking;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.postgresql.WalPosition;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

class PendingWriteTests {

    private static final String CLUSTER = "7";
    private static final CausalToken TOKEN = CausalToken.of(List.of(new WalPosition(CLUSTER, 1, 5)));

    private final AtomicLong clock = new AtomicLong();
    private final SessionState session = new SessionState(clock::get);
    private final AtomicInteger awaited = new AtomicInteger();
    private final PendingWrite write = session.begin(CLUSTER, true, awaited::incrementAndGet);

    @Test
    void tellsEachWhoWaitsAndSaysThatSomebodyDoes() {
        assertThat(awaited).hasValue(0);

        StepVerifier.create(Mono.when(write.settled(), write.settled(), session.settled()))
                .then(() -> {
                    assertThat(awaited).hasValue(3);
                    write.settle(TOKEN, 1);
                })
                .expectComplete()
                .verify(Duration.ofSeconds(10));
    }

    @Test
    void letsNobodyWaitWhoComesWhenItIsSettled() {
        write.settle(TOKEN, 1);

        Blocking.run(write.settled());

        assertThat(session.settle(write, TOKEN, 1)).isFalse();
    }

    @Test
    void beginsTheSessionsWindowAnewWhenItEnds() {
        session.primaryFor(10);
        clock.set(8);
        write.end();
        clock.set(17);

        assertThat(session.wroteLately(0)).isTrue();
        clock.set(18);
        assertThat(session.wroteLately(0)).isFalse();
    }

    @Test
    void beginsTheSessionsWindowBeforeItIsSent() {
        session.primaryFor(10);

        assertThat(session.wroteLately(0)).isTrue();
        clock.set(10);
        assertThat(session.wroteLately(0)).isFalse();
    }

    @Test
    void beginsNoWindowWhenAReadEnds() {
        SessionState reading = new SessionState(clock::get);
        reading.primaryFor(10);

        reading.beginRead(CLUSTER, true, () -> {}, new Floors() {
                    @Override
                    public void find(SightedFloor floor) {}

                    @Override
                    public long now() {
                        return 0;
                    }
                })
                .end();

        assertThat(reading.wroteLately(0)).isFalse();
    }

    @Test
    void endsWithATransactionThatItTurnedOutToBePartOf() {
        write.end();
        assertThat(write.continuing()).isFalse();
        assertThat(write.openTransaction()).isFalse();

        write.continuesInTransaction();

        assertThat(write.continuing()).isTrue();
        assertThat(write.openTransaction()).isTrue();
    }
}
