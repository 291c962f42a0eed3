package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Position;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CausalTokenTests {

    @Test
    void keepsTheFurtherOfTwoPositionsOnOneBranch() {
        CausalToken early = CausalToken.of(List.of(position("7", 1, 10)));
        CausalToken late = CausalToken.of(List.of(position("7", 1, 20)));

        assertThat(early.merge(late)).isEqualTo(late);
        assertThat(late.merge(early)).isEqualTo(late);
        assertThat(late.merge(late)).isEqualTo(late);
    }

    @Test
    void keepsPositionsThatCannotBeComparedSideBySide() {
        WalPosition old = position("7", 1, 20);
        WalPosition promoted = position("7", 2, 10);
        WalPosition foreign = position("8", 1, 5);

        CausalToken merged = CausalToken.of(List.of(old)).merge(CausalToken.of(List.of(promoted, foreign)));

        assertThat(merged.positions()).containsExactlyInAnyOrder(old, promoted, foreign);
    }

    @Test
    void replacesOnlyTheEntryThatIsCovered() {
        CausalToken both = CausalToken.of(List.of(position("7", 1, 20), position("7", 2, 10)));

        CausalToken merged = both.merge(CausalToken.of(List.of(position("7", 2, 30))));

        assertThat(merged.positions()).containsExactlyInAnyOrder(position("7", 1, 20), position("7", 2, 30));
    }

    @Test
    void doesNotChangeTheTokensThatItMerges() {
        CausalToken one = CausalToken.of(List.of(position("7", 1, 10)));
        CausalToken other = CausalToken.of(List.of(position("7", 1, 20)));

        CausalToken merged = one.merge(other);

        assertThat(merged).isNotSameAs(one);
        assertThat(one.positions()).containsExactly(position("7", 1, 10));
        assertThat(other.positions()).containsExactly(position("7", 1, 20));
    }

    @Test
    void holdsAtMostEightPositionsAndKeepsTheOnesMergedFirst() {
        CausalToken token = CausalToken.of(List.of(position("1", 1, 1)));

        for (int cluster = 2; cluster <= 20; cluster++) {
            token = token.merge(CausalToken.of(List.of(position(String.valueOf(cluster), 1, 1))));
        }

        assertThat(token.positions())
                .extracting(Position::cluster)
                .containsExactly("1", "2", "3", "4", "5", "6", "7", "8");
    }

    @Test
    void neverWritesALongerTextThanItReads() {
        List<Position> longest = IntStream.range(0, 8)
                .<Position>mapToObj(i -> new WalPosition("1844674407370955161" + i, -1, -1))
                .toList();

        CausalToken token = CausalToken.of(longest);

        assertThat(token.encode()).hasSizeLessThanOrEqualTo(CausalToken.MAX_LENGTH);
        assertThat(CausalToken.parse(token.encode())).isEqualTo(token);
    }

    @Test
    void readsBackWhatItWrites() {
        Random random = new Random(11);

        for (int round = 0; round < 5_000; round++) {
            List<Position> positions = new ArrayList<>();
            for (int left = 1 + random.nextInt(10); left > 0; left--) {
                positions.add(new WalPosition(
                        String.valueOf(random.nextInt(5)), 1 + random.nextInt(3), random.nextLong(1_000)));
            }
            CausalToken token = CausalToken.of(positions);

            String text = token.encode();

            assertThat(text).matches("[A-Za-z0-9._~-]+").hasSizeLessThanOrEqualTo(CausalToken.MAX_LENGTH);
            assertThat(CausalToken.parse(text)).isEqualTo(token).hasSameHashCodeAs(token);
            assertThat(CausalToken.tryParse(text)).contains(token);
        }
    }

    @Test
    void coversBothOfTwoTokensOnceMerged() {
        Random random = new Random(12);

        for (int round = 0; round < 5_000; round++) {
            CausalToken one = CausalToken.of(List.of(any(random), any(random)));
            CausalToken other = CausalToken.of(List.of(any(random), any(random)));

            CausalToken merged = one.merge(other);

            for (CausalToken part : List.of(one, other)) {
                for (Position position : part.positions()) {
                    assertThat(merged.positions()).anyMatch(kept -> kept.covers(position));
                }
            }
            for (Position position : merged.positions()) {
                assertThat(merged.positions())
                        .filteredOn(kept -> kept.covers(position))
                        .hasSize(1);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "1",
                "~",
                "1~",
                "1~~",
                "0~pg.7.1.1",
                "2~pg.7.1.1",
                "11~pg.7.1.1",
                "1~pg.7.1.1~",
                "1~~pg.7.1.1",
                "1~pg.7.1.1~~pg.7.1.2",
                "1~pg.7.0.1",
                "1~pg.7.1.1,pg.7.1.2",
                " 1~pg.7.1.1",
                "1~pg.7.1.1 ",
                "1~pg.7.1.1\r\nSet-Cookie: a=b",
                "1~<script>",
                "1~\0",
                "1~pg.7.1.\ud83d\ude00",
                "1~pg.7.1.٣",
                "1~my.1.2.3",
                "null"
            })
    void refusesATextOfAnotherForm(String text) {
        assertThatExceptionOfType(InvalidTokenException.class).isThrownBy(() -> CausalToken.parse(text));
        assertThat(CausalToken.tryParse(text)).isEmpty();
    }

    @Test
    void doesNotRepeatARefusedTextInItsMessage() {
        assertThatExceptionOfType(InvalidTokenException.class)
                .isThrownBy(() -> CausalToken.parse("1~hunter2"))
                .withMessageNotContaining("hunter2")
                .withMessageContaining("offset 2");
    }

    @Test
    void refusesALongTextAtOnce() {
        String text = "1~" + "pg.7.1.1~".repeat(2_000_000) + "pg.7.1.1";

        assertTimeout(
                Duration.ofMillis(200),
                () -> assertThat(CausalToken.tryParse(text)).isEmpty());
        assertThat(CausalToken.tryParse("1~pg.7.1." + "0".repeat(CausalToken.MAX_LENGTH)))
                .isEmpty();
    }

    @Test
    void refusesMoreEntriesThanATokenHolds() {
        String eight = "1~"
                + String.join(
                        "~",
                        IntStream.range(0, 8).mapToObj(i -> "pg." + i + ".1.1").toList());

        assertThat(CausalToken.parse(eight).positions()).hasSize(8);
        assertThat(CausalToken.tryParse(eight + "~pg.8.1.1")).isEmpty();
        assertThat(CausalToken.tryParse(eight + "~pg.7.1.1")).isEmpty();
    }

    @Test
    void readsRandomTextsWithoutFailingOtherwise() {
        String alphabet = "pg.~0123456789abcdefxyz- \n\0é";
        Random random = new Random(13);

        for (int round = 0; round < 20_000; round++) {
            StringBuilder text = new StringBuilder(random.nextBoolean() ? "1~pg." : "");
            for (int left = random.nextInt(40); left > 0; left--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }

            CausalToken.tryParse(text.toString())
                    .ifPresent(token ->
                            assertThat(CausalToken.parse(token.encode())).isEqualTo(token));
        }
    }

    @Test
    void refusesNull() {
        assertThatNullPointerException().isThrownBy(() -> CausalToken.parse(null));
        assertThatNullPointerException().isThrownBy(() -> CausalToken.tryParse(null));
    }

    @Test
    void refusesToHoldNothing() {
        assertThatIllegalArgumentException().isThrownBy(() -> CausalToken.of(List.of()));
    }

    @Test
    void takesOutWhatIsInAnother() {
        CausalToken token = CausalToken.parse("1~pg.7.1.5~pg.8.1.5");

        assertThat(token.without(CausalToken.parse("1~pg.8.1.5"))).hasValue(CausalToken.parse("1~pg.7.1.5"));
        assertThat(token.without(CausalToken.parse("1~pg.8.1.6"))).hasValue(token);
        assertThat(token.without(token)).isEmpty();
    }

    @Test
    void takesOutMarksAsWell() {
        CausalToken mark = CausalToken.of(List.of(), List.of(new Unresolved("7", null, Unresolved.ENDED)));
        CausalToken position = CausalToken.parse("1~pg.7.1.5");

        assertThat(position.merge(mark).without(mark)).hasValue(position);
        assertThat(position.merge(mark).without(position)).hasValue(mark);
    }

    @Test
    void equalsATokenOfTheSamePositions() {
        CausalToken token = CausalToken.of(List.of(position("7", 1, 10), position("8", 1, 5)));

        assertThat(token)
                .isEqualTo(CausalToken.of(List.of(position("7", 1, 10), position("8", 1, 5), position("7", 1, 9))))
                .isNotEqualTo(CausalToken.of(List.of(position("7", 1, 11), position("8", 1, 5))))
                .isNotEqualTo(CausalToken.of(List.of(position("7", 1, 10))))
                .isNotEqualTo("1~pg.7.1.a~pg.8.1.5");
        assertThat(token).hasToString("1~pg.7.1.a~pg.8.1.5");
    }

    @Test
    void equalsATokenThatWasMergedInAnotherOrder() {
        CausalToken one = CausalToken.of(List.of(position("7", 1, 10)));
        CausalToken other = CausalToken.of(List.of(position("8", 1, 5)));

        assertThat(one.merge(other)).isEqualTo(other.merge(one)).hasSameHashCodeAs(other.merge(one));
    }

    private static WalPosition any(Random random) {
        return position(String.valueOf(random.nextInt(2)), 1 + random.nextInt(2), random.nextInt(50));
    }

    private static WalPosition position(String cluster, int timeline, long lsn) {
        return new WalPosition(cluster, timeline, lsn);
    }
}
