package io.github.r2dbcrouting.postgresql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.r2dbcrouting.spi.Position;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WalPositionTests {

    private static final Position FOREIGN = new Position() {
        @Override
        public long branch() {
            return 1;
        }

        @Override
        public boolean reaches(Position other) {
            return false;
        }

        @Override
        public Position onBranch(long branch) {
            return this;
        }

        @Override
        public boolean covers(Position other) {
            return true;
        }

        @Override
        public String cluster() {
            return "7";
        }

        @Override
        public String text() {
            return "other.1";
        }
    };

    @Test
    void coversWhatLiesAtOrBeforeItOnItsTimeline() {
        WalPosition position = WalPosition.of("7", 3, "1/20");

        assertThat(position.covers(WalPosition.of("7", 3, "1/20"))).isTrue();
        assertThat(position.covers(WalPosition.of("7", 3, "1/1F"))).isTrue();
        assertThat(position.covers(WalPosition.of("7", 3, "0/FFFFFFFF"))).isTrue();
    }

    @Test
    void doesNotCoverWhatLiesBehindIt() {
        WalPosition position = WalPosition.of("7", 3, "1/20");

        assertThat(position.covers(WalPosition.of("7", 3, "1/21"))).isFalse();
        assertThat(position.covers(WalPosition.of("7", 3, "2/0"))).isFalse();
    }

    @Test
    void coversNothingOfAnotherTimelineOrCluster() {
        WalPosition position = WalPosition.of("7", 3, "FFFF/0");

        assertThat(position.covers(WalPosition.of("7", 2, "0/1"))).isFalse();
        assertThat(position.covers(WalPosition.of("7", 4, "0/1"))).isFalse();
        assertThat(position.covers(WalPosition.of("8", 3, "0/1"))).isFalse();
    }

    @Test
    void coversNothingOfAnotherEngine() {
        assertThat(WalPosition.of("7", 1, "FFFFFFFF/0").covers(FOREIGN)).isFalse();
    }

    @Test
    void comparesUnsigned() {
        WalPosition high = WalPosition.of("7", 1, "FFFFFFFF/FFFFFFFF");
        WalPosition middle = WalPosition.of("7", 1, "80000000/0");
        WalPosition low = WalPosition.of("7", 1, "7FFFFFFF/FFFFFFFF");

        assertThat(high.covers(middle)).isTrue();
        assertThat(middle.covers(low)).isTrue();
        assertThat(low.covers(middle)).isFalse();
        assertThat(middle.covers(high)).isFalse();
    }

    @Test
    void readsBackWhatItWrites() {
        Random random = new Random(42);

        for (int round = 0; round < 10_000; round++) {
            long lsn = random.nextLong() >>> random.nextInt(64);
            int timeline = Math.max(1, random.nextInt() >>> random.nextInt(32));
            WalPosition position = new WalPosition(Long.toUnsignedString(random.nextLong()), timeline, lsn);

            String text = position.text();

            assertThat(WalPosition.parse(text)).isEqualTo(position);
            assertThat(text).matches("pg\\.[A-Za-z0-9._-]{1,93}");
        }
    }

    @Test
    void readsAnLsnAsTheServerPrintsIt() {
        assertThat(WalPosition.of("7", 1, "0/3076018")).isEqualTo(new WalPosition("7", 1, 0x3076018));
        assertThat(WalPosition.of("7", 1, "1A/b").lsn()).isEqualTo(0x1A_0000_000BL);
        assertThat(WalPosition.of("7", 1, "0/3076018")).hasToString("0/3076018 on timeline 1");
        assertThat(WalPosition.of("7", 1, "FFFFFFFF/A")).hasToString("FFFFFFFF/A on timeline 1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "0",
                "0/",
                "/0",
                "0/0/0",
                "g/0",
                "0/g",
                "123456789/0",
                "0/123456789",
                "-1/0",
                "0/-1",
                "+1/0",
                "0/+1",
                " 0/0",
                "0/0 ",
                "0//0",
                "0x1/0",
                "١/0"
            })
    void refusesAnLsnOfAnotherForm(String lsn) {
        assertThatIllegalArgumentException().isThrownBy(() -> WalPosition.of("7", 1, lsn));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "pg",
                "pg.",
                "pg...",
                "pg.7.1",
                "pg.7.1.",
                "pg..1.1",
                "pg.7..1",
                "pg.7.0.1",
                "pg.7.00000000.1",
                "pg.7.1.1.1",
                "pg.7.1.g",
                "pg.7.1.A",
                "pg.7.1.-1",
                "pg.x.1.1",
                "pg.-7.1.1",
                "PG.7.1.1",
                "my.7.1.1",
                " pg.7.1.1",
                "pg.7.1.1 ",
                "pg.7.1.1\n",
                "pg.7.123456789.1",
                "pg.7.1.12345678901234567",
                "pg.123456789012345678901.1.1",
                "pg.٧.1.1",
                "pg.7.1.1~pg.7.1.1",
                "pg.7.1.1\0",
                "null"
            })
    void takesNoOtherTextForAPosition(String text) {
        assertThat(WalPosition.parse(text)).isNull();
    }

    @Test
    void takesTheLargestNumbersThatHaveRoom() {
        assertThat(WalPosition.parse("pg.99999999999999999999.ffffffff.ffffffffffffffff"))
                .isEqualTo(new WalPosition("99999999999999999999", -1, -1));
        assertThat(new WalPosition("7", -1, -1)).hasToString("FFFFFFFF/FFFFFFFF on timeline 4294967295");
    }

    @Test
    void countsTheBytesThatLieBetween() {
        WalPosition here = WalPosition.of("7", 1, "0/3000000");

        assertThat(here.bytesBehind(WalPosition.of("7", 2, "0/3000010"))).hasValue(16);
        assertThat(here.bytesBehind(WalPosition.of("7", 1, "0/2FFFFFF"))).hasValue(0);
        assertThat(here.bytesBehind(WalPosition.of("8", 1, "0/3000010"))).isEmpty();
    }

    @Test
    void countsTheBytesToWhatLiesAheadOnItsTimeline() {
        WalPosition here = WalPosition.of("7", 1, "0/3000000");

        assertThat(here.bytesTo(WalPosition.of("7", 1, "0/3000010"))).hasValue(16);
        assertThat(here.bytesTo(here)).hasValue(0);
        assertThat(here.bytesTo(WalPosition.of("7", 1, "0/2FFFFFF"))).isEmpty();
        assertThat(here.bytesTo(WalPosition.of("7", 2, "0/3000010"))).isEmpty();
    }

    @Test
    void reachesWhatLiesAtOrBeforeItOnAnyTimelineOfItsCluster() {
        WalPosition here = WalPosition.of("7", 1, "0/3000000");

        assertThat(here.reaches(WalPosition.of("7", 2, "0/3000000"))).isTrue();
        assertThat(here.reaches(WalPosition.of("7", 2, "0/3000001"))).isFalse();
        assertThat(here.reaches(WalPosition.of("8", 1, "0/1"))).isFalse();
        assertThat(here.reaches(FOREIGN)).isFalse();
        assertThat(here.bytesBehind(FOREIGN)).isEmpty();
    }

    @Test
    void isTheSamePlaceOnAnotherTimeline() {
        WalPosition here = WalPosition.of("7", 1, "0/3000000");

        assertThat(here.onBranch(3)).isEqualTo(WalPosition.of("7", 3, "0/3000000"));
        assertThat(here.onBranch(1)).isSameAs(here);
        assertThat(new WalPosition("7", -1, 1).branch()).isEqualTo(0xFFFF_FFFFL);
    }

    /** An idle replica stays before the header for good. */
    @ParameterizedTest
    @CsvSource({"0/3076018, 0/3076000", "0/3000028, 0/3000000", "A/FFFFE018, A/FFFFE000"})
    void beginsAPageThatHasNothingButItsHeader(String end, String start) {
        assertThat(WalPosition.of("7", 1, end).withoutPageHeader()).isEqualTo(WalPosition.of("7", 1, start));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0/3076000", "0/3076017", "0/3076019", "0/3076027", "0/3076029", "0/3077018"})
    void staysWhereThePageHasARecord(String lsn) {
        WalPosition position = WalPosition.of("7", 1, lsn);

        assertThat(position.withoutPageHeader()).isSameAs(position);
    }
}
