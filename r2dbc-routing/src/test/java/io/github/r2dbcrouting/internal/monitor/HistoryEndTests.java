package io.github.r2dbcrouting.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.internal.reactive.Serial;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Position;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.test.scheduler.VirtualTimeScheduler;

class HistoryEndTests {

    private static final Duration LIMIT = Duration.ofSeconds(1);

    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final List<Sinks.One<Position>> sent = new ArrayList<>();
    private final List<Position> told = new ArrayList<>();
    private final HistoryEnd end =
            new HistoryEnd(new Serial(), time, () -> time.now(TimeUnit.NANOSECONDS), LIMIT, this::send, told::add);

    @Test
    void findsWhatLiesBeyondTheEndAndOnlyThat() {
        CompletableFuture<List<Position>> beyond = ask(at(90), at(101));

        sent.get(0).tryEmitValue(at(100)).orThrow();

        assertThat(beyond.join()).containsExactly(at(101));
        assertThat(told).containsExactly(at(101));
        assertThat(end.rejections()).isEqualTo(1);
    }

    @Test
    void asksNobodyWhereThePrimaryWasSeenThere() {
        end.reached(at(100));

        assertThat(ask(at(100), at(7)).join()).isEmpty();
        assertThat(sent).isEmpty();
    }

    @Test
    void sharesTheNextAnswerAmongThoseWhoAskWhileOneIsUnderWay() {
        CompletableFuture<List<Position>> first = ask(at(200));
        List<CompletableFuture<List<Position>>> others = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            others.add(ask(at(200)));
        }

        sent.get(0).tryEmitValue(at(100)).orThrow();
        assertThat(first.join()).containsExactly(at(200));
        // asked for before the others came, so it says nothing of what they bring
        assertThat(others).noneMatch(CompletableFuture::isDone);
        assertThat(sent).hasSize(1);

        time.advanceTimeBy(HistoryEnd.SPACING);
        sent.get(1).tryEmitValue(at(200)).orThrow();

        assertThat(others).allSatisfy(other -> assertThat(other.join()).isEmpty());
        assertThat(end.probes()).isEqualTo(2);
        assertThat(told).containsExactly(at(200));
    }

    @Test
    void tellsOnceOfAPositionThatManyBringAtTheSameTime() {
        var unused = ask(at(1));
        List<CompletableFuture<List<Position>>> all = List.of(ask(at(200)), ask(at(200)), ask(at(200)));
        sent.get(0).tryEmitValue(at(100)).orThrow();
        time.advanceTimeBy(HistoryEnd.SPACING);

        sent.get(1).tryEmitValue(at(100)).orThrow();

        assertThat(all).allSatisfy(one -> assertThat(one.join()).containsExactly(at(200)));
        assertThat(told).containsExactly(at(200));
        assertThat(end.rejections()).isEqualTo(3);
    }

    @Test
    void rejectsNothingOnAnotherBranchOrWhereThereIsNoAnswer() {
        CompletableFuture<List<Position>> elsewhere = ask(new WalPosition("7", 2, 200), new WalPosition("8", 1, 200));
        sent.get(0).tryEmitValue(at(100)).orThrow();
        assertThat(elsewhere.join()).isEmpty();

        time.advanceTimeBy(HistoryEnd.SPACING);
        CompletableFuture<List<Position>> failed = ask(at(200));
        sent.get(1).tryEmitError(new IllegalStateException("gone")).orThrow();
        assertThat(failed.join()).isEmpty();

        time.advanceTimeBy(HistoryEnd.SPACING);
        CompletableFuture<List<Position>> nobodyThere = ask(at(200));
        sent.get(2).tryEmitEmpty().orThrow();
        assertThat(nobodyThere.join()).isEmpty();

        time.advanceTimeBy(HistoryEnd.SPACING);
        CompletableFuture<List<Position>> late = ask(at(200));
        time.advanceTimeBy(LIMIT);
        assertThat(late.join()).isEmpty();
        assertThat(told).isEmpty();
    }

    @Test
    void leavesNobodyWaitingWhenItIsClosed() {
        CompletableFuture<List<Position>> underWay = ask(at(200));
        CompletableFuture<List<Position>> next = ask(at(200));

        end.close();

        assertThat(underWay.join()).isEmpty();
        assertThat(next.join()).isEmpty();
        assertThat(ask(at(200)).join()).isEmpty();
    }

    private CompletableFuture<List<Position>> ask(Position... positions) {
        return end.beyond(List.of(positions)).toFuture();
    }

    private Mono<Position> send() {
        Sinks.One<Position> answer = Sinks.one();
        sent.add(answer);
        return answer.asMono();
    }

    private static WalPosition at(long lsn) {
        return new WalPosition("7", 1, lsn);
    }
}
