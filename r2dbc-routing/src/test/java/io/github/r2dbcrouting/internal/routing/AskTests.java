package io.github.r2dbcrouting.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.CausalSession;
import io.github.r2dbcrouting.CausalToken;
import io.github.r2dbcrouting.Freshness;
import io.github.r2dbcrouting.Intent;
import io.github.r2dbcrouting.Routing;
import io.github.r2dbcrouting.WhenBehind;
import io.github.r2dbcrouting.internal.session.SessionState;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.StatementText;
import java.util.List;
import org.junit.jupiter.api.Test;
import reactor.util.context.Context;

class AskTests {

    private final Context nothing = Context.empty();
    private final Context session = Routing.session(CausalSession.create()).apply(nothing);

    @Test
    void takesAStatementOfWhichNothingIsSaidForAWrite() {
        assertThat(Ask.ofStatement(nothing, StatementText.Kind.UNKNOWN).intent())
                .isEqualTo(Intent.WRITE);
        assertThat(Ask.ofStatement(session, StatementText.Kind.UNKNOWN).intent())
                .isEqualTo(Intent.WRITE);
        assertThat(Ask.ofStatement(Routing.write().apply(session), StatementText.Kind.UNKNOWN)
                        .intent())
                .isEqualTo(Intent.WRITE);
    }

    @Test
    void readsUnderASessionWhereTheTextSurelyReads() {
        assertThat(Ask.ofStatement(session, StatementText.Kind.READ).intent()).isEqualTo(Intent.READ);
        assertThat(Ask.ofStatement(nothing, StatementText.Kind.READ).intent()).isEqualTo(Intent.WRITE);
        assertThat(Ask.ofStatement(Routing.write().apply(session), StatementText.Kind.READ)
                        .intent())
                .isEqualTo(Intent.WRITE);
    }

    @Test
    void takesAStatementUnderAReadEntryForARead() {
        assertThat(Ask.ofStatement(Routing.read().apply(nothing), StatementText.Kind.UNKNOWN)
                        .intent())
                .isEqualTo(Intent.READ);
        assertThat(Ask.ofStatement(Routing.read().apply(session), StatementText.Kind.UNKNOWN)
                        .intent())
                .isEqualTo(Intent.READ);
    }

    @Test
    void takesATextThatChangesRowsForAWriteWhateverIsSaidOfIt() {
        assertThat(Ask.ofStatement(Routing.read().apply(session), StatementText.Kind.WRITE)
                        .intent())
                .isEqualTo(Intent.WRITE);
        assertThat(Ask.ofStatement(session, StatementText.Kind.WRITE).intent()).isEqualTo(Intent.WRITE);
    }

    @Test
    void readsInAReadOnlyTransactionUnderASessionOrAReadEntry() {
        assertThat(Ask.ofTransaction(session, true).intent()).isEqualTo(Intent.READ);
        assertThat(Ask.ofTransaction(Routing.read().apply(nothing), true).intent())
                .isEqualTo(Intent.READ);
    }

    @Test
    void writesInAnyOtherTransaction() {
        assertThat(Ask.ofTransaction(nothing, true).intent()).isEqualTo(Intent.WRITE);
        assertThat(Ask.ofTransaction(session, false).intent()).isEqualTo(Intent.WRITE);
        assertThat(Ask.ofTransaction(Routing.read().apply(session), false).intent())
                .isEqualTo(Intent.WRITE);
        assertThat(Ask.ofTransaction(Routing.write().apply(session), true).intent())
                .isEqualTo(Intent.WRITE);
    }

    @Test
    void letsTheNearestEntryReplaceTheOthersWhole() {
        Context outer = Routing.read().freshness(Freshness.latest()).apply(session);

        Ask ask = Ask.ofStatement(Routing.read().apply(outer), StatementText.Kind.UNKNOWN);

        assertThat(ask.freshness()).isEqualTo(Freshness.causal());
    }

    @Test
    void isOfReplicasIfItReadsAndNeedNotSeeTheLatest() {
        assertThat(Ask.of(Routing.read(), null).ofReplicas()).isTrue();
        assertThat(Ask.of(Routing.read().freshness(Freshness.latest()), null).ofReplicas())
                .isFalse();
        assertThat(Ask.of(Routing.write(), null).ofReplicas()).isFalse();
    }

    @Test
    void asksTheSameWithoutWaiting() {
        Ask ask = Ask.of(Routing.read().policy("near").whenBehind(WhenBehind.FAIL), null);

        Ask atOnce = ask.withoutWaiting();

        assertThat(atOnce.whenBehind()).isEqualTo(WhenBehind.PRIMARY);
        assertThat(atOnce.policy()).isEqualTo("near");
        assertThat(atOnce.intent()).isEqualTo(Intent.READ);
        assertThat(ask.whenBehind()).isEqualTo(WhenBehind.FAIL);
    }

    @Test
    void isCausalUnderASessionAndAsksForNothingWithoutOne() {
        assertThat(Ask.ofStatement(session, StatementText.Kind.UNKNOWN).freshness())
                .isEqualTo(Freshness.causal());
        assertThat(Ask.ofStatement(nothing, StatementText.Kind.UNKNOWN).freshness())
                .isEqualTo(Freshness.any());
    }

    @Test
    void prefersTheFreshnessThatIsAskedFor() {
        Routing any = Routing.read().freshness(Freshness.any());

        assertThat(Ask.ofStatement(any.apply(session), StatementText.Kind.UNKNOWN)
                        .freshness())
                .isEqualTo(Freshness.any());
        assertThat(Ask.of(any.freshness(Freshness.latest()), null).freshness()).isEqualTo(Freshness.latest());
    }

    @Test
    void requiresOnlyPositionsOfTheClusterThatIsRoutedTo() {
        SessionState state = new SessionState();
        state.observe(CausalToken.of(List.of(position("7", 1), position("8", 1), position("7", 2))));
        Ask ask = Ask.of(Routing.read(), state);

        assertThat(ask.required("7")).containsExactly(position("7", 1), position("7", 2));
        assertThat(ask.required("8")).containsExactly(position("8", 1));
        assertThat(ask.required("9")).isEmpty();
    }

    @Test
    void requiresNothingOfTheOnlyPositionIfThatIsOfAnotherCluster() {
        SessionState state = new SessionState();
        state.observe(CausalToken.of(List.of(position("8", 1))));

        assertThat(Ask.of(Routing.read(), state).required("7")).isEmpty();
        assertThat(Ask.of(Routing.read(), state).required("8")).hasSize(1);
    }

    @Test
    void requiresNothingUnlessItIsCausal() {
        SessionState state = new SessionState();
        state.observe(CausalToken.of(List.of(position("7", 1))));

        assertThat(Ask.of(Routing.read().freshness(Freshness.any()), state).required("7"))
                .isEmpty();
        assertThat(Ask.of(Routing.read().freshness(Freshness.causal()), null).required("7"))
                .isEmpty();
    }

    @Test
    void asksTheSameOfThePrimary() {
        SessionState state = new SessionState();

        Ask ask = Ask.of(Routing.read(), state).onPrimary();

        assertThat(ask).isEqualTo(new Ask(Intent.WRITE, Freshness.causal(), state));
    }

    private static WalPosition position(String cluster, int timeline) {
        return new WalPosition(cluster, timeline, 5);
    }
}
