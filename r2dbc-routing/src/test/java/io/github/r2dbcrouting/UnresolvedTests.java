package io.github.r2dbcrouting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.r2dbcrouting.postgresql.WalPosition;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What has no position yet travels in a token, too. */
class UnresolvedTests {

    private static final long NOW = 1_800_000_000L;
    private static final SigningKey KEY = SigningKey.of("k", new byte[32]);

    @ParameterizedTest
    @ValueSource(longs = {Unresolved.ENDED, NOW})
    void survivesTheTextForm(long until) {
        CausalToken token = CausalToken.of(
                List.of(position(1, 9)),
                List.of(
                        new Unresolved("7", position(1, 5), until),
                        new Unresolved("8", null, until),
                        new Unresolved("9", position("9", 1, 5), until, NOW),
                        new Unresolved("6", null, until, NOW)));

        CausalToken read = CausalToken.parse(token.encode());

        assertThat(read).isEqualTo(token).hasSameHashCodeAs(token);
        assertThat(read.isUnresolved()).isTrue();
        assertThat(read.encode()).matches("[A-Za-z0-9._~-]+");
        assertThat(read).isNotEqualTo(CausalToken.of(List.of(position(1, 9))));
    }

    @Test
    void survivesTheSignedForm() {
        CausalToken token = CausalToken.of(List.of(), List.of(new Unresolved("7", null, Unresolved.ENDED)));
        TokenCodec codec = TokenCodec.hmac(KEY);

        assertThat(codec.decode(codec.encode(token)).token()).isEqualTo(token);
    }

    @Test
    void keepsWhatIsUnresolvedBeforeWhatHasAPosition() {
        List<Unresolved> marks = new ArrayList<>();
        List<io.github.r2dbcrouting.spi.Position> positions = new ArrayList<>();
        IntStream.range(0, 9).forEach(i -> {
            marks.add(new Unresolved("c".repeat(63) + i, null, 1L << 40));
            positions.add(new WalPosition("1234567890123456789" + i, Integer.MAX_VALUE, -1));
        });

        CausalToken token = CausalToken.of(positions, marks);

        assertThat(token.unresolved()).hasSize(4);
        assertThat(token.positions()).isNotEmpty();
        assertThat(token.encode()).hasSizeLessThanOrEqualTo(CausalToken.MAX_LENGTH);
        TokenCodec codec = TokenCodec.hmac(KEY);
        assertThat(codec.encode(token)).hasSizeLessThanOrEqualTo(CausalToken.MAX_LENGTH);
        assertThat(Objects.requireNonNull(codec.decode(codec.encode(token)).token())
                        .unresolved())
                .isEqualTo(token.unresolved());
    }

    @Test
    void mergesWhatIsUnresolvedInOneCluster() {
        CausalToken one = unresolved(new Unresolved("7", position(1, 5), NOW));
        CausalToken other = unresolved(new Unresolved("7", position(1, 9), Unresolved.ENDED));

        assertThat(one.merge(other).unresolved()).containsExactly(new Unresolved("7", position(1, 9), NOW));
        assertThat(other.merge(one)).isEqualTo(one.merge(other));
    }

    @Test
    void keepsTheEarliestTimeFromWhichOnACrashMayHaveLostSomething() {
        Unresolved safe = new Unresolved("7", null, Unresolved.ENDED);
        Unresolved exposed = new Unresolved("7", null, Unresolved.ENDED, NOW);
        Unresolved earlier = new Unresolved("7", null, Unresolved.ENDED, NOW - 1);

        assertThat(unresolved(safe).merge(unresolved(exposed))).isEqualTo(unresolved(exposed));
        assertThat(unresolved(exposed).merge(unresolved(safe))).isEqualTo(unresolved(exposed));
        assertThat(unresolved(exposed).merge(unresolved(earlier))).isEqualTo(unresolved(earlier));
        assertThat(unresolved(earlier).merge(unresolved(exposed))).isEqualTo(unresolved(earlier));
    }

    @Test
    void isExposedForAsLongAsClocksMaySay() {
        assertThat(new Unresolved("7", null, Unresolved.ENDED, NOW).exposedFor(NOW + 5))
                .isEqualTo(35);
        assertThat(new Unresolved("7", null, Unresolved.ENDED, NOW + 5).exposedFor(NOW))
                .isEqualTo(30);
        assertThat(new Unresolved("7", null, Unresolved.ENDED).exposedFor(NOW)).isZero();
    }

    @Test
    void keepsTheOlderBranchSinceThatMayHaveLost() {
        CausalToken one = unresolved(new Unresolved("7", position(1, 9), Unresolved.ENDED));
        CausalToken other = unresolved(new Unresolved("7", position(2, 5), Unresolved.ENDED));

        assertThat(one.merge(other)).isEqualTo(one);
        assertThat(other.merge(one)).isEqualTo(one);
    }

    @Test
    void isNotResolvedByAPositionFromElsewhere() {
        CausalToken merged = unresolved(new Unresolved("7", null, Unresolved.ENDED))
                .merge(CausalToken.of(List.of(position(1, 100))));

        assertThat(merged.isUnresolved()).isTrue();
        assertThat(merged.positions()).containsExactly(position(1, 100));
    }

    @Test
    void goesOnUntilItsEndAndNoLongerThanAnybodyHonestSays() {
        assertThat(new Unresolved("7", null, Unresolved.ENDED).goesOn(NOW)).isFalse();
        assertThat(new Unresolved("7", null, NOW).goesOn(NOW)).isFalse();
        assertThat(new Unresolved("7", null, NOW + 1).goesOn(NOW)).isTrue();
        assertThat(new Unresolved("7", null, NOW + 2 * Unresolved.LASTS).goesOn(NOW))
                .isTrue();
        assertThat(new Unresolved("7", null, NOW + 2 * Unresolved.LASTS + 1).goesOn(NOW))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1~u",
                "1~u.",
                "1~u.0",
                "1~u.0.",
                "1~u.0.c.",
                "1~u.0.a.pg.",
                "1~u.0.a.pg.7.0.1",
                "1~u.zzzzzzzzz.c.7",
                "1~u.-1.c.7",
                "1~u.0.c.7~",
                "1~u.0.c.1~u.0.c.2~u.0.c.3~u.0.c.4~u.0.c.5"
            })
    void refusesAnythingElse(String text) {
        assertThatThrownBy(() -> CausalToken.parse(text)).isInstanceOf(InvalidTokenException.class);
    }

    private static CausalToken unresolved(Unresolved mark) {
        return CausalToken.of(List.of(), List.of(mark));
    }

    private static WalPosition position(String cluster, int timeline, long lsn) {
        return new WalPosition(cluster, timeline, lsn);
    }

    private static WalPosition position(int timeline, long lsn) {
        return new WalPosition("7", timeline, lsn);
    }
}
