package io.github.r2dbcrouting.test.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Small histories, each beside its neighbour that is right. */
class HistoryTests {

    private static final long LIST = 7;

    private final HistoryRecorder recorder = new HistoryRecorder();

    @Test
    void acceptsAReadOfWhatWasWritten() {
        recorder.append(1, LIST, 10).ok();
        recorder.readLists(1, LIST).ok(List.of(10L));

        assertThat(recorder.history().check().kept()).isTrue();
    }

    @Test
    void explainsWhichWriteASessionDidNotSee() {
        recorder.append(1, LIST, 10).ok();
        recorder.readLists(1, LIST).ok(List.of(List.of()), "db2");
        recorder.readLists(2, LIST).ok(List.of(10L));

        Verdict verdict = recorder.history().check();

        assertThat(verdict.violations()).extracting(Violation::guarantee).containsExactly(Guarantee.READ_YOUR_WRITES);
        assertThat(verdict.violations().get(0).toString())
                .contains("Session 1 read list 7 and saw [] without 10, which session 1 had written.")
                .contains("at db2");
        assertThatThrownBy(verdict::verify)
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("not kept: read your writes");
    }

    @Test
    void tellsHowASessionCameToAReadThatBrokeAPromise() {
        recorder.readLists(1, LIST).ok(List.of());
        recorder.append(1, LIST, 10).ok("db0");
        recorder.append(2, LIST + 1, 20).ok();
        recorder.told(1, "application 3");
        recorder.readRegisters(1, LIST).failed();
        recorder.readLists(1, LIST).ok(List.of());
        recorder.readLists(1, LIST).ok(List.of(10L));
        History history = recorder.history();

        List<String> way = history.leadingTo(history.check().violations().get(0));

        assertThat(way).hasSize(4);
        assertThat(way.get(0)).contains("session 1").contains("at db0: append 10 to list 7");
        assertThat(way.get(1)).isEqualTo("session 1 was told of a loss by application 3");
        assertThat(way.get(2)).contains("read register 7, failed");
        assertThat(way.get(3)).contains("read list 7 and see []");
    }

    @Test
    void tellsOnlyTheEndOfALongWay() {
        for (long value = 1; value <= 100; value++) {
            recorder.append(1, value == 1 ? LIST : LIST + 1, value).ok();
        }
        recorder.readLists(1, LIST).ok(List.of());
        History history = recorder.history();

        List<String> way = history.leadingTo(history.check().violations().get(0));

        assertThat(way).hasSize(History.LONGEST_WAY);
        assertThat(way.get(way.size() - 1)).contains("read list 7");
    }

    @Test
    void missesAWriteThatNobodyEverSaw() {
        recorder.append(1, LIST, 10).ok();
        recorder.readLists(1, LIST).ok(List.of());

        assertThat(guarantees()).containsExactly(Guarantee.READ_YOUR_WRITES);
    }

    @Test
    void letsAReadThatRanBesideTheWriteMissIt() {
        WriteInvocation write = recorder.append(1, LIST, 10);
        recorder.readLists(1, LIST).ok(List.of());
        write.ok();
        recorder.readLists(1, LIST).ok(List.of(10L));

        assertThat(guarantees()).isEmpty();
    }

    @Test
    void letsOthersBeBehind() {
        recorder.append(1, LIST, 10).ok();
        recorder.readLists(2, LIST).ok(List.of());

        assertThat(guarantees()).isEmpty();
    }

    @Test
    void letsAWriteOfUnknownOutcomeBeThereOrNot() {
        recorder.append(1, LIST, 10).unknown();
        recorder.readLists(1, LIST).ok(List.of());
        recorder.readLists(1, LIST).ok(List.of(10L));

        assertThat(guarantees()).isEmpty();
    }

    @Test
    void expectsAWriteOfUnknownOutcomeToStayOnceItWasSeen() {
        recorder.append(1, LIST, 10).unknown();
        recorder.readLists(2, LIST).ok(List.of(10L));
        recorder.readLists(2, LIST).ok(List.of());

        assertThat(guarantees()).containsExactly(Guarantee.MONOTONIC_READS);
    }

    @Test
    void refusesWhatFailedWhatNobodyWroteWhatIsThereTwiceAndWhatIsToCome() {
        recorder.append(1, LIST, 10).failed();
        recorder.append(1, LIST, 11).ok();
        recorder.readLists(2, LIST).ok(List.of(10L));
        recorder.readLists(2, LIST).ok(List.of(12L));
        recorder.readLists(2, LIST).ok(List.of(11L, 11L));
        recorder.readLists(2, LIST).ok(List.of(11L, 13L));
        recorder.append(1, LIST, 13).ok();

        assertThat(guarantees()).containsOnly(Guarantee.NOTHING_INVENTED).hasSize(4);
    }

    @Test
    void refusesTwoOrdersOfOneList() {
        recorder.append(1, LIST, 10).ok();
        recorder.append(2, LIST, 11).ok();
        recorder.readLists(3, LIST).ok(List.of(10L, 11L));
        recorder.readLists(4, LIST).ok(List.of(11L));

        assertThat(guarantees()).containsExactly(Guarantee.ONE_ORDER);
    }

    @Test
    void followsAWriteThroughTheSnapshotOfOneRead() {
        recorder.append(1, LIST, 10).ok();
        recorder.append(1, 8, 11).ok();
        recorder.readLists(2, 8, LIST).ok(List.of(List.of(11L), List.of()), null);
        recorder.readLists(3, LIST).ok(List.of(10L));

        assertThat(guarantees()).containsExactly(Guarantee.MONOTONIC_WRITES);
    }

    @Test
    void followsAChainOfSessions() {
        recorder.append(1, LIST, 10).ok();
        recorder.readLists(2, LIST).ok(List.of(10L));
        recorder.append(2, 8, 11).ok();
        recorder.readLists(3, 8).ok(List.of(11L));
        recorder.append(3, 9, 12).ok();
        recorder.readLists(4, 9).ok(List.of(12L));
        recorder.readLists(4, LIST).ok(List.of());

        Verdict verdict = recorder.history().check();

        assertThat(verdict.violations())
                .extracting(Violation::guarantee)
                .containsExactly(Guarantee.WRITES_FOLLOW_READS);
        assertThat(verdict.violations().get(0).explanation())
                .contains(
                        "Session 4 saw 12 of session 3",
                        "Session 3 saw 11 of session 2",
                        "Session 2 saw 10 of session 1");
    }

    @Test
    void countsApartWhatAStandbyHasShownBeforeThePrimary() {
        WriteInvocation write = recorder.append(1, LIST, 10);
        recorder.readLists(2, LIST).ok(List.of(List.of(10L)), "standby");
        recorder.readLists(2, LIST).okOnPrimary(List.of(List.of()), "primary");
        write.ok();

        Verdict verdict = recorder.history().check();

        verdict.verify();
        assertThat(verdict.seenEarly()).isOne();
    }

    @Test
    void countsApartWhatAStandbyHasShownBeforeThePrimaryAlsoIfItIsLost() {
        recorder.switched().lost(LIST, 10);
        WriteInvocation write = recorder.append(1, LIST, 10);
        recorder.readLists(2, LIST).ok(List.of(List.of(10L)), "standby");
        recorder.readLists(2, LIST).okOnPrimary(List.of(List.of()), "primary");
        write.ok();
        recorder.finalLists(Map.of());

        Verdict verdict = recorder.history().check();

        verdict.verify();
        assertThat(verdict.seenEarly()).isOne();
    }

    @Test
    void wantsThePrimaryToShowWhatWasAcknowledgedBefore() {
        recorder.append(1, LIST, 10).ok();
        recorder.readLists(2, LIST).ok(List.of(List.of(10L)), "standby");
        recorder.readLists(2, LIST).okOnPrimary(List.of(List.of()), "primary");

        assertThat(guarantees()).containsExactly(Guarantee.MONOTONIC_READS);
    }

    @Test
    void wantsThePrimaryToGoOnShowingWhatItHasShown() {
        WriteInvocation write = recorder.append(1, LIST, 10);
        recorder.readLists(2, LIST).okOnPrimary(List.of(List.of(10L)), "primary");
        recorder.readLists(2, LIST).okOnPrimary(List.of(List.of()), "primary");
        write.ok();

        assertThat(guarantees()).containsExactly(Guarantee.MONOTONIC_READS);
    }

    @Test
    void wantsStandbysToShowWhatAnotherOneHasShown() {
        WriteInvocation write = recorder.append(1, LIST, 10);
        recorder.readLists(2, LIST).ok(List.of(List.of(10L)), "one standby");
        recorder.readLists(2, LIST).ok(List.of(List.of()), "another standby");
        write.ok();

        assertThat(guarantees()).containsExactly(Guarantee.MONOTONIC_READS);
    }

    @Test
    void wantsWhatElseIsLackedBesideWhatWasSeenEarly() {
        recorder.append(1, LIST, 10).ok();
        WriteInvocation write = recorder.append(1, LIST, 11);
        recorder.readLists(2, LIST).ok(List.of(List.of(10L, 11L)), "standby");
        recorder.readLists(2, LIST).okOnPrimary(List.of(List.of()), "primary");
        write.ok();

        assertThat(guarantees()).contains(Guarantee.MONOTONIC_READS);
    }

    private void readsOnAReplicaAndThenLess(String replica) {
        recorder.append(1, LIST, 10).ok();
        recorder.readLists(2, LIST).okOnReplica(List.of(List.of(10L)), replica, "router");
        recorder.readLists(2, LIST).okOnPrimary(List.of(List.of()), "db0");
    }

    @Test
    void countsApartWhatAPromotedServerHasShownToWhoeverDoesNotFollowItYet() {
        recorder.switched("db1").followedBy("another");
        readsOnAReplicaAndThenLess("db1");

        Verdict verdict = recorder.history().check();

        verdict.verify();
        assertThat(verdict.readUnfollowed()).isOne();
        assertThat(verdict).asString().contains("1 reads of a promoted server that was not followed yet");
    }

    @Test
    void wantsWhatAPromotedServerHasShownToWhoeverFollowsIt() {
        recorder.switched("db1").followedBy("router");
        readsOnAReplicaAndThenLess("db1");

        assertThat(guarantees()).containsExactly(Guarantee.MONOTONIC_READS);
    }

    @Test
    void wantsWhatAPromotedServerHasShownOnceEverybodyFollowsIt() {
        recorder.switched("db1").followed();
        readsOnAReplicaAndThenLess("db1");

        assertThat(guarantees()).containsExactly(Guarantee.MONOTONIC_READS);
    }

    @Test
    void wantsWhatAnotherServerHasShownThanThePromotedOne() {
        recorder.switched("db1");
        readsOnAReplicaAndThenLess("db2");

        assertThat(guarantees()).containsExactly(Guarantee.MONOTONIC_READS);
    }

    @Test
    void wantsAPromotedServerToShowWhatItsReaderHadWritten() {
        recorder.append(1, LIST, 10).ok();
        recorder.switched("db1");
        recorder.readLists(1, LIST).okOnReplica(List.of(List.of()), "db1", "router");

        assertThat(guarantees()).containsExactly(Guarantee.READ_YOUR_WRITES);
    }

    @Test
    void wantsToBeToldOfALoss() {
        recorder.append(1, LIST, 10).ok();
        recorder.finalList(LIST, List.of());
        recorder.readLists(1, LIST).ok(List.of());

        assertThat(guarantees()).containsExactly(Guarantee.READ_YOUR_WRITES);
    }

    @Test
    void acceptsALossThatWasTold() {
        recorder.append(1, LIST, 10).ok();
        recorder.finalList(LIST, List.of());
        recorder.told(1);
        recorder.readLists(1, LIST).ok(List.of());

        assertThat(guarantees()).isEmpty();
    }

    @Test
    void expectsWhatSurvivedAlsoAfterAFalseAlarm() {
        recorder.append(1, LIST, 10).ok();
        recorder.finalList(LIST, List.of(10L));
        recorder.told(1);
        recorder.readLists(1, LIST).ok(List.of());

        assertThat(guarantees()).containsExactly(Guarantee.READ_YOUR_WRITES);
    }

    @Test
    void refusesALostBranchOnceItWasTold() {
        recorder.append(1, LIST, 10).ok();
        recorder.finalList(LIST, List.of());
        recorder.readLists(1, LIST).ok(List.of(10L));
        recorder.told(1);
        recorder.readLists(1, LIST).ok(List.of(10L));

        assertThat(guarantees()).containsExactly(Guarantee.NO_LOST_BRANCH);
    }

    @Test
    void doesNotTakeAnEarlierTellingForOneOfALaterLoss() {
        recorder.append(1, LIST, 10).ok();
        recorder.told(1);
        recorder.readLists(1, LIST).ok(List.of(10L));
        recorder.switched().lost(LIST, 10);
        recorder.finalList(LIST, List.of());

        assertThat(guarantees()).isEmpty();
    }

    @Test
    void doesNotTakeAWarningOfSomebodyWhoWasBehindForALossThatComesLater() {
        recorder.append(1, LIST, 10).ok();
        Switch change = recorder.switched();
        change.followedBy("a");
        recorder.told(1, "b");
        recorder.readLists(1, LIST).ok(List.of(10L));
        change.followedBy("b");
        change.lost(LIST, 10);
        recorder.finalList(LIST, List.of());

        assertThat(guarantees()).isEmpty();
    }

    @Test
    void refusesALostBranchOnceSomebodyWhoFollowsTheOtherHasToldOfIt() {
        recorder.append(1, LIST, 10).ok();
        Switch change = recorder.switched();
        change.followedBy("a");
        recorder.told(1, "a");
        recorder.readLists(1, LIST).ok(List.of(10L));
        change.lost(LIST, 10);
        recorder.finalList(LIST, List.of());

        assertThat(guarantees()).containsExactly(Guarantee.NO_LOST_BRANCH);
    }

    @Test
    void takesListsThatAreGoneAtTheEndForLost() {
        recorder.append(1, LIST, 10).ok();
        recorder.readLists(2, LIST).ok(List.of(10L));
        recorder.told(1);
        recorder.readLists(1, LIST).ok(List.of());
        recorder.finalLists(Map.of(8L, List.of(11L)));

        assertThat(guarantees()).isEmpty();
    }

    @Test
    void wantsToBeToldOfListsThatAreGoneAtTheEnd() {
        recorder.append(1, LIST, 10).ok();
        recorder.readLists(2, LIST).ok(List.of(10L));
        recorder.switched();
        recorder.readLists(2, LIST).ok(List.of());
        recorder.finalLists(Map.of());

        assertThat(guarantees()).containsExactly(Guarantee.MONOTONIC_READS);
    }

    @Test
    void takesRegistersThatAreGoneAtTheEndForLost() {
        recorder.set(1, LIST, 10).ok();
        recorder.readRegisters(1, LIST).ok(List.of(10L));
        recorder.told(1);
        recorder.readRegisters(1, LIST).ok(List.of());
        recorder.finalRegisters(Map.of());

        assertThat(guarantees()).isEmpty();
    }

    @Test
    void wantsToBeToldOfRegistersThatAreGoneAtTheEnd() {
        recorder.set(1, LIST, 10).ok();
        recorder.readRegisters(1, LIST).ok(List.of());
        recorder.finalRegisters(Map.of());

        assertThat(guarantees()).containsExactly(Guarantee.READ_YOUR_WRITES);
    }

    @Test
    void refusesALostBranchOnceEverybodyFollowsTheOther() {
        recorder.append(1, LIST, 10).ok();
        Switch change = recorder.switched();
        change.lost(LIST, 10);
        recorder.finalList(LIST, List.of());
        recorder.readLists(2, LIST).ok(List.of(10L));
        change.followed();
        recorder.readLists(3, LIST).ok(List.of(10L));

        Verdict verdict = recorder.history().check();

        assertThat(verdict.violations()).extracting(Violation::guarantee).containsExactly(Guarantee.NO_LOST_BRANCH);
        assertThat(verdict.violations().get(0).operations().get(0).session()).isEqualTo(3);
    }

    @Test
    void knowsAnOlderValueOfARegisterByWhoReplacedIt() {
        recorder.set(1, LIST, 10).ok();
        recorder.set(1, LIST, 11).ok();
        recorder.readRegisters(2, LIST).ok(List.of(11L));
        recorder.readRegisters(2, LIST).ok(List.of(10L));

        assertThat(guarantees()).containsExactly(Guarantee.MONOTONIC_READS);
    }

    @Test
    void takesValuesOfARegisterForEitherOrderIfNobodyKnewBoth() {
        recorder.set(1, LIST, 10).ok();
        recorder.set(2, LIST, 11).ok();
        recorder.readRegisters(3, LIST).ok(List.of(11L));
        recorder.readRegisters(3, LIST).ok(List.of(10L));

        assertThat(guarantees()).isEmpty();
    }

    @Test
    void expectsARegisterToStaySet() {
        recorder.set(1, LIST, 10).ok();
        recorder.readRegisters(1, LIST).ok(List.of());

        assertThat(guarantees()).containsExactly(Guarantee.READ_YOUR_WRITES);
    }

    @Test
    void goesByTheOrderOfARegisterWhereItIsKnown() {
        recorder.set(1, LIST, 10).ok();
        recorder.set(2, LIST, 11).ok();
        recorder.readRegisters(3, LIST).ok(List.of(11L));
        recorder.readRegisters(3, LIST).ok(List.of(10L));
        recorder.finalRegister(LIST, List.of(10L, 11L));

        assertThat(guarantees()).containsExactly(Guarantee.MONOTONIC_READS);
    }

    @Test
    void doesNotJudgeAHistoryInWhichAValueWasWrittenTwice() {
        recorder.append(1, LIST, 10).ok();
        recorder.append(2, LIST, 10).ok();
        History history = recorder.history();

        assertThatThrownBy(history::check)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("list 7: [10]");
    }

    @Test
    void writesWhatElleReads() throws IOException {
        recorder.append(1, LIST, 10).ok();
        recorder.append(1, LIST, 11).unknown();
        recorder.set(1, 5, 1).ok();
        recorder.readLists(1, LIST, 8).ok(List.of(List.of(10L, 11L), List.of()), "db1");
        recorder.append(2, LIST, 12).failed();
        WriteInvocation open = recorder.append(2, LIST, 13);
        recorder.readRegisters(2, 5, 6).ok(List.of(List.of(1L), List.of()), null);
        StringBuilder lists = new StringBuilder();
        StringBuilder registers = new StringBuilder();

        recorder.history().writeListAppend(lists);
        recorder.history().writeRegisters(registers);

        assertThat(open).isNotNull();
        assertThat(lists.toString().replaceAll(":time \\d+", ":time 0")).isEqualTo("""
                {:index 0, :time 0, :type :invoke, :process 0, :f :txn, :value [[:append 7 10]]}
                {:index 1, :time 0, :type :ok, :process 0, :f :txn, :value [[:append 7 10]]}
                {:index 2, :time 0, :type :invoke, :process 0, :f :txn, :value [[:append 7 11]]}
                {:index 3, :time 0, :type :info, :process 0, :f :txn, :value [[:append 7 11]]}
                {:index 4, :time 0, :type :invoke, :process 1, :f :txn, :value [[:r 7 nil] [:r 8 nil]]}
                {:index 5, :time 0, :type :ok, :process 1, :f :txn, :value [[:r 7 [10 11]] [:r 8 []]]}
                {:index 6, :time 0, :type :invoke, :process 2, :f :txn, :value [[:append 7 12]]}
                {:index 7, :time 0, :type :fail, :process 2, :f :txn, :value [[:append 7 12]]}
                {:index 8, :time 0, :type :invoke, :process 2, :f :txn, :value [[:append 7 13]]}
                """);
        assertThat(registers.toString().replaceAll(":time \\d+", ":time 0")).isEqualTo("""
                {:index 0, :time 0, :type :invoke, :process 0, :f :txn, :value [[:w 5 1]]}
                {:index 1, :time 0, :type :ok, :process 0, :f :txn, :value [[:w 5 1]]}
                {:index 2, :time 0, :type :invoke, :process 1, :f :txn, :value [[:r 5 nil] [:r 6 nil]]}
                {:index 3, :time 0, :type :ok, :process 1, :f :txn, :value [[:r 5 1] [:r 6 nil]]}
                """);
    }

    @Test
    void judgesHundredsOfThousandsOfOperationsInSeconds() {
        long began = System.nanoTime();
        HistoryRecorder large = LargeHistory.of(400_000);
        long recorded = System.nanoTime();

        Verdict verdict = large.history().check();

        System.out.printf(
                "%d operations recorded in %d ms, judged in %d ms%n",
                verdict.operations(), (recorded - began) / 1_000_000, (System.nanoTime() - recorded) / 1_000_000);
        assertThat(verdict.violations()).isEmpty();
    }

    private List<Guarantee> guarantees() {
        return recorder.history().check().violations().stream()
                .map(Violation::guarantee)
                .toList();
    }
}
