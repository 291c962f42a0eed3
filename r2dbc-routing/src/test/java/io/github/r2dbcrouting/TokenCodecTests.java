package io.github.r2dbcrouting;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.r2dbcrouting.TokenCodec.Refusal;
import io.github.r2dbcrouting.postgresql.WalPosition;
import io.github.r2dbcrouting.spi.Position;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenCodecTests {

    private static final CausalToken TOKEN = CausalToken.of(List.of(new WalPosition("7263417263", 3, 0x5_0000_1234L)));

    private final SigningKey key = key("2026-11", 1);
    private final SigningKey former = key("2026-10", 2);
    private Instant now = Instant.parse("2026-11-20T12:00:00Z");
    private final TokenCodec codec = TokenCodec.hmac(key, former).clock(() -> now);
    private final TokenCodec encrypting = TokenCodec.encrypted(key, former).clock(() -> now);

    @Test
    void readsWhatItSigned() {
        String text = codec.encode(TOKEN);

        assertThat(codec.decode(text).token()).isEqualTo(TOKEN);
        assertThat(codec.decode(text).refusal()).isNull();
        assertThat(text).matches("[A-Za-z0-9._~-]+").hasSizeLessThanOrEqualTo(CausalToken.MAX_LENGTH);
    }

    @Test
    void readsWhatAFormerKeySigned() {
        String text = TokenCodec.hmac(former).clock(() -> now).encode(TOKEN);

        assertThat(codec.decode(text).token()).isEqualTo(TOKEN);
    }

    @Test
    void refusesWhatAKeySignedThatItDoesNotHave() {
        String text = TokenCodec.hmac(key("2026-09", 3)).clock(() -> now).encode(TOKEN);

        assertThat(codec.decode(text).refusal()).isEqualTo(Refusal.UNKNOWN_KEY);
    }

    @Test
    void refusesWhatAnotherSecretSignedUnderTheSameId() {
        String text = TokenCodec.hmac(key("2026-11", 3)).clock(() -> now).encode(TOKEN);

        assertThat(codec.decode(text).refusal()).isEqualTo(Refusal.FORGED);
    }

    @Test
    void refusesATextWithAnyCharacterChanged() {
        String text = codec.encode(TOKEN);

        for (int at = 0; at < text.length(); at++) {
            char other = text.charAt(at) == '0' ? '1' : '0';
            String changed = text.substring(0, at) + other + text.substring(at + 1);

            assertThat(codec.decode(changed).token()).as("changed at %d", at).isNull();
        }
    }

    @Test
    void refusesAPartOfAText() {
        String text = codec.encode(TOKEN);

        for (int length = 0; length < text.length(); length++) {
            assertThat(codec.decode(text.substring(0, length)).token()).isNull();
        }
        assertThat(codec.decode(text + "~").token()).isNull();
    }

    @Test
    void takesATokenUpToItsAgeLimit() {
        String text = codec.encode(TOKEN);

        now = now.plus(TokenCodec.DEFAULT_MAX_AGE);
        assertThat(codec.decode(text).token()).isEqualTo(TOKEN);

        now = now.plusSeconds(1);
        assertThat(codec.decode(text).refusal()).isEqualTo(Refusal.EXPIRED);
        assertThat(codec.maxAge(Duration.ofHours(25)).decode(text).token()).isEqualTo(TOKEN);
    }

    @Test
    void takesATokenFromAClockThatIsALittleAhead() {
        String text = codec.encode(TOKEN);

        now = now.minus(Duration.ofMinutes(5));
        assertThat(codec.decode(text).token()).isEqualTo(TOKEN);

        now = now.minusSeconds(1);
        assertThat(codec.decode(text).refusal()).isEqualTo(Refusal.EXPIRED);
    }

    @Test
    void leavesOutWhatDoesNotFitBesideTheSignature() {
        List<Position> many = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            many.add(new WalPosition(Long.toUnsignedString(-1L - i), 0x7fff_ffff, -1L));
        }
        CausalToken longest = CausalToken.of(many);

        String text = codec.encode(longest);

        assertThat(text.length()).isLessThanOrEqualTo(CausalToken.MAX_LENGTH);
        List<Position> left = codec.decode(text).token().positions();
        assertThat(left).isEqualTo(longest.positions().subList(0, left.size())).hasSizeGreaterThan(5);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "~", "~~~~", "s1~~~~", "s1~2026-11~~~", "s1~2026-11~zz~AAAA~1~x", "1~pg.7.3.5"})
    void refusesOtherTexts(String text) {
        assertThat(codec.decode(text).token()).isNull();
    }

    @Test
    void refusesATextThatIsTooLongBeforeItLooksAtIt() {
        assertThat(codec.decode("x".repeat(1_000_000)).refusal()).isEqualTo(Refusal.TOO_LONG);
    }

    @Test
    void neverThrowsWhateverTheText() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        String signed = codec.encode(TOKEN);

        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder(signed);
            for (int change = random.nextInt(6); change >= 0; change--) {
                text.setCharAt(random.nextInt(text.length()), (char) random.nextInt(0x250));
            }

            assertThat(codec.decode(text.toString())).as("seed %d", seed).isNotNull();
        }
    }

    @Test
    void refusesKeysThatAreTooShortOrShareAnId() {
        assertThatThrownBy(() -> SigningKey.of("k", new byte[31]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the secret of signing key 'k' has 31 bytes: it needs at least 32");
        assertThatThrownBy(() -> SigningKey.of("a key", new byte[32])).hasMessageContaining("offset 1");
        assertThatThrownBy(() -> SigningKey.of("k".repeat(17), new byte[32])).hasMessageContaining("at most 16");
        assertThatThrownBy(() -> TokenCodec.hmac(key, key("2026-11", 2)))
                .hasMessage("there are two signing keys with the id '2026-11'");
        assertThatThrownBy(() -> codec.maxAge(Duration.ZERO)).hasMessageContaining("PT0S");
    }

    @Test
    void keepsItsSecrets() {
        byte[] secret = "a secret that nobody may ever see in a log".getBytes(java.nio.charset.StandardCharsets.UTF_8);
        SigningKey telling = SigningKey.of("k", secret);

        assertThat(telling).hasToString("SigningKey[k]");
        assertThat(TokenCodec.hmac(telling)).hasToString("TokenCodec[k]");
        Arrays.fill(secret, (byte) 0);
        assertThat(TokenCodec.hmac(telling).encode(TOKEN))
                .isNotEqualTo(TokenCodec.hmac(SigningKey.of("k", secret)).encode(TOKEN));
    }

    @Test
    void tellsNothingOfAnEncryptedTokenButTheKeysId() {
        String text = encrypting.encode(TOKEN);

        assertThat(encrypting.decode(text).token()).isEqualTo(TOKEN);
        assertThat(text).matches("e1~2026-11~[A-Za-z0-9_-]+").hasSizeLessThanOrEqualTo(CausalToken.MAX_LENGTH);
        byte[] sealed = Base64.getUrlDecoder().decode(text.substring("e1~2026-11~".length()));
        assertThat(new String(sealed, ISO_8859_1)).doesNotContain("pg.", "7263417263", "500001234");
        assertThat(codec.encode(TOKEN)).as("what is signed only").contains("pg.7263417263.3.500001234");
    }

    @Test
    void encryptsTheSameTokenDifferentlyEachTime() {
        Set<String> texts = new HashSet<>();
        Set<String> beginnings = new HashSet<>();
        for (int i = 0; i < 10_000; i++) {
            String text = encrypting.encode(TOKEN);
            texts.add(text);
            // what is drawn: 192 bits
            beginnings.add(text.substring("e1~2026-11~".length(), "e1~2026-11~".length() + 32));
        }

        assertThat(texts).hasSize(10_000);
        assertThat(beginnings).hasSize(10_000);
    }

    @Test
    void doesNotTellByItsLengthHowFarTheClusterHasCome() {
        assertThat(List.of(
                        CausalToken.of(List.of(new WalPosition("7", 1, 1))),
                        CausalToken.of(List.of(new WalPosition("18446744073709551615", 9, 0x7fff_ffff))),
                        CausalToken.of(List.of(), List.of(new Unresolved("7", null, Unresolved.ENDED)))))
                .extracting(token -> encrypting.encode(token).length())
                .containsOnly(encrypting.encode(TOKEN).length());
    }

    @Test
    void takesBothForms() {
        assertThat(codec.decode(encrypting.encode(TOKEN)).token()).isEqualTo(TOKEN);
        assertThat(encrypting.decode(codec.encode(TOKEN)).token()).isEqualTo(TOKEN);
    }

    @Test
    void readsWhatAFormerKeyEncrypted() {
        assertThat(encrypting
                        .decode(TokenCodec.encrypted(former).clock(() -> now).encode(TOKEN))
                        .token())
                .isEqualTo(TOKEN);
    }

    @Test
    void refusesWhatIsEncryptedOtherwise() {
        TokenCodec stranger = TokenCodec.encrypted(key("2026-09", 3)).clock(() -> now);
        TokenCodec impostor = TokenCodec.encrypted(key("2026-11", 3)).clock(() -> now);
        String renamed = encrypting.encode(TOKEN).replace("~2026-11~", "~2026-10~");
        String sameSecret =
                TokenCodec.encrypted(key("k", 1)).clock(() -> now).encode(TOKEN).replace("~k~", "~2026-11~");

        assertThat(encrypting.decode(stranger.encode(TOKEN)).refusal()).isEqualTo(Refusal.UNKNOWN_KEY);
        assertThat(encrypting.decode(impostor.encode(TOKEN)).refusal()).isEqualTo(Refusal.FORGED);
        assertThat(encrypting.decode(renamed).refusal()).isEqualTo(Refusal.FORGED);
        assertThat(encrypting.decode(sameSecret).refusal()).as("another id").isEqualTo(Refusal.FORGED);
    }

    @Test
    void refusesAnEncryptedTextWithAnyBitChangedAndAnyPartOfOne() {
        String text = encrypting.encode(TOKEN);

        for (int at = 0; at < text.length(); at++) {
            for (int bit = 0; bit < 7; bit++) {
                String changed = text.substring(0, at) + (char) (text.charAt(at) ^ (1 << bit)) + text.substring(at + 1);
                assertThat(encrypting.decode(changed).token())
                        .as("bit %d at %d", bit, at)
                        .isNull();
            }
            assertThat(encrypting.decode(text.substring(0, at)).token()).isNull();
        }
        assertThat(encrypting.decode(text + "=").token()).isNull();
        assertThat(encrypting.decode(text + "~").token()).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "e1",
                "e1~",
                "e1~~",
                "e1~2026-11",
                "e1~2026-11~",
                "e1~2026-11~AAAA",
                "e1~2026-11~????",
                "e1~2026-11~A"
            })
    void refusesOtherTextsThatBeginLikeEncryptedOnes(String text) {
        assertThat(encrypting.decode(text).token()).isNull();
    }

    @Test
    void takesAnEncryptedTokenUpToItsAgeLimit() {
        String text = encrypting.encode(TOKEN);

        now = now.plus(TokenCodec.DEFAULT_MAX_AGE);
        assertThat(encrypting.decode(text).token()).isEqualTo(TOKEN);

        now = now.plusSeconds(1);
        assertThat(encrypting.decode(text).refusal()).isEqualTo(Refusal.EXPIRED);
        assertThat(encrypting.maxAge(Duration.ofHours(25)).decode(text).token()).isEqualTo(TOKEN);
    }

    @Test
    void leavesOutWhatDoesNotFitWhenEncrypted() {
        List<Position> many = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            many.add(new WalPosition(Long.toUnsignedString(-1L - i), 0x7fff_ffff, -1L));
        }
        CausalToken longest = CausalToken.of(many);
        TokenCodec longestId = TokenCodec.encrypted(key("k".repeat(16), 1)).clock(() -> now);

        String text = longestId.encode(longest);

        assertThat(text.length()).isLessThanOrEqualTo(CausalToken.MAX_LENGTH);
        List<Position> left = longestId.decode(text).token().positions();
        assertThat(left).isEqualTo(longest.positions().subList(0, left.size())).hasSizeGreaterThan(4);
    }

    @Test
    void encryptsOnManyThreads() {
        List<String> texts = IntStream.range(0, 2_000)
                .parallel()
                .mapToObj(i -> encrypting.encode(TOKEN))
                .toList();

        assertThat(Set.copyOf(texts)).hasSize(texts.size());
        assertThat(texts)
                .allSatisfy(text -> assertThat(encrypting.decode(text).token()).isEqualTo(TOKEN));
    }

    @Test
    void keepsItsSecretsWhenItEncrypts() {
        assertThat(encrypting).hasToString("TokenCodec[2026-11, 2026-10]");
        assertThatThrownBy(() -> TokenCodec.encrypted(key, key("2026-11", 2)))
                .hasMessage("there are two signing keys with the id '2026-11'");
    }

    private static SigningKey key(String id, int fill) {
        byte[] secret = new byte[32];
        Arrays.fill(secret, (byte) fill);
        return SigningKey.of(id, secret);
    }
}
