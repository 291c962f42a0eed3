package io.github.r2dbcrouting.internal.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.r2dbcrouting.Lag;
import io.github.r2dbcrouting.postgresql.WalPosition;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PositionHistoryTests {

    private static final Duration REACH = Duration.ofNanos(1_000);
    private static final Duration SPACING = Duration.ofNanos(20);
    private static final Duration AGE = Duration.ofNanos(300);

    private final PositionHistory history = new PositionHistory(REACH, SPACING);

    @Test
    void holdsNothingForFreshBeforeThePrimaryWasAsked() {
        assertThat(history.newest()).isNull();
        assertThat(history.within(position(99), AGE)).isFalse();
    }

    @Test
    void holdsAReplicaForFreshThatHasAllThatIsKnown() {
        history.add(0, position(10));

        assertThat(history.within(position(10), AGE)).isTrue();
        assertThat(history.within(position(11), AGE)).isTrue();
    }

    @Test
    void measuresFromTheNewestEntryThatIsCovered() {
        history.add(0, position(10));
        history.add(100, position(20));
        history.add(200, position(30));

        assertThat(history.within(position(20), Duration.ofNanos(100))).isTrue();
        assertThat(history.within(position(29), Duration.ofNanos(100))).isTrue();
        assertThat(history.within(position(20), Duration.ofNanos(99))).isFalse();
        assertThat(history.within(position(10), Duration.ofNanos(200))).isTrue();
        assertThat(history.within(position(10), Duration.ofNanos(199))).isFalse();
    }

    @Test
    void holdsAReplicaForTooOldThatCoversNoEntry() {
        history.add(0, position(10));
        history.add(100, position(20));

        assertThat(history.within(position(9), AGE)).isFalse();
    }

    @Test
    void doesNotTakeAnIdlePrimaryForLag() {
        history.add(0, position(10));
        for (int at = 20; at < 5_000; at += 20) {
            history.add(at, position(10));
        }

        assertThat(history.within(position(10), AGE)).isTrue();
    }

    @Test
    void forgetsTheOldBranchWhenThePrimaryChangesToAnother() {
        history.add(0, position(10));
        history.add(100, position(20));
        history.add(200, new WalPosition("7", 2, 15));

        assertThat(history.newest()).isEqualTo(new WalPosition("7", 2, 15));
        assertThat(history.within(position(99), AGE)).isFalse();
        assertThat(history.within(new WalPosition("7", 2, 15), AGE)).isTrue();
        assertThat(history.within(new WalPosition("7", 2, 14), AGE)).isFalse();
    }

    @Test
    void beginsAnewWhenThePrimaryHasGoneBack() {
        history.add(0, position(10));
        history.add(100, position(30));
        history.add(200, position(20));

        assertThat(history.newest()).isEqualTo(position(20));
        assertThat(history.within(position(19), AGE)).isFalse();
        assertThat(history.within(position(20), AGE)).isTrue();
    }

    @Test
    void keepsTheNewestEntryHoweverCloseTheyAre() {
        for (int at = 0; at < 200; at++) {
            history.add(at, position(at));
        }

        assertThat(history.newest()).isEqualTo(position(199));
        assertThat(history.within(position(199), Duration.ZERO)).isTrue();
        assertThat(history.within(position(198), Duration.ofNanos(2 * SPACING.toNanos())))
                .isTrue();
    }

    @Test
    void reachesAsFarBackAsItIsToldTo() {
        for (int at = 0; at <= 100_000; at++) {
            history.add(at, position(at));
        }
        long now = 100_000;
        long loss = 2 * SPACING.toNanos();

        assertThat(history.within(position(now - REACH.toNanos() + loss), REACH))
                .isTrue();
        assertThat(history.within(position(now - REACH.toNanos() - 1), REACH)).isFalse();
    }

    @Test
    void knowsWhenThePrimaryWasAskedForWhatAReplicaHas() {
        assertThat(history.freshAt(position(10))).isEqualTo(Lag.NEVER);
        history.add(0, position(10));
        history.add(100, position(20));
        history.add(200, position(30));

        assertThat(history.freshAt(position(9))).isEqualTo(Lag.NEVER);
        assertThat(history.freshAt(position(10))).isZero();
        assertThat(history.freshAt(position(29))).isEqualTo(100);
        assertThat(history.freshAt(position(30))).isEqualTo(200);
        assertThat(history.freshAt(position(99))).isEqualTo(200);
    }

    @Test
    void letsNobodyAgeWhileThePrimaryIsAskedAndHasNothingNew() {
        history.add(0, position(10));
        for (int at = 20; at <= 5_000; at += 20) {
            history.add(at, position(10));
        }

        assertThat(history.freshAt(position(10))).isEqualTo(5_000);
        assertThat(history.movedAt()).isZero();
        assertThat(history.lackingSince(position(10))).isEqualTo(Lag.NEVER);
    }

    @Test
    void knowsSinceWhenAReplicaLacksSomething() {
        history.add(0, position(10));
        history.add(100, position(20));
        history.add(200, position(30));

        assertThat(history.lackingSince(position(30))).isEqualTo(Lag.NEVER);
        assertThat(history.lackingSince(position(25))).isEqualTo(200);
        assertThat(history.lackingSince(position(10))).isEqualTo(100);
        assertThat(history.lackingSince(position(5))).isZero();
        assertThat(history.movedAt()).isEqualTo(200);
    }

    @Test
    void holdsUpToThePromotionWhatItKnewBefore() {
        history.add(0, position(10));
        history.add(100, position(20));
        history.add(200, position(30));

        history.rebase(entry -> entry instanceof WalPosition at && at.covers(position(21))
                ? null
                : new WalPosition("7", 2, ((WalPosition) entry).lsn()));

        assertThat(history.newest()).isEqualTo(new WalPosition("7", 2, 20));
        assertThat(history.freshAt(new WalPosition("7", 2, 25))).isEqualTo(100);
    }

    @Test
    void neverClaimsAReplicaToBeFresherThanItIs() {
        Random random = new Random(3);

        for (int round = 0; round < 300; round++) {
            PositionHistory ring = new PositionHistory(REACH, SPACING);
            Reference reference = new Reference();
            long now = random.nextBoolean() ? Long.MAX_VALUE - 500 : random.nextInt(1_000);
            long lsn = 1_000;
            int timeline = 1;
            for (int step = 0; step < 300; step++) {
                now += random.nextInt(random.nextInt(4) == 0 ? 60 : 8);
                if (random.nextInt(100) == 0) {
                    timeline++;
                    lsn -= random.nextInt(20);
                } else if (random.nextInt(150) == 0) {
                    lsn -= random.nextInt(50);
                } else {
                    lsn += random.nextInt(3) == 0 ? 0 : random.nextInt(10);
                }
                WalPosition added = new WalPosition("7", timeline, lsn);
                ring.add(now, added);
                reference.add(now, added);

                WalPosition asked = new WalPosition(
                        "7", random.nextInt(8) == 0 ? timeline + 1 : timeline, lsn + 5 - random.nextInt(300));
                Duration age = Duration.ofNanos(random.nextInt(900));

                boolean fresh = ring.within(asked, age);

                if (fresh) {
                    assertThat(reference.within(asked, age)).isTrue();
                } else {
                    Duration less = age.minusNanos(3 * SPACING.toNanos() + 60);
                    assertThat(less.isNegative() || !reference.within(asked, less))
                            .isTrue();
                }
            }
        }
    }

    private static WalPosition position(long lsn) {
        return new WalPosition("7", 1, lsn);
    }

    /** Keeps every entry since the last change of branch, and looks at each. */
    private static final class Reference {

        private record Entry(long sentAt, WalPosition position) {}

        private final List<Entry> entries = new ArrayList<>();

        void add(long sentAt, WalPosition position) {
            if (!entries.isEmpty()
                    && !position.covers(entries.get(entries.size() - 1).position())) {
                entries.clear();
            }
            entries.add(new Entry(sentAt, position));
        }

        boolean within(WalPosition position, Duration age) {
            long now = entries.get(entries.size() - 1).sentAt();
            if (position.covers(entries.get(entries.size() - 1).position())) {
                return true;
            }
            return entries.stream()
                    .anyMatch(entry -> position.covers(entry.position()) && now - entry.sentAt() <= age.toNanos());
        }
    }
}
