package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.github.r2dbcrouting.internal.session.PendingWrite;
import io.github.r2dbcrouting.postgresql.WalPosition;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import reactor.test.StepVerifier;

class CausalSessionTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final CausalToken token = CausalToken.of(List.of(new WalPosition("7", 1, 5)));

    @Test
    void hasNoTokenBeforeAnythingWasWrittenOrObserved() {
        StepVerifier.create(CausalSession.create().token()).expectComplete().verify(LIMIT);
    }

    @Test
    void goesOnFromATokenOfAnotherProcess() {
        StepVerifier.create(CausalSession.resume(token).token())
                .expectNext(token)
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void keepsBothTokensThatItObserved() {
        CausalSession session = CausalSession.resume(token);
        CausalToken later = CausalToken.of(List.of(new WalPosition("7", 2, 1)));

        session.observe(later);

        StepVerifier.create(session.token())
                .expectNext(token.merge(later))
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void tellsWhatIsWrittenAndWhatIsPending() {
        CausalSession session = CausalSession.create();
        PendingWrite write = session.state().begin("7", false, () -> {});

        assertThat(session).hasToString("CausalSession[nothing written, 1 pending]");
        write.settle(token, 0);
        assertThat(session).hasToString("CausalSession[1~pg.7.1.5, 0 pending]");
    }

    @Test
    void refusesToObserveNothing() {
        assertThatNullPointerException().isThrownBy(() -> CausalSession.create().observe(null));
        assertThatNullPointerException().isThrownBy(() -> Routing.session(null));
    }

    @Test
    void isFoundByWhoeverRunsUnderIt() {
        CausalSession session = CausalSession.create();

        StepVerifier.create(Routing.currentSession().contextWrite(Routing.session(session)))
                .expectNext(session)
                .expectComplete()
                .verify(LIMIT);
    }

    @Test
    void isNotFoundOutsideOfIt() {
        StepVerifier.create(Routing.currentSession().contextWrite(Routing.read()))
                .expectComplete()
                .verify(LIMIT);
    }
}
