package io.github.r2dbcrouting.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.github.r2dbcrouting.PolicySyntaxException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PolicyTests {

    private static final int ROUND_TRIPS = 100_000;

    static Stream<Arguments> accepted() {
        return cases("= ").map(parts -> Arguments.of(text(parts[0]), parts[1]));
    }

    static Stream<Arguments> refused() {
        return cases("! ").map(parts -> Arguments.of(text(parts[0]), Integer.parseInt(parts[1]), parts[2]));
    }

    @ParameterizedTest
    @MethodSource("accepted")
    void readsWhatIsAPolicy(String text, String canonical) {
        Policy policy = Policy.parse(text);

        assertThat(policy).hasToString(canonical);
        assertThat(Policy.parse(canonical)).isEqualTo(policy);
    }

    @ParameterizedTest
    @MethodSource("refused")
    void saysWhereAndWhyATextIsNone(String text, int offset, String problem) {
        assertThatThrownBy(() -> Policy.parse(text))
                .hasMessageContaining(problem)
                .hasMessageStartingWith("policy, offset " + offset + ": ")
                .asInstanceOf(type(PolicySyntaxException.class))
                .returns(offset, PolicySyntaxException::offset);
    }

    @Test
    void hasATableThatIsLongEnough() {
        assertThat(accepted().count() + refused().count()).isGreaterThanOrEqualTo(120);
    }

    @Test
    void showsThePlaceInItsMessage() {
        assertThatThrownBy(() -> Policy.parse("tags(eu); tags(us), all()"))
                .hasMessage("policy, offset 18: expected '->', ';' or the end, and found ',': rules are separated by"
                        + " ';', at: tags(eu); tags(us)⟨here⟩, all()");
        assertThatThrownBy(() -> Policy.parse("tags(a);".repeat(20) + "\ntagz(b)" + ";tags(c)".repeat(20)))
                .hasMessage("policy, offset 161: there is no filter 'tagz': did you mean 'tags'?, at:"
                        + " …ags(a);tags(a);tags(a); ⟨here⟩tagz(b);tags(c);tags(c);…");
    }

    @Test
    void refusesATextThatIsTooLongBeforeItReadsIt() {
        String longest = "all()" + " ".repeat(Policy.MAX_LENGTH - 5);

        assertThat(Policy.parse(longest)).hasToString("all()");
        assertThatThrownBy(() -> Policy.parse(longest + " "))
                .isInstanceOf(PolicySyntaxException.class)
                .hasMessageContaining("at most 4096 characters, this has 4097");
    }

    @Test
    void takesNamesAndNumbersToTheirLimits() {
        assertThat(Policy.parse("tags(azAZ09_-)->min(999999999); all()"))
                .hasToString(Policy.parse("tags( azAZ09_- ) -> min( 999999999 ) ; all()")
                        .toString());
        assertThatThrownBy(() -> Policy.parse("min(1000000000)")).isInstanceOf(PolicySyntaxException.class);
    }

    @Test
    void endsWithNobodyOnlyWhereItHalts() {
        assertThat(Policy.parse("tags(eu); halt()").halts()).isTrue();
        assertThat(Policy.parse("halt()").halts()).isTrue();
        assertThat(Policy.parse("tags(eu)").halts()).isFalse();
        assertThat(Policy.parse("all()").halts()).isFalse();
    }

    @Test
    void readsWhatItPrints() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);

        for (int i = 0; i < ROUND_TRIPS; i++) {
            Policy policy = Policies.random(random);

            Policy again = Policy.parse(policy.toString());

            assertThat(again).as("seed %d", seed).isEqualTo(policy);
            assertThat(again.toString()).as("seed %d", seed).isEqualTo(policy.toString());
        }
    }

    @Test
    void throwsNothingElseWhateverTheText() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        String alphabet = "tagsnotminmaxlaghalt(),;->0123456789_- \n\t\\ü\0|";

        for (int i = 0; i < ROUND_TRIPS; i++) {
            StringBuilder text = new StringBuilder(Policies.random(random).toString());
            for (int change = random.nextInt(4); change >= 0; change--) {
                text.setCharAt(random.nextInt(text.length()), alphabet.charAt(random.nextInt(alphabet.length())));
            }
            try {
                assertThat(Policy.parse(text.toString()).rules()).isNotEmpty();
            } catch (PolicySyntaxException expected) {
                assertThat(expected.offset()).as("seed %d", seed).isBetween(0, text.length());
            }
        }
    }

    private static Stream<String[]> cases(String mark) {
        try (InputStream table = Objects.requireNonNull(PolicyTests.class.getResourceAsStream("policies.txt"))) {
            return new String(table.readAllBytes(), StandardCharsets.UTF_8)
                            .lines()
                            .filter(line -> line.startsWith(mark))
                            .map(line -> line.substring(mark.length()).split(" => "))
                            .toList()
                            .stream();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private static String text(String written) {
        return written.replace("\\n", "\n")
                .replace("\\r", "\r")
                .replace("\\t", "\t")
                .replace("\\\\", "\\");
    }
}
